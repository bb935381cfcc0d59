// PyTorch's own files: what torch.save writes, in the zip form (since 1.6) and the form before it. Tensors and containers are read; a file
// that asks for anything else is refused by the name it asks for, and nothing in it is ever run.
import { AthanorError } from "../kernels/errors.js";
import { tensor } from "./factories.js";
import { type PickleNames, PickledName, Unpickler } from "./pickle.js";
import { readValues } from "./safetensors.js";
import { type StoredType, widths } from "./safetensorsHeader.js";
import { Tensor } from "./tensor/tensor.js";
import { looksLikeZip, readStoredZip } from "./zip.js";

/** A PyTorch file that is damaged, or asks for more than tensors and containers. */
export class PyTorchFileError extends AthanorError {
  override name = "PyTorchFileError";
}

/** What a file may hold: dictionaries become records (a whole number as key becomes its text), lists and tuples arrays. */
export type PyTorchValue = Tensor | number | string | boolean | null | PyTorchValue[] | { [key: string]: PyTorchValue };

type Refuse = (sentence: string) => PyTorchFileError;

/** Some memory in the file that tensors are views on. */
class FileStorage {
  constructor(readonly type: StoredType, readonly elements: number, readonly bytes: Uint8Array) {}
}

const storageTypes: ReadonlyMap<string, StoredType> = new Map([
  ["torch.FloatStorage", "F32"], ["torch.DoubleStorage", "F64"], ["torch.HalfStorage", "F16"], ["torch.BFloat16Storage", "BF16"],
  ["torch.LongStorage", "I64"], ["torch.IntStorage", "I32"], ["torch.ShortStorage", "I16"], ["torch.CharStorage", "I8"],
  ["torch.ByteStorage", "U8"], ["torch.BoolStorage", "BOOL"],
]);

/** How a file written before PyTorch 1.6 begins: a pickle of the number 0x1950a86a20f9469cfc6c. */
const legacyMagic = 0x1950a86a20f9469cfc6cn, legacyProtocol = 1001;
const legacyStart = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/** Whether these bytes begin as torch.save's files do: as a zip file, or with the magic number of the older form. */
export function looksLikePyTorch(bytes: Uint8Array): boolean {
  return looksLikeZip(bytes) || legacyStart.every((byte, i) => bytes[i] === byte);
}

/** Reads what torch.save wrote: a state dict as a record of tensors, or a checkpoint with numbers, strings and further containers in it. F16,
 *  BF16 and F64 become float32, integers int32 (refused where a value does not fit), uint8 and bool stay. `source` names the file in errors. */
export function decodePyTorch(bytes: Uint8Array, source = "PyTorch file"): PyTorchValue {
  const refuse: Refuse = (sentence) => new PyTorchFileError(`${source}: ${sentence}`);
  if (looksLikeZip(bytes)) return decodeZip(bytes, refuse);
  if (looksLikePyTorch(bytes)) return decodeLegacy(bytes, refuse);
  throw refuse("it does not begin as a file of torch.save (a zip file, or the older form's magic number); it is truncated or no such file.");
}

function decodeZip(bytes: Uint8Array, refuse: Refuse): PyTorchValue {
  const entries = readStoredZip(bytes, refuse);
  const found = [...entries.keys()].filter((name) => name === "data.pkl" || name.endsWith("/data.pkl"));
  const [pickleName] = found;
  if (pickleName === undefined || found.length > 1) {
    throw refuse(`this zip file holds ${found.length} entries called data.pkl, and torch.save writes one; it is no PyTorch file.`);
  }
  const folder = pickleName.slice(0, -"data.pkl".length);
  const order = entries.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(order) !== "little") throw refuse("it was written on a big-endian machine; save it on a little-endian one.");
  const storages = new Map<string, FileStorage>();
  const { value } = unpickle(entries.get(pickleName) ?? new Uint8Array(0), bytes.length, refuse, ({ type, key, elements }) => {
    const data = entries.get(`${folder}data/${key}`);
    if (data === undefined) throw refuse(`a tensor lies in the entry ${folder}data/${key}, which is not in the file; it is damaged.`);
    if (data.length !== elements * widths[type]) {
      throw refuse(
        `the entry ${folder}data/${key} has ${data.length} bytes; ${elements} values of ${type} take ${elements * widths[type]}. The file is ` +
          "damaged.",
      );
    }
    return shared(storages, key, new FileStorage(type, elements, data), refuse);
  });
  return checkedValue(value, refuse);
}

/** One key is one storage of one type. */
function shared(storages: Map<string, FileStorage>, key: string, storage: FileStorage, refuse: Refuse): FileStorage {
  const known = storages.get(key) ?? storage;
  if (known.type !== storage.type || known.elements !== storage.elements) {
    throw refuse(`storage ${key} is used as ${known.type} and as ${storage.type}; the file is damaged.`);
  }
  storages.set(key, known);
  return known;
}

