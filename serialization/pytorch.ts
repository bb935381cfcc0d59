// PyTorch's own files: what torch.save writes, in the zip form (since 1.6) and the form before it. Tensors and containers are read; a file
// that asks for anything else is refused by the name it asks for, and nothing in it is ever run.
import { AthanorError } from "../kernels/errors.js";
import type { Device } from "../kernels/types.js";
import { Signature, taking } from "../engine/arguments.js";
import { shown } from "../engine/spelling.js";
import { aString, someBytes } from "../engine/kinds.js";
import { Unpickler } from "./pickle.js";
import { PickledName, finished } from "./pickleValues.js";
import { type DescribedTensor, type FileStorage, buildAttributes, insteadOf, isCount, knownNames, lastElement, storageTypes } from "./pytorchNames.js";
import { type Reading, bytesAt, readNow } from "./byteReading.js";
import { type StoredType, widths } from "./safetensorsHeader.js";
import { type HostValues, readTensors, readValues } from "./storedValues.js";
import { Tensor } from "../engine/tensor/tensor.js";
import { looksLikeZip, readZip } from "./zip.js";

/** A PyTorch file that is damaged, or asks for more than tensors and containers. */
export class PyTorchFileError extends AthanorError {
  override name = "PyTorchFileError";
}

/** What a file may hold. Dictionaries become records (a whole number as key becomes its text), those with other keys (None, tuples, both 1 and "1")
 *  Maps; lists and tuples arrays, bytes Uint8Array, whole numbers past 2⁵³ bigint; a dtype or a device is its text ("torch.float32"). */
export type PyTorchValue =
  | Tensor | number | bigint | string | boolean | null | Uint8Array | PyTorchValue[] | Map<PyTorchValue, PyTorchValue> | Set<PyTorchValue>
  | { [key: string]: PyTorchValue };

type Refuse = (sentence: string) => PyTorchFileError;

/** Memory in the file, and how to get at it. */
class ReadableStorage implements FileStorage {
  constructor(readonly type: StoredType, readonly elements: number, readonly read: (start: number, length: number) => Reading<Uint8Array>) {}
}
function isStorage(value: unknown): value is ReadableStorage {
  return typeof value === "object" && value !== null && "read" in value && "elements" in value;
}

/** How a file written before PyTorch 1.6 begins: a pickle of the number 0x1950a86a20f9469cfc6c, by protocol 1 as text, by later ones as bytes. */
const legacyMagic = 0x1950a86a20f9469cfc6cn, legacyProtocol = 1001;
const magicText = new TextEncoder().encode(`L${legacyMagic}L\n.`), magicBytes = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/** So many of a file's first bytes tell what it is. */
export const telltaleBytes = 32;

function isLegacy(bytes: Uint8Array): boolean {
  if (magicText.every((byte, i) => bytes[i] === byte)) return true;
  if (bytes[0] !== 0x80 || Number(bytes[1]) < 2 || Number(bytes[1]) > 5) return false;
  const start = bytes[2] === 0x95 ? 11 : 2; // from protocol 4 on in a frame
  return magicBytes.every((byte, i) => bytes[start + i] === byte);
}

/** Whether these bytes begin as torch.save's files do: as a zip file, or with the magic number of the older form. */
export function looksLikePyTorch(bytes: Uint8Array): boolean {
  return looksLikeZip(bytes) || isLegacy(bytes);
}

/** Reads what torch.save wrote: a state dict as a record of tensors, or a checkpoint with numbers, strings and further containers in it. F16,
 *  BF16 and F64 become float32, integers int32 (refused where a value does not fit), uint8 and bool stay. `source` names the file in errors. */
export const decodePyTorch = taking(new Signature("decodePyTorch", [["bytes", someBytes], ["source", aString, "PyTorch file"]]), (bytes, source): PyTorchValue =>
  readNow(readPyTorch(bytes.length, source), bytes),
);

