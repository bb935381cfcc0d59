// save and load: tensors to a safetensors file and back, and from PyTorch's files. A file is either wholly written or not at all. Node's modules
// are loaded when a function is called, so that a browser bundle takes this file as it is.
import { ArgumentError, AthanorError } from "../kernels/errors.js";
import { type DeviceTarget, resolveDevice } from "./device.js";
import { importNode, isNode } from "./platform.js";
import { decodePyTorch, looksLikePyTorch, type PyTorchValue, stateDictOf } from "./pytorch.js";
import { decodeSafetensors, encodeSafetensors, type SafetensorsContents } from "./safetensors.js";
import { Tensor } from "./tensor/tensor.js";

/** Tensors by name, or a module that gives them. */
export type Saveable = Readonly<Record<string, Tensor>> | { stateDict(): Record<string, Tensor> };

export interface LoadOptions {
  /** Where the tensors go (the CPU). */
  readonly device?: DeviceTarget;
}

/** Writes a state dict, or a module's, as safetensors. A crash at any moment leaves the old file as it was. */
export async function save(path: string, what: Saveable, metadata: Readonly<Record<string, string>> = {}): Promise<void> {
  const tensors = isModule(what) ? what.stateDict() : what;
  checkTensors(tensors);
  await writeFileAtomically(path, await encodeSafetensors(tensors, metadata));
}

/** Reads the tensors of a safetensors file, or of a state dict that torch.save wrote (.pt, .pth), which its first bytes tell apart:
 *  `model.loadStateDict(await load(path))`. */
export async function load(path: string, options: LoadOptions = {}): Promise<Record<string, Tensor>> {
  return (await loadWithMetadata(path, options)).tensors;
}

/** Reads the tensors and the text that was saved beside them. */
export async function loadWithMetadata(path: string, options: LoadOptions = {}): Promise<SafetensorsContents> {
  const device = resolveDevice(options.device);
  const bytes = await readFileBytes(path);
  const { tensors, metadata } = decodeAny(bytes, path);
  return { tensors: Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, value.to(device)])), metadata };
}

/** Refuses what would be written as an empty file (a tensor by itself, a Map) or cannot be written. */
function checkTensors(tensors: unknown): void {
  const expected = "expected tensors by name, as stateDict() gives them; numbers and texts go into the third argument, whole trainings into a Checkpoint.";
  if (typeof tensors !== "object" || tensors === null || tensors instanceof Tensor || tensors instanceof Map) {
    throw new ArgumentError(`save: got ${kindOf(tensors)}; ${expected}`);
  }
  const odd = Object.entries(tensors).find(([, value]) => !(value instanceof Tensor));
  if (odd) throw new ArgumentError(`save: got ${kindOf(odd[1])} under ${JSON.stringify(odd[0])}; ${expected}`);
}
function kindOf(value: unknown): string {
  return typeof value === "object" && value !== null ? `a ${value.constructor?.name ?? "object"}` : String(value);
}

function decodeAny(bytes: Uint8Array, path: string): SafetensorsContents {
  return looksLikePyTorch(bytes) ? { tensors: stateDictOf(decodePyTorch(bytes, path), path), metadata: {} } : decodeSafetensors(bytes, path);
}

/** Reads whatever torch.save wrote of tensors, containers, numbers and strings: a checkpoint as the record that it was. */
export async function loadPyTorch(path: string): Promise<PyTorchValue> {
  return decodePyTorch(await readFileBytes(path), path);
}

function isModule(what: Saveable): what is { stateDict(): Record<string, Tensor> } {
  return (typeof what === "object" || typeof what === "function") && what !== null && "stateDict" in what && typeof what.stateDict === "function";
}

let writes = 0;

/** Writes beside the target, waits until the bytes are on the disk, then puts the new file in the old one's place in one step. */
export async function writeFileAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const { open, rename, rm } = await fileSystem();
  const temporary = `${path}.${process.pid}-${writes++}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to report
    throw new AthanorError(
      `${path}: cannot be written (${error instanceof Error ? error.message : String(error)}); an older file of that name is as it was.`,
    );
  }
}

async function readFileBytes(path: string): Promise<Uint8Array> {
  const { readFile } = await fileSystem();
  try {
    return await readFile(path);
  } catch (error) {
    throw new ArgumentError(`load: ${path} cannot be read (${error instanceof Error ? error.message : String(error)}).`);
  }
}

async function fileSystem(): Promise<typeof import("node:fs/promises")> {
  if (!isNode) {
    throw new AthanorError(
      "save and load need Node's file system; in a browser use encodeSafetensors and decodeSafetensors with fetch or a download.",
    );
  }
  return importNode<typeof import("node:fs/promises")>("fs/promises");
}
