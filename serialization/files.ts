// save and load: tensors to a safetensors file or one of PyTorch's, and back. A file is written whole or not at all, holds what was there at the call,
// and may be of any size.
import { ArgumentError } from "../kernels/errors.js";
import { type FileContent, type FilePath, checkedPath, withFile, writeFileAtomically } from "./atomicFile.js";
import { type Given, Signature } from "../engine/arguments.js";
import { type DeviceTarget, resolveDevice } from "../engine/device.js";
import { collectIfNeeded } from "../engine/memory.js";
import { looksLikePyTorch, type PyTorchValue, readPyTorch, stateDictOf, telltaleBytes } from "./pytorch.js";
import { pytorchParts } from "./pytorchWriter.js";
import { readFrom } from "./byteReading.js";
import { readSafetensors, safetensorsParts, type SafetensorsContents } from "./safetensors.js";
import { type Kind, aDevice, kind } from "../engine/kinds.js";
import { isPlainObject, shown } from "../engine/spelling.js";
import { snapshot } from "./snapshot.js";
import { Tensor } from "../engine/tensor/tensor.js";

export { writeFileAtomically } from "./atomicFile.js";
export type { FilePath } from "./atomicFile.js";

/** Tensors by name, or a module that gives them. */
export type Saveable = Readonly<Record<string, Tensor>> | { stateDict(): Record<string, Tensor> };

/** What one of PyTorch's files can hold: tensors, numbers, texts, and lists, Maps, Sets and plain objects of them at any depth; whatever has a
 *  stateDict() is written as that. Other objects are refused when they are met. */
export type SaveableValue = number | bigint | string | boolean | null | object;

export interface LoadOptions {
  /** Where the tensors go (the CPU). */
  readonly device?: DeviceTarget;
}

/** A name of PyTorch's own files. */
const pytorchEnding = /\.(pt|pth|ckpt)(\.tar)?$/i;
/** Names of formats that are not written here. */
const foreignEnding = /\.(onnx|npz|npy|h5|hdf5|keras|pkl|pickle|gguf|pb|tflite)$/i;

/** Writes a state dict, or a module's, as safetensors; under a name that ends in .pt, .pth or .ckpt whatever PyTorch's own files can hold, in the
 *  form that torch.load reads. The file has the values of the moment of the call, whether it is awaited or not; several saves of one path follow
 *  one another. A crash at any moment leaves the old file as it was. PyTorch's order of arguments is understood too: save(model.stateDict(), path). */
export async function save(path: FilePath, what: SaveableValue, metadata?: Readonly<Record<string, string>>): Promise<void>;
export async function save(what: SaveableValue, path: FilePath, metadata?: Readonly<Record<string, string>>): Promise<void>;
export async function save(first: unknown, second: unknown, metadata: Readonly<Record<string, string>> = {}, ...surplus: unknown[]): Promise<void> {
  if (surplus.length > 0 || !isPlainObject(metadata)) {
    throw new ArgumentError(`save: got ${[metadata, ...surplus].map(shown).join(", ")} behind what is saved; expected save(path, what, { name: text }).`);
  }
  const isSwapped = !isPath(first) && isPath(second);
  const path = checkedPath("save", isSwapped ? second : first), what = isSwapped ? first : second;
  await writeFileAtomically(path, contentOf(path, what, metadata));
}

function isPath(value: unknown): boolean {
  return typeof value === "string" || value instanceof URL;
}

/** What is to be written, read from the tensors now. */
function contentOf(path: string, what: unknown, metadata: Readonly<Record<string, string>>): Promise<FileContent> {
  const [, foreign] = foreignEnding.exec(path) ?? [];
  if (foreign !== undefined) {
    throw new ArgumentError(`save: got the name ${path}; .${foreign} files are not written here. Expected .safetensors, or .pt or .pth for PyTorch's form.`);
  }
  if (!pytorchEnding.test(path)) {
    const tensors = checkedTensors(hasStateDict(what) ? what.stateDict() : what);
    return snapshot(tensors).then((kept) => safetensorsParts(kept, metadata));
  }
  if (Object.keys(metadata).length > 0) {
    throw new ArgumentError(`save: got metadata for ${path}; PyTorch's files have no place for it. Save { model, ...metadata }, or as .safetensors.`);
  }
  if (what === undefined || what instanceof Promise) throw new ArgumentError(`save: got ${kindOf(what)}; expected what is to be saved${what === undefined ? "." : ", awaited."}`);
  return pytorchParts(what);
}