/** Reads a file of so many bytes; its tensors are made on the device or the CPU. */
export function* readPyTorch(fileBytes: number, source: string, device?: Device): Reading<PyTorchValue> {
  const refuse: Refuse = (sentence) => new PyTorchFileError(`${source}: ${sentence}`);
  const first = yield* bytesAt(0, Math.min(telltaleBytes, fileBytes));
  if (looksLikeZip(first)) return yield* readZipForm(fileBytes, device, refuse);
  if (isLegacy(first)) return yield* readLegacyForm(fileBytes, device, refuse);
  throw refuse("it does not begin as a file of torch.save (a zip file, or the older form's magic number); it is truncated or no such file.");
}

function* readZipForm(fileBytes: number, device: Device | undefined, refuse: Refuse): Reading<PyTorchValue> {
  const entries = yield* readZip(fileBytes, refuse);
  const found = [...entries.values()].filter(({ name }) => name === "data.pkl" || name.endsWith("/data.pkl"));
  const [pickle] = found;
  if (pickle === undefined || found.length > 1) {
    throw refuse(`this zip file holds ${found.length} entries called data.pkl, and torch.save writes one; it is no PyTorch file.`);
  }
  const folder = pickle.name.slice(0, -"data.pkl".length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw refuse("it is a TorchScript file (torch.jit.save), a program with its weights; expected weights alone: in Python torch.save(model.state_dict(), path).");
  }
  const order = entries.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(yield* order.read(0, order.size)) !== "little") {
    throw refuse("it was written on a big-endian machine; save it on a little-endian one.");
  }
  const storages = new Map<string, ReadableStorage>();
  const unpacked = [...entries.values()].reduce((sum, { size }) => sum + size, 0);
  const described = unpickle(yield* pickle.read(0, pickle.size), unpacked, refuse, ({ type, key, elements }) => {
    const data = entries.get(`${folder}data/${key}`);
    if (data === undefined) throw refuse(`a tensor lies in the entry ${folder}data/${key}, which is not in the file; it is damaged.`);
    if (data.size !== elements * widths[type]) {
      throw refuse(`the entry ${folder}data/${key} has ${data.size} bytes; ${elements} values of ${type} take ${elements * widths[type]}.`);
    }
    return shared(storages, key, new ReadableStorage(type, elements, data.read), refuse);
  });
  return yield* withTensors(described, device, refuse);
}

/** The storage of this key; a second mention must have the same type and length. */
function shared(storages: Map<string, ReadableStorage>, key: string, storage: ReadableStorage, refuse: Refuse): ReadableStorage {
  const known = storages.get(key) ?? storage;
  if (known.type !== storage.type || known.elements !== storage.elements) {
    throw refuse(`storage ${key} is used as ${known.type} and as ${storage.type}, with ${known.elements} and ${storage.elements} values.`);
  }
  storages.set(key, known);
  return known;
}

interface Described {
  readonly value: unknown;
  readonly tensors: readonly DescribedTensor[];
  /** Where in the bytes the pickle ends. */
  readonly end: number;
}

/** Magic number, protocol and machine, the object, the keys of its storages, then each storage: a count of 8 bytes and the values. */
function* readLegacyForm(fileBytes: number, device: Device | undefined, refuse: Refuse): Reading<PyTorchValue> {
  const { described, keys, end } = yield* readDescription(fileBytes, refuse);
  if (!Array.isArray(keys)) throw refuse("the list of its storages is no list; the file is damaged.");
  const places = new Map<string, number>();
  let at = end;
  for (const key of keys) {
    const storage = typeof key === "string" ? described.storages.get(key) : undefined;
    if (storage === undefined) throw refuse(`storage ${shown(key)} belongs to no tensor; the file is damaged.`);
    const next = at + 8 + storage.elements * widths[storage.type];
    if (next > fileBytes) throw refuse(`storage ${String(key)} should end at byte ${next}, but the file ends at ${fileBytes}: it is truncated.`);
    const count = yield* bytesAt(at, 8);
    const elements = Number(new DataView(count.buffer, count.byteOffset).getBigUint64(0, true));
    if (elements !== storage.elements) {
      throw refuse(`storage ${String(key)} has ${elements} values where ${storage.elements} were announced; the file is damaged.`);
    }
    places.set(String(key), at + 8);
    at = next;
  }
  if (at !== fileBytes) throw refuse(`its storages end at byte ${at}, but the file has ${fileBytes}: it has bytes after its end.`);
  described.placed(places);
  return yield* withTensors(described, device, refuse);
}