/** Magic number, protocol and machine, the object, the keys of its storages, then each storage: a count of 8 bytes and the values. */
function decodeLegacy(bytes: Uint8Array, refuse: Refuse): PyTorchValue {
  const none = (): never => {
    throw refuse("a tensor stands where the file's own description should be; it is damaged.");
  };
  const magic = unpickle(bytes, bytes.length, refuse, none);
  const protocol = unpickle(bytes, bytes.length, refuse, none, magic.end);
  if (magic.value !== legacyMagic || protocol.value !== legacyProtocol) {
    throw refuse(`its protocol is ${String(protocol.value)}; expected ${legacyProtocol}.`);
  }
  const machine = unpickle(bytes, bytes.length, refuse, none, protocol.end);
  if (typeof machine.value === "object" && machine.value !== null && "little_endian" in machine.value && machine.value.little_endian !== true) {
    throw refuse("it was written on a big-endian machine; save it on a little-endian one.");
  }
  // The values come after the object that describes them: a first reading finds out what there is, a second one makes the tensors.
  const described = new Map<string, FileStorage>();
  const first = unpickle(bytes, bytes.length, refuse, ({ type, key, elements }) => {
    const zeros = new Uint8Array(0); // a storage without bytes: its tensors are checked, not made
    return shared(described, key, new FileStorage(type, elements, zeros), refuse);
  }, machine.end, false);
  const keys = unpickle(bytes, bytes.length, refuse, none, first.end);
  const storages = legacyStorages(bytes, keys.value, keys.end, described, refuse);
  const { value } = unpickle(bytes, bytes.length, refuse, ({ key }) => {
    const storage = storages.get(key);
    if (storage === undefined) throw refuse(`a tensor lies in storage ${key}, which is not in the file; it is damaged.`);
    return storage;
  }, machine.end);
  return checkedValue(value, refuse);
}

function legacyStorages(
  bytes: Uint8Array, keys: unknown, start: number, described: ReadonlyMap<string, FileStorage>, refuse: Refuse,
): Map<string, FileStorage> {
  if (!Array.isArray(keys)) throw refuse("the list of its storages is no list; the file is damaged.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), storages = new Map<string, FileStorage>();
  let at = start;
  for (const key of keys) {
    const storage = described.get(String(key));
    if (storage === undefined) throw refuse(`storage ${String(key)} belongs to no tensor; the file is damaged.`);
    const end = at + 8 + storage.elements * widths[storage.type];
    if (end > bytes.length) throw refuse(`storage ${String(key)} should end at byte ${end}, but the file ends at ${bytes.length}: it is truncated.`);
    const elements = Number(view.getBigUint64(at, true));
    if (elements !== storage.elements) {
      throw refuse(`storage ${String(key)} has ${elements} values where ${storage.elements} were announced; the file is damaged.`);
    }
    storages.set(String(key), new FileStorage(storage.type, elements, bytes.subarray(at + 8, end)));
    at = end;
  }
  if (at !== bytes.length) throw refuse(`its storages end at byte ${at}, but the file has ${bytes.length}: it has bytes after its end.`);
  return storages;
}

interface StorageId {
  readonly type: StoredType;
  readonly key: string;
  readonly elements: number;
}

function unpickle(
  bytes: Uint8Array, fileBytes: number, refuse: Refuse, storageOf: (id: StorageId) => FileStorage, start = 0, make = true,
): { value: unknown; end: number } {
  const budget = { elements: 8 * fileBytes + 2 ** 20 };
  const rebuild = (given: readonly unknown[]): Tensor => rebuildTensor(given, budget, make, refuse);
  const names: PickleNames = new Map([
    ["collections.OrderedDict", null], ["torch._utils._rebuild_tensor", rebuild], ["torch._utils._rebuild_tensor_v2", rebuild],
    ["torch._utils._rebuild_parameter", rebuildParameter(refuse)], ...[...storageTypes.keys()].map((name) => [name, null] as const),
  ]);
  return new Unpickler(bytes, { names, refuse, persistent: (id) => storageOf(storageId(id, refuse)) }, start).read();
}

/** ("storage", torch.FloatStorage, key, location, elements), in the older form with a view's description behind. */
function storageId(id: unknown, refuse: Refuse): StorageId {
  const [kind, name, key, , elements, view = null]: unknown[] = Array.isArray(id) ? id : [];
  const type = name instanceof PickledName ? storageTypes.get(name.name) : undefined;
  if (kind !== "storage" || type === undefined || typeof key !== "string" || !isCount(elements)) {
    throw refuse(`it refers to ${JSON.stringify(kind) ?? "nothing"} outside the pickle; expected a storage with its type, key and length.`);
  }
  if (view !== null) throw refuse(`storage ${key} is a window on another one, a form that PyTorch gave up; save the file with a newer PyTorch.`);
  return { type, key, elements };
}

function rebuildParameter(refuse: Refuse): (given: readonly unknown[]) => Tensor {
  return ([data]) => {
    if (data instanceof Tensor) return data;
    throw refuse("a parameter is made of something that is no tensor; the file is damaged.");
  };
}

/** (storage, offset, size, stride, …): a copy of the view's elements in order. */
function rebuildTensor(given: readonly unknown[], budget: { elements: number }, make: boolean, refuse: Refuse): Tensor {
  const [storage, offset, size, stride] = given;
  if (!(storage instanceof FileStorage) || !isCount(offset) || !isCounts(size) || !isCounts(stride) || size.length !== stride.length) {
    throw refuse("a tensor is described by something other than a storage, an offset, a size and a stride; the file is damaged.");
  }
  const elements = size.reduce((product, n) => product * n, 1), shape = `[${size.join(", ")}]`;
  const last = elements === 0 ? offset - 1 : size.reduce((at, n, d) => at + (n - 1) * (stride[d] ?? 0), offset);
  if (!Number.isSafeInteger(last) || last >= storage.elements) {
    throw refuse(`a tensor of shape ${shape} reaches element ${last} of a storage of ${storage.elements}; the file is damaged.`);
  }
  budget.elements -= elements;
  if (!(budget.elements >= 0)) {
    throw refuse(
      `the tensors up to one of shape ${shape} would take far more memory than the file has; it repeats its values (expand): save clones.`,
    );
  }
  if (!make) return tensor([]);
  const width = widths[storage.type], ordered = inOrder(size, stride);
  const packed = ordered ? storage.bytes.subarray(offset * width, (offset + elements) * width) : gathered(storage, offset, size, stride, elements);
  const stored = { name: `a tensor of shape ${shape}`, type: storage.type, width, elements };
  const { data, dtype } = readValues(new DataView(packed.buffer, packed.byteOffset, packed.byteLength), 0, stored, refuse);
  return tensor(data, { shape: size, dtype });
}

function inOrder(size: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let d = size.length - 1; d >= 0; d--) {
    const n = size[d] ?? 0;
    if (n !== 1 && stride[d] !== expected) return false;
    expected *= n;
  }
  return true;
}

