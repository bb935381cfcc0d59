// The names of Python that a file of torch.save may use, as torch.load(weights_only=True) has them: tensors, containers, sizes, dtypes, numpy's scalars.
import { numel } from "../kernels/shape.js";
import type { AthanorError } from "../kernels/errors.js";
import type { KnownName } from "./pickle.js";
import { shown } from "../engine/spelling.js";
import { PickledDictionary, PickledName, PickledSet } from "./pickleValues.js";
import type { StoredType } from "./safetensorsHeader.js";
import { widths } from "./safetensorsHeader.js";
import { halfToNumber } from "./storedValues.js";

type Refuse = (sentence: string) => AthanorError;

export const storageTypes: ReadonlyMap<string, StoredType> = new Map([
  ["torch.FloatStorage", "F32"], ["torch.DoubleStorage", "F64"], ["torch.HalfStorage", "F16"], ["torch.BFloat16Storage", "BF16"],
  ["torch.LongStorage", "I64"], ["torch.IntStorage", "I32"], ["torch.ShortStorage", "I16"], ["torch.CharStorage", "I8"],
  ["torch.ByteStorage", "U8"], ["torch.BoolStorage", "BOOL"], ["torch.storage.UntypedStorage", "U8"], ["torch.storage._UntypedStorage", "U8"],
]);
/** dtypes that have no storage of their own: their tensors say which they are. */
const laterTypes: ReadonlyMap<unknown, StoredType> = new Map([["torch.uint16", "U16"], ["torch.uint32", "U32"], ["torch.uint64", "U64"]]);
const dtypeNames = [
  "float32", "float64", "float16", "bfloat16", "complex32", "complex64", "complex128", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
  "uint64", "bool", "float8_e4m3fn", "float8_e5m2", "quint8", "qint8", "qint32",
];

/** Some memory in the file that tensors are views on. */
export interface FileStorage {
  readonly type: StoredType;
  readonly elements: number;
}

/** A tensor as the pickle describes it; its values are read when the whole pickle is. */
export class DescribedTensor {
  /** The values are the stored ones with the other sign: the imaginary part of a conjugate. */
  negated = false;
  constructor(readonly storage: FileStorage, readonly offset: number, readonly size: readonly number[], readonly stride: readonly number[]) {}
  get elements(): number {
    return numel(this.size);
  }
}

/** numpy's dtype of a scalar: kind and width, and the order of its bytes once it was told. */
class NumpyType {
  isLittle = true;
  constructor(readonly kind: string, readonly width: number) {}
}

/** The names, and what makes tensors of them; `isStorage` tells the caller's storages. */
export function knownNames(described: (tensor: DescribedTensor) => void, isStorage: (value: unknown) => value is FileStorage, refuse: Refuse): ReadonlyMap<string, KnownName> {
  const rebuild = (given: readonly unknown[]): DescribedTensor => {
    const made = describedTensor(given, isStorage, refuse), [, , , , , , bits] = given;
    if (bits instanceof PickledDictionary) made.negated = bits.entries.some(([name, set]) => name === "neg" && set === true);
    described(made);
    return made;
  };
  const rebuildLater = ([storage, offset, size, stride, , , dtype]: readonly unknown[]): DescribedTensor => {
    const type = laterTypes.get(dtype);
    if (type === undefined || !isStorage(storage)) throw refuse(`it holds a tensor of ${shown(dtype)}, which cannot be read; save it as float32.`);
    return rebuild([{ ...storage, type, elements: Math.floor(storage.elements / widths[type]) }, offset, size, stride]);
  };
  const parameter = ([data]: readonly unknown[]): DescribedTensor => {
    if (data instanceof DescribedTensor) return data;
    throw refuse("a parameter is made of something that is no tensor; the file is damaged.");
  };
  const calls: Record<string, KnownName["call"]> = {
    "torch._utils._rebuild_tensor": rebuild, "torch._utils._rebuild_tensor_v2": rebuild, "torch._utils._rebuild_tensor_v3": rebuildLater,
    "torch._utils._rebuild_parameter": parameter, "torch._utils._rebuild_parameter_with_state": parameter, "torch.nn.parameter.Parameter": parameter,
    "torch._tensor._rebuild_from_type_v2": ([make, , given]) => {
      const call = make instanceof PickledName ? names.get(make.name)?.call : undefined;
      if (call === undefined || !Array.isArray(given)) throw refuse("a tensor is made by something that makes no tensors; the file is damaged.");
      return call(given);
    },
    ...containerCalls(refuse), ...numpyCalls(refuse),
  };
  const mentioned = ["torch.Tensor", "builtins.list", "builtins.dict", "builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.tuple"];
  const names: ReadonlyMap<string, KnownName> = new Map<string, KnownName>([
    ...Object.entries(calls).map(([name, call]) => [name, call === undefined ? {} : { call }] as const),
    ...dtypeNames.map((name) => [`torch.${name}`, { value: `torch.${name}` }] as const),
    ...[...storageTypes.keys(), ...mentioned].map((name) => [name, {}] as const),
  ]);
  return names;
}