interface LegacyDescription extends Described {
  readonly storages: ReadonlyMap<string, ReadableStorage>;
  /** Tells the storages where their values start. */
  readonly placed: (starts: ReadonlyMap<string, number>) => void;
}

/** The pickles at the file's start, whose length nothing tells: from a window that grows until they fit. */
function* readDescription(fileBytes: number, refuse: Refuse): Reading<{ described: LegacyDescription; keys: unknown; end: number }> {
  for (let length = 2 ** 20; ; length *= 4) {
    const bytes = yield* bytesAt(0, Math.min(length, fileBytes));
    try {
      return description(bytes, fileBytes, refuse);
    } catch (error) {
      if (!(error instanceof PickleEnded) || bytes.length === fileBytes) throw error;
    }
  }
}

function description(bytes: Uint8Array, fileBytes: number, refuse: Refuse): { described: LegacyDescription; keys: unknown; end: number } {
  const none = (): never => {
    throw refuse("a tensor stands where the file's own description should be; it is damaged.");
  };
  const magic = unpickle(bytes, fileBytes, refuse, none);
  const protocol = unpickle(bytes, fileBytes, refuse, none, magic.end);
  if (magic.value !== legacyMagic || protocol.value !== legacyProtocol) {
    throw refuse(`its protocol is ${shown(protocol.value)}; expected ${legacyProtocol}.`);
  }
  const machine = unpickle(bytes, fileBytes, refuse, none, protocol.end), about = finished(machine.value, (value) => value, refuse);
  if (typeof about === "object" && about !== null && "little_endian" in about && about.little_endian !== true) {
    throw refuse("it was written on a big-endian machine; save it on a little-endian one.");
  }
  const storages = new Map<string, ReadableStorage>();
  let starts: ReadonlyMap<string, number> = new Map();
  const object = unpickle(bytes, fileBytes, refuse, ({ type, key, elements }) => {
    const read = (first: number, length: number): Reading<Uint8Array> => {
      const start = starts.get(key);
      if (start === undefined) throw refuse(`a tensor lies in storage ${key}, which is not in the file; it is damaged.`);
      return bytesAt(start + first, length);
    };
    return shared(storages, key, new ReadableStorage(type, elements, read), refuse);
  }, machine.end);
  const keys = unpickle(bytes, fileBytes, refuse, none, object.end);
  return { described: { ...object, storages, placed: (found) => void (starts = found) }, keys: keys.value, end: keys.end };
}

interface StorageId {
  readonly type: StoredType;
  readonly key: string;
  readonly elements: number;
}

/** The bytes end inside the pickle. */
class PickleEnded extends PyTorchFileError {}

function unpickle(bytes: Uint8Array, fileBytes: number, refuse: Refuse, storageOf: (id: StorageId) => ReadableStorage, start = 0): Described {
  let budget = 8 * fileBytes + 2 ** 20;
  const tensors: DescribedTensor[] = [];
  const names = knownNames((made) => {
    budget -= made.elements;
    if (!(budget >= 0)) {
      throw refuse(
        `the tensors up to one of shape [${made.size.join(", ")}] would take far more memory than the file has; it repeats its values (expand): save clones.`,
      );
    }
    tensors.push(made);
  }, isStorage, refuse);
  const ended = (at: number) => new PickleEnded(refuse(`the pickle ends at byte ${at} in the middle of a value; the file is truncated or damaged.`).message);
  const reader = { names, refuse, insteadOf, ended, build: buildAttributes, persistent: (id: unknown) => storageOf(storageId(id, refuse)) };
  const { value, end } = new Unpickler(bytes, reader, start).read();
  return { value, tensors, end };
}