function gathered({ type, bytes }: FileStorage, offset: number, size: readonly number[], stride: readonly number[], elements: number): Uint8Array {
  const width = widths[type], packed = new Uint8Array(elements * width), index = size.map(() => 0);
  for (let i = 0, at = offset; i < elements; i++) {
    packed.set(bytes.subarray(at * width, (at + 1) * width), i * width);
    for (let d = size.length - 1; d >= 0; d--) {
      const next = (index[d] ?? 0) + 1, step = stride[d] ?? 0;
      if (next < (size[d] ?? 0)) {
        index[d] = next;
        at += step;
        break;
      }
      index[d] = 0;
      at -= (next - 1) * step;
    }
  }
  return packed;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

/** Refuses what is left of the machinery in a result: names, storages, numbers that JavaScript cannot hold. */
function checkedValue(value: unknown, refuse: Refuse): PyTorchValue {
  const waiting: unknown[] = [value], seen = new Set<unknown>();
  while (waiting.length > 0) {
    const item = waiting.pop();
    if (item instanceof PickledName) throw refuse(`it holds Python's ${item.name} itself; only tensors and containers are loaded.`);
    if (item instanceof FileStorage) throw refuse("it holds a storage without a tensor; only tensors and containers are loaded.");
    if (typeof item === "bigint") throw refuse(`it holds the whole number ${item}, which JavaScript's numbers cannot hold exactly.`);
    if (typeof item !== "object" || item === null || item instanceof Tensor || seen.has(item)) continue;
    seen.add(item);
    for (const inner of Array.isArray(item) ? item : Object.values(item)) waiting.push(inner);
  }
  return value as PyTorchValue; // every leaf was looked at
}

/** The tensors of a file that is a state dict; a checkpoint that holds one among other things is refused with the names it has. */
export function stateDictOf(value: PyTorchValue, source: string): Record<string, Tensor> {
  if (typeof value !== "object" || value === null || value instanceof Tensor || Array.isArray(value)) {
    throw new PyTorchFileError(`${source}: expected a state dict, a dictionary of tensors; use loadPyTorch for other values.`);
  }
  const entries = Object.entries(value), other = entries.find(([, item]) => !(item instanceof Tensor));
  if (other !== undefined) {
    const names = entries.slice(0, 8).map(([name]) => JSON.stringify(name)).join(", ");
    throw new PyTorchFileError(
      `${source}: ${JSON.stringify(other[0])} is no tensor, so this is no state dict but a checkpoint with ${names}` +
        `${entries.length > 8 ? " …" : ""}; read it with loadPyTorch and take its state dict out.`,
    );
  }
  return Object.fromEntries(entries.filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor));
}
