// Opens a WebGPU device: the adapter, all of its limits, and the runtime on top.
import { DeviceUnavailableError } from "../errors.js";
import { type AdapterSummary, WebGPUDevice } from "./device.js";
import { type DawnOptions, findGpu, noAdapter, notAmong } from "./platform.js";

export interface WebGPUOptions extends DawnOptions {
  readonly powerPreference?: "high-performance" | "low-power";
  /** Whether a rasteriser on the CPU (SwiftShader, lavapipe) will do; default true. */
  readonly allowSoftware?: boolean;
  /** Chooses kernels as on a hardware GPU, whatever the adapter: tests hold those kernels to the same numbers on a machine without one. */
  readonly kernelsOf?: "adapter" | "hardware";
  /** Whether 3×3 convolutions may take Winograd's way where it pays (default), never, or wherever they can, which tests hold to the same numbers. */
  readonly winograd?: boolean | "everywhere";
  /** "least": asks for no more than what WebGPU promises of every adapter; tests hold the kernels to it. Default: all the adapter has. */
  readonly limits?: "adapter" | "least";
}

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|microsoft basic render/i;

export async function openWebGPU(options: WebGPUOptions = {}): Promise<WebGPUDevice> {
  const { entryPoint, adapter } = await findAdapter(options);
  const summary = summarise(adapter);
  const name = adapterName(adapter.info);
  if (summary.isSoftware && options.allowSoftware === false) {
    throw new DeviceUnavailableError(`WebGPU offers only the software adapter ${name}, expected a hardware GPU; the CPU device is faster.`, {
      brief: `WebGPU offers only the software adapter ${name}.`,
    });
  }
  const requiredFeatures: GPUFeatureName[] = summary.subgroupWidth > 0 ? ["subgroups"] : [];
  if (adapter.features.has("timestamp-query")) requiredFeatures.push("timestamp-query");
  const gpu = await adapter.requestDevice({ label: "athanor", requiredLimits: options.limits === "least" ? {} : allLimits(adapter.limits), requiredFeatures });
  const { kernelsOf, winograd } = options;
  return new WebGPUDevice(gpu, entryPoint, summary, `webgpu (${name})`, { ...(kernelsOf && { kernelsOf }), ...(winograd !== undefined && { winograd }) });
}

/** SwiftShader writes out a store for every element where Vulkan is to zero workgroup memory: a kernel with 2 KiB of it compiles in 280 ms, with
 *  the loop that Dawn writes without this toggle in 30. */
const slowOnSoftware = ["use_vulkan_zero_initialize_workgroup_memory_extension"];

/** Dawn takes its toggles before it has looked for an adapter: a software adapter is asked for a second time, with its own. */
async function findAdapter(options: WebGPUOptions): Promise<{ entryPoint: GPU; adapter: GPUAdapter }> {
  const wanted = { powerPreference: options.powerPreference ?? "high-performance" } as const;
  const entryPoint = await findGpu(options), adapter = await entryPoint.requestAdapter(wanted).catch((error: unknown) => {
    throw notAmong(options.adapter, error);
  });
  if (!adapter) throw noAdapter();
  if (!summarise(adapter).isSoftware) return { entryPoint, adapter };
  const entryAgain = await findGpu({ ...options, disableToggles: [...slowOnSoftware, ...(options.disableToggles ?? [])] });
  const again = entryAgain === entryPoint ? null : await entryAgain.requestAdapter(wanted); // a browser has one entry point
  return again ? { entryPoint: entryAgain, adapter: again } : { entryPoint, adapter };
}

function summarise({ info, features }: GPUAdapter): AdapterSummary {
  const subgroupWidth = features.has("subgroups") && info.subgroupMinSize === info.subgroupMaxSize ? info.subgroupMaxSize : 0;
  const names = [info.vendor, info.architecture, info.device, info.description].join(" ");
  return { info, isSoftware: info.isFallbackAdapter === true || softwareNames.test(names), subgroupWidth };
}

/** The adapter as people know it; wgpu (Deno, Firefox) gives the device as its PCI number. */
function adapterName(info: GPUAdapterInfo): string {
  const isNumber = /^(0x[\da-f]+|\d+)$/i.test(info.device);
  const named = (isNumber ? "" : info.device) || [info.vendor, info.architecture].filter((part) => part !== "" && !/^\d+$/.test(part)).join(" ");
  const parts = [named, info.description].filter((part) => part !== "").join(", ");
  return parts || (info.isFallbackAdapter === true ? "unnamed software adapter" : "unnamed adapter");
}

/** Everything the adapter can do; a device asked for nothing gets the defaults, 128 MiB a binding. */
function allLimits(limits: GPUSupportedLimits): Record<string, number> {
  const required: Record<string, number> = {};
  // The limits are accessors of the prototype: `for … in` sees them, Object.keys does not.
  for (const name in limits) {
    const value: unknown = Reflect.get(limits, name);
    if (typeof value === "number") required[name] = value;
  }
  return required;
}

export { WebGPUDevice, type AdapterSummary } from "./device.js";