/** ("storage", torch.FloatStorage, key, location, elements), in the older form with a view's description behind. */
function storageId(id: unknown, refuse: Refuse): StorageId {
  const [kind, name, key, , elements, view = null]: unknown[] = Array.isArray(id) ? id : [];
  const type = name instanceof PickledName ? storageTypes.get(name.name) : undefined;
  if (kind !== "storage" || type === undefined || typeof key !== "string" || !isCount(elements)) {
    throw refuse(`it refers to ${kind === undefined ? "nothing" : shown(kind)} outside the pickle; expected a storage with its type, key and length.`);
  }
  if (view !== null) throw refuse(`storage ${key} is a window on another one, a form that PyTorch gave up; save the file with a newer PyTorch.`);
  return { type, key, elements };
}

/** The value with its tensors made; where one cannot be, or something else is left of the machinery, none stays. */
function* withTensors({ value, tensors }: Described, device: Device | undefined, refuse: Refuse): Reading<PyTorchValue> {
  const leaf = (item: unknown): unknown => {
    if (item instanceof PickledName) throw refuse(`it holds Python's ${item.name} itself; only tensors and containers are loaded.`);
    if (isStorage(item)) throw refuse("it holds a storage without a tensor; only tensors and containers are loaded.");
    return item;
  };
  finished(value, leaf, refuse); // before anything is made
  const unique = [...new Set(tensors)];
  const made = yield* readTensors(unique, device, ({ size }) => size, (one) => signed(one, readDescribed(one, refuse)));
  const byDescription = new Map<unknown, Tensor>(made.map((one, i) => [unique[i], one]));
  return finished(value, (item) => byDescription.get(item) ?? item, refuse) as PyTorchValue; // every leaf was looked at
}

function* signed({ negated }: DescribedTensor, reading: Reading<HostValues>): Reading<HostValues> {
  const { data, dtype } = yield* reading;
  return { data: negated ? data.map((value) => -value) : data, dtype };
}

/** A view's elements in order. */
function* readDescribed(described: DescribedTensor, refuse: Refuse): Reading<HostValues> {
  const { storage, offset, size, stride, elements } = described;
  if (!(isStorage(storage))) throw refuse("a tensor has no storage; the file is damaged.");
  const { type } = storage, width = widths[type], stored = { name: `a tensor of shape [${size.join(", ")}]`, type, width, elements };
  if (elements === 0) return readNow(readValues(0, stored, refuse), new Uint8Array(0));
  if (inOrder(size, stride)) return yield* through(readValues(offset * width, stored, refuse), storage.read);
  const part = yield* storage.read(offset * width, (lastElement(described) + 1 - offset) * width);
  return readNow(readValues(0, stored, refuse), gathered(part, width, size, stride, elements));
}

/** A reading of an entry's bytes, as a reading of the file's. */
function* through<T>(reading: Reading<T>, read: (start: number, length: number) => Reading<Uint8Array>): Reading<T> {
  let step = reading.next();
  while (step.done !== true) step = reading.next(yield* read(step.value.start, step.value.length));
  return step.value;
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

/** The elements of a view, whose first is the first of these bytes. */
function gathered(bytes: Uint8Array, width: number, size: readonly number[], stride: readonly number[], elements: number): Uint8Array {
  const packed = new Uint8Array(elements * width), index = size.map(() => 0);
  for (let i = 0, at = 0; i < elements; i++) {
    for (let k = 0; k < width; k++) packed[i * width + k] = bytes[at * width + k] ?? 0;
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

/** The tensors of a file that is a state dict; a checkpoint that holds one among other things is refused with the names it has. */
export function stateDictOf(value: PyTorchValue, source: string): Record<string, Tensor> {
  if (!isRecord(value)) {
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

function isRecord(value: PyTorchValue): value is { [key: string]: PyTorchValue } {
  return typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));
}
