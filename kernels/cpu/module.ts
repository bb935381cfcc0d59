// The embedded WebAssembly: choosing the relaxed or the plain module, and fitting it to a shared or an unshared memory.
import { DeviceUnavailableError } from "../errors.js";
import { applyDifference } from "./difference.js";
import { kernelNames, plainModule, relaxedDifference } from "./generated/wasm.js";

export { kernelNames };

/** A kernel: works on the tasks [begin, end). */
export type KernelFunction = (...values: number[]) => void;

const kernelIndices: ReadonlyMap<string, number> = new Map(kernelNames.map((name, i) => [name, i]));

export function kernelIndex(name: string): number {
  const index = kernelIndices.get(name);
  if (index === undefined) throw new Error(`The WebAssembly module has no kernel "${name}"; rebuild it with "npm run build".`);
  return index;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** (func (param v128 v128 v128) (result v128) f32x4.relaxed_madd): a module that only engines with relaxed SIMD accept. */
const relaxedProbe = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 0xfd, 0x85, 2, 11,
]);

export function supportsRelaxedSimd(): boolean {
  return WebAssembly.validate(relaxedProbe);
}

/** Both modules import a shared memory. Without SharedArrayBuffer the import's flags (3: shared, with a maximum) become 1 (unshared). */
function unshare(bytes: Uint8Array<ArrayBuffer>): void {
  const wanted = [3, ...codes("env"), 6, ...codes("memory"), 2, 3];
  const at = bytes.findIndex((_, i) => wanted.every((byte, k) => bytes[i + k] === byte));
  if (at < 0) throw new Error("The embedded WebAssembly does not import env.memory as expected; rebuild it with scripts/build-wasm.mjs.");
  bytes[at + wanted.length - 1] = 1;
}
function codes(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function moduleBytes(relaxed: boolean, shared: boolean): Uint8Array<ArrayBuffer> {
  const plain = decode(plainModule), bytes = relaxed ? applyDifference(plain, decode(relaxedDifference)) : plain;
  if (!shared) unshare(bytes);
  return bytes;
}

export function compileSync(relaxed: boolean, shared: boolean): WebAssembly.Module {
  const bytes = moduleBytes(relaxed, shared);
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    if (!(error instanceof Error && /unsafe-eval|Content.Security.Policy|CSP/i.test(error.message))) throw error;
    throw new DeviceUnavailableError(
      "The page's Content-Security-Policy forbids WebAssembly, which every device needs (tensors are made on the cpu first); allow it with " +
        "script-src 'self' 'wasm-unsafe-eval'.",
      { cause: error },
    );
  }
}

/** The kernels in the order of kernelNames. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelFunction[] {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return kernelNames.map((name) => exports[name] as KernelFunction);
}

/** The largest memory the engine grants: address space is reserved at once, and some hosts refuse 4 GiB of it. */
export function createMemory(initialBytes: number, shared: boolean): { memory: WebAssembly.Memory; maximumBytes: number } {
  const initial = Math.ceil(initialBytes / 65536);
  for (let maximum = 65536; maximum >= initial; maximum = Math.floor(maximum / 2)) {
    try {
      return { memory: new WebAssembly.Memory({ initial, maximum, shared }), maximumBytes: maximum * 65536 };
    } catch {
      // refused: try half
    }
  }
  throw new Error(`The host refuses a WebAssembly memory of ${initial * 65536} bytes.`);
}
