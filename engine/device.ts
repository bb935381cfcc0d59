// Devices: opening one, asking for one, and the CPU that is always there. Kinds from outside come by registerDevice.ts.
import type { Device, DeviceKind } from "../kernels/types.js";
import { ArgumentError, DeviceUnavailableError } from "../kernels/errors.js";
import { type SimdChoice, createCpuSync } from "../kernels/cpu/index.js";
import { type Call, Signature, type Values } from "./arguments.js";
import { enterKind, kindNames, openerOf } from "./deviceKinds.js";
import { aBoolean, aDevice, aFunction, aNumber, aString, listOf, oneOf, oneOfThese } from "./kinds.js";
import { closeAccount } from "./memory.js";

/** A device, or "cpu" for the one that is always there. */
export type DeviceTarget = Device | "cpu";

export interface OpenDeviceOptions {
  /** CPU: threads including the caller's; default what the machine has, at most 16. */
  readonly threads?: number;
  /** CPU: which WebAssembly kernels. Default: relaxed SIMD (fused multiply-add) where the engine has it; "measured" compares the two for 0.1 s.
   *  Decided once: a CPU device that was used keeps what it has. The device's description says which. */
  readonly simd?: SimdChoice;
  /** CPU, and WebGPU on hardware: whether 3×3 convolutions may take Winograd's way, up to three times as fast. Its rounding errors are those of the
   *  largest pixel within six, not within three; images where these differ too much (or that hold NaN or infinity) are convolved directly anyway.
   *  Default true. */
  readonly winograd?: boolean;
  /** WebGPU: accept a software adapter without a word (default: yes when asked for by name; "auto" takes hardware alone). */
  readonly allowSoftware?: boolean;
  readonly powerPreference?: "low-power" | "high-performance";
  /** WebGPU in Node: part of the adapter's name, such as "NVIDIA". */
  readonly adapter?: string;
  /** WebGPU in Node: Dawn's toggles, such as "skip_validation". */
  readonly enableToggles?: readonly string[];
  readonly disableToggles?: readonly string[];
  /** Receives the one line that says which device was chosen and why; default: nothing is printed. */
  readonly onChoice?: (line: string) => void;
}

let cpu: ReturnType<typeof createCpuSync> | null = null;

/** The CPU device: one thread, there at once; openDevice("cpu") gives the same device its threads. */
export function cpuDevice(): ReturnType<typeof createCpuSync> {
  return (cpu ??= createCpuSync());
}

export function resolveDevice(target: DeviceTarget | undefined): Device {
  if (target === undefined || target === "cpu") return cpuDevice();
  if (typeof target === "object") return target;
  throw new ArgumentError(`device: got ${String(target)}; expected ${aDevice.says}.`);
}

const names = listOf("a list of names", aString);
const choices = [
  ["threads", aNumber, undefined], ["simd", oneOf("plain", "relaxed", "measured"), undefined], ["winograd", aBoolean, undefined],
  ["allowSoftware", aBoolean, undefined],
  ["powerPreference", oneOf("low-power", "high-performance"), undefined],
  ["adapter", aString, undefined], ["enableToggles", names, undefined], ["disableToggles", names, undefined], ["onChoice", aFunction<(line: string) => void>(), undefined],
] as const;
const opening = new Signature("openDevice", [["kind", oneOfThese<DeviceKind | "auto">(() => ["auto", ...kindNames()]), "auto"]], choices);

/** Opens a device. "auto" takes a hardware GPU through WebGPU, else the CPU, and says which and why. */
export async function openDevice(...given: Call<typeof opening>): Promise<Device> {
  const [kind, ...values] = opening.read(given), options = optionsOf(values);
  const say = options.onChoice ?? (() => {});
  if (kind === "auto") return openBest(options, say);
  const device = await openKind(kind, options);
  say(`Using ${device.description}.`);
  return device;
}

/** The options that were given, by name. */
function optionsOf(values: Values<typeof choices>): OpenDeviceOptions {
  return Object.fromEntries(choices.map(([name], i) => [name, values[i]]).filter(([, value]) => value !== undefined));
}

async function openKind(kind: string, options: OpenDeviceOptions): Promise<Device> {
  const open = openerOf(kind);
  if (open === undefined) throw new ArgumentError(`openDevice: no device of kind "${kind}" is registered.`);
  return closing(await open(options));
}

enterKind("webgpu", async (options) => {
  const { openWebGPU } = await import("../kernels/webgpu/index.js");
  return openWebGPU({ allowSoftware: true, ...options });
});
enterKind("cpu", async ({ simd, winograd, threads }) => {
  const device = cpuDevice();
  if (simd !== undefined) device.chooseSimd(simd);
  if (winograd !== undefined) device.allowWinograd(winograd);
  await device.addThreads(threads);
  return device;
});
enterKind("reference", async () => {
  const { openReference } = await import("../kernels/reference/index.js");
  return openReference();
});

async function openBest(options: OpenDeviceOptions, say: (line: string) => void): Promise<Device> {
  try {
    const device = await openKind("webgpu", { ...options, allowSoftware: options.allowSoftware ?? false });
    say(`Using ${device.description}: a hardware GPU is there.`);
    return device;
  } catch (error) {
    if (!(error instanceof DeviceUnavailableError)) throw error;
    const device = await openKind("cpu", options);
    say(`Using ${device.description}: ${error.brief}`);
    return device;
  }
}

const forgetting = new WeakSet<Device>();
/** Forgets the memory account of a device when it closes; the CPU's goes on, for the device is always there. */
function closing(device: Device): Device {
  if (device === cpu || forgetting.has(device)) return device;
  forgetting.add(device);
  const close = device.close.bind(device);
  device.close = async () => {
    await close();
    closeAccount(device);
  };
  return device;
}

const asking = new Signature("isAvailable", [["kind", oneOfThese<DeviceKind>(kindNames)]], [["allowSoftware", aBoolean, true]]);
/** Whether a device of this kind can be opened here; for "webgpu" a software adapter counts only with allowSoftware. */
export async function isAvailable(...given: Call<typeof asking>): Promise<boolean> {
  const [kind, allowSoftware] = asking.read(given);
  if (kind === "cpu") return true; // always there, and not to be closed
  try {
    const device = await openKind(kind, { allowSoftware });
    await device.close();
    return true;
  } catch (error) {
    if (error instanceof DeviceUnavailableError) return false;
    throw error;
  }
}