const aPath: Kind<FilePath> = kind('a file\'s name, such as "model.safetensors", or a file: URL', (value) => typeof value === "string" || value instanceof URL);
const source = [["path", aPath], ["device", aDevice, null]] as const;
type LoadCall = Given<typeof source>;
const loading = (callee: string) => new Signature(callee, source);

/** Reads the tensors of a safetensors file, or of a state dict that torch.save wrote (.pt, .pth), which its first bytes tell apart:
 *  `model.loadStateDict(await load(path))`. */
export async function load(...given: LoadCall): Promise<Record<string, Tensor>> {
  const [path, device] = loading("load").read(given);
  return (await loadWithMetadata(path, device)).tensors;
}

/** Reads the tensors and the text that was saved beside them. All or nothing: where a value cannot be read, no tensor stays. */
export async function loadWithMetadata(...given: LoadCall): Promise<SafetensorsContents> {
  const [path, device] = loading("loadWithMetadata").read(given);
  return withTensorFile(path, (read) => read(), device === null ? {} : { device });
}

/** @internal Opens a file whose tensors are read some at a time: those whose names are wanted, all of them by default. */
export async function withTensorFile<T>(
  path: FilePath, use: (read: (wanted?: (name: string) => boolean) => Promise<SafetensorsContents>) => Promise<T>, options: LoadOptions = {},
): Promise<T> {
  const device = resolveDevice(options.device), file = checkedPath("load", path);
  await collectIfNeeded(); // what was dropped makes room for what is loaded
  return withFile(file, async (source) => {
    const first = await source.read({ start: 0, length: Math.min(telltaleBytes, source.size) });
    return use(async (wanted) => {
      if (!looksLikePyTorch(first)) return readFrom(readSafetensors(source.size, file, { device, wanted }), source);
      return { tensors: stateDictOf(await readFrom(readPyTorch(source.size, file, device), source), file), metadata: {} };
    });
  });
}

/** Reads whatever torch.save wrote of tensors, containers, numbers and strings: a checkpoint as the record that it was. */
export async function loadPyTorch(...given: LoadCall): Promise<PyTorchValue> {
  const [path, target] = loading("loadPyTorch").read(given), device = resolveDevice(target ?? undefined), file = checkedPath("load", path);
  await collectIfNeeded();
  return withFile(file, (source) => readFrom(readPyTorch(source.size, file, device), source));
}

/** Refuses what would be written as an empty file (a tensor by itself, a Map) or cannot be written. */
function checkedTensors(tensors: unknown): Readonly<Record<string, Tensor>> {
  const expected =
    "expected tensors by name, as stateDict() gives them. Numbers and texts go into the third argument, an optimizer's state through optim.packState, " +
    "whole trainings into a Checkpoint; a file whose name ends in .pt takes them all.";
  if (typeof tensors !== "object" || tensors === null || tensors instanceof Tensor || tensors instanceof Map || Array.isArray(tensors)) {
    throw new ArgumentError(`save: got ${kindOf(tensors)}; ${expected}`);
  }
  const odd = Object.entries(tensors).find(([, value]) => !(value instanceof Tensor));
  if (odd) throw new ArgumentError(`save: got ${kindOf(odd[1])} under ${JSON.stringify(odd[0])}; ${expected}`);
  return tensors as Readonly<Record<string, Tensor>>; // each was looked at
}
function kindOf(value: unknown): string {
  return typeof value === "object" && value !== null ? `a ${value.constructor?.name ?? "object"}` : String(value);
}

function hasStateDict(what: unknown): what is { stateDict(): unknown } {
  return (typeof what === "object" || typeof what === "function") && what !== null && "stateDict" in what && typeof what.stateDict === "function";
}