/** What a REDUCE of Python's own containers makes. */
function containerCalls(refuse: Refuse): Record<string, KnownName["call"]> {
  const ordered = ([pairs = [], ...more]: readonly unknown[]): PickledDictionary => {
    const made = new PickledDictionary(), isPair = (pair: unknown): pair is [unknown, unknown] => Array.isArray(pair) && pair.length === 2;
    if (pairs instanceof PickledDictionary && more.length === 0) for (const pair of pairs.entries) made.entries.push(pair);
    else if (more.length === 0 && Array.isArray(pairs) && pairs.every(isPair)) for (const pair of pairs) made.entries.push(pair);
    else throw refuse("an OrderedDict is made of something other than pairs; the file is damaged.");
    return made;
  };
  const set = ([items = []]: readonly unknown[]): PickledSet => {
    if (Array.isArray(items)) return new PickledSet([...items]);
    throw refuse("a set is made of something that is no list; the file is damaged.");
  };
  const bytes = ([content = ""]: readonly unknown[]): Uint8Array => {
    if (content instanceof Uint8Array) return content;
    // Protocols below 3 spell bytes as Latin-1: a character a byte.
    if (typeof content === "string") {
      const codes = Array.from(content, (sign) => sign.codePointAt(0) ?? 0);
      if (codes.every((code) => code < 256)) return Uint8Array.from(codes);
    }
    throw refuse("bytes are made of something that is no Latin-1 text; the file is damaged.");
  };
  const asText = (value: unknown): string => {
    if (typeof value === "string") return value;
    throw refuse(`a device or a layout is named by ${shown(value)}, which is no text; the file is damaged.`);
  };
  return {
    "collections.OrderedDict": ordered, "collections.Counter": ordered, "collections.defaultdict": () => new PickledDictionary(), "builtins.set": set, "builtins.frozenset": set,
    "_codecs.encode": bytes, "builtins.bytes": bytes, "builtins.bytearray": bytes,
    "builtins.complex": ([real, imaginary]) => {
      const made = new PickledDictionary();
      made.entries.push(["real", real], ["imaginary", imaginary]);
      return made;
    },
    "torch.Size": ([sizes = []]) => sizes,
    "torch.device": ([kind, index]) => (typeof index === "number" ? `${asText(kind)}:${index}` : asText(kind)),
    "torch.serialization._get_layout": ([name]) => asText(name),
  };
}

const cures: readonly (readonly [names: RegExp, cure: string])[] = [
  [/^torch\.Complex/, "There is no complex dtype here: in Python, save torch.view_as_real(x)."],
  [/^torch\._utils\._rebuild_sparse/, "It is a sparse tensor: in Python, save x.to_dense()."],
  [/^torch\.(_utils\._rebuild_qtensor|Q\w+Storage|per_)/, "It is a quantized tensor: in Python, save x.dequantize()."],
  [/^torch\._utils\._rebuild_meta/, "It is a tensor of the meta device, which has no values."],
  [/^numpy\./, "In Python, save torch.from_numpy(a), or a.tolist()."],
  [/^torch\.nn\.|^__main__\./, "Save model.state_dict() instead of the object."],
];
/** What to save instead of something of this name. */
export function insteadOf(name: string): string {
  return cures.find(([names]) => names.test(name))?.[1] ?? "Save model.state_dict() instead of the object, or what it holds as numbers, texts and lists.";
}

function numpyCalls(refuse: Refuse): Record<string, KnownName["call"]> {
  const scalar = ([type, content]: readonly unknown[]): number | bigint | boolean => {
    const bytes = typeof content === "string" ? Uint8Array.from(content, (sign) => sign.charCodeAt(0)) : content;
    if (!(type instanceof NumpyType) || !(bytes instanceof Uint8Array) || bytes.length !== type.width) {
      throw refuse("a numpy scalar is made of something other than a dtype and its bytes; the file is damaged.");
    }
    return scalarValue(type, bytes);
  };
  return {
    "numpy.core.multiarray.scalar": scalar, "numpy._core.multiarray.scalar": scalar,
    "numpy.dtype": ([name]) => {
      const [, kind = "", width = ""] = /^([fiub])([1248])$/.exec(String(name)) ?? [];
      if (kind === "") throw refuse(`it holds a numpy value of dtype ${shown(name)}; expected a number or a boolean.`);
      return new NumpyType(kind, Number(width));
    },
  };
}

function scalarValue({ kind, width, isLittle }: NumpyType, bytes: Uint8Array): number | bigint | boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === "b") return bytes[0] !== 0;
  if (kind === "f" && width === 2) return halfToNumber(view.getUint16(0, isLittle));
  if (kind === "f") return width === 4 ? view.getFloat32(0, isLittle) : view.getFloat64(0, isLittle);
  const unsigned = [...(isLittle ? bytes.toReversed() : bytes)].reduce((value, byte) => value * 256n + BigInt(byte), 0n);
  const value = kind === "i" ? BigInt.asIntN(8 * width, unsigned) : unsigned;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Attributes: a state dict's _metadata (versions of its layers), which nothing here needs, and the byte order of a numpy dtype. */
export function buildAttributes(target: unknown, state: unknown): boolean {
  if (target instanceof NumpyType) {
    const order = Array.isArray(state) ? state[1] : undefined;
    target.isLittle = order !== ">";
    return true;
  }
  return target instanceof PickledDictionary;
}

/** (storage, offset, size, stride, …) */
function describedTensor([storage, offset, size, stride]: readonly unknown[], isStorage: (value: unknown) => value is FileStorage, refuse: Refuse): DescribedTensor {
  if (!isStorage(storage) || !isCount(offset) || !isCounts(size) || !isCounts(stride) || size.length !== stride.length) {
    throw refuse("a tensor is described by something other than a storage, an offset, a size and a stride; the file is damaged.");
  }
  const made = new DescribedTensor(storage, offset, size, stride);
  const last = lastElement(made);
  if (!Number.isSafeInteger(last) || last >= storage.elements) {
    throw refuse(`a tensor of shape [${size.join(", ")}] reaches element ${last} of a storage of ${storage.elements}; the file is damaged.`);
  }
  return made;
}

/** Where in its storage a tensor's last element lies. */
export function lastElement({ elements, offset, size, stride }: DescribedTensor): number {
  return elements === 0 ? offset - 1 : size.reduce((at, n, d) => at + (n - 1) * (stride[d] ?? 0), offset);
}

export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}
