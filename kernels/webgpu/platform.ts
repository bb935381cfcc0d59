// Where WebGPU comes from: `navigator.gpu` in a browser, Dawn's Node bindings (the npm package "webgpu", an optional peer) elsewhere.
import { DeviceUnavailableError } from "../errors.js";
import { isNode } from "../platform.js";

interface DawnBinding {
  create(flags: string[]): GPU;
}

export interface DawnOptions {
  /** Dawn's backend in Node: "vulkan", "d3d12", "metal"; by default the platform's best. */
  readonly backend?: string;
  /** Dawn toggles by name, for Node only. */
  readonly enableToggles?: readonly string[];
  readonly disableToggles?: readonly string[];
  /** Part of the name of the adapter to take, for machines with several (Node only). */
  readonly adapter?: string;
}

/** Time stamps of whole nanoseconds: what they could tell a page about other pages, a program may know. */
const withoutByDefault = ["timestamp_quantization"];

/** The entry point of WebGPU. In Node the caller keeps the object for as long as anything made from it lives. */
export async function findGpu(options: DawnOptions): Promise<GPU> {
  const browser = typeof navigator === "undefined" ? undefined : (navigator as Partial<Navigator>).gpu;
  if (browser) return browser;
  if (!isNode && (globalThis as { isSecureContext?: boolean }).isSecureContext === false) {
    throw new DeviceUnavailableError("This page has no WebGPU because it is not a secure context; serve it over HTTPS or from localhost, or use the CPU device.");
  }
  if (!isNode) {
    throw new DeviceUnavailableError(
      "This browser has no WebGPU (navigator.gpu is missing); use a recent Chrome, Edge, Safari or Firefox, or the CPU device.",
    );
  }
  const flags: string[] = [];
  if (options.backend) flags.push(`backend=${options.backend}`);
  if (options.adapter) flags.push(`adapter=${options.adapter}`);
  if (options.enableToggles?.length) flags.push(`enable-dawn-features=${options.enableToggles.join(",")}`);
  flags.push(`disable-dawn-features=${[...withoutByDefault, ...(options.disableToggles ?? [])].join(",")}`);
  // A name that a bundler cannot see: browser bundles must not look for the package.
  const packageName = ["web", "gpu"].join("");
  let binding: DawnBinding;
  try {
    binding = await import(/* @vite-ignore */ packageName);
  } catch (error) {
    throw withoutDawn(error);
  }
  return binding.create(flags);
}

function withoutDawn(error: unknown): DeviceUnavailableError {
  const reason = error instanceof Error ? error.message : String(error);
  if (/Cannot find (?:package|module) ['"]webgpu['"]/.test(reason)) {
    const brief = "the npm package webgpu is not installed (npm install webgpu).";
    return new DeviceUnavailableError("A GPU in Node needs the npm package webgpu (Dawn), which is not installed: `npm install webgpu`, or use the CPU device.", { brief });
  }
  const what = `The npm package webgpu (Dawn's bindings for Node) could not be loaded (${reason}); install it anew with \`npm install webgpu\`, or use the CPU device.`;
  return new DeviceUnavailableError(what, { brief: "the npm package webgpu could not be loaded." });
}

/** What is said when WebGPU is there and offers no adapter. */
export function noAdapter(): DeviceUnavailableError {
  return new DeviceUnavailableError(`WebGPU found no adapter on this machine. ${adapterHint()} Without one, use the CPU device.`, { brief: "WebGPU found no adapter." });
}

/** What is said when Dawn refuses the name of an adapter; its own words list those there are. */
export function notAmong(wanted: string | undefined, error: unknown): DeviceUnavailableError {
  const reason = error instanceof Error ? error.message : String(error);
  if (wanted === undefined) return new DeviceUnavailableError(`WebGPU could not be asked for an adapter (${reason}); use the CPU device.`, { brief: "WebGPU could not be asked for an adapter." });
  const names = [...reason.matchAll(/name: '([^']*)'/g)].map(([, name]) => `"${name}"`);
  const there = names.length > 0 ? `expected part of one of ${names.join(", ")}` : "and this machine has no adapter";
  return new DeviceUnavailableError(`openDevice: got adapter "${wanted}"; ${there}.`, { brief: `no adapter is called "${wanted}".` });
}

function adapterHint(): string {
  if (!isNode) return "The browser may block this GPU or driver (see chrome://gpu).";
  if ((globalThis as { Deno?: object }).Deno !== undefined) return "Deno looks for a Vulkan, Metal or Direct3D driver, or OpenGL; none of them offers an adapter.";
  return (
    "On Linux Dawn needs a recent Vulkan driver: install one (mesa-vulkan-drivers or the GPU maker's; Dawn refuses Mesa's software driver before version 23, " +
    "which Debian 12 has: take it from bookworm-backports), or point VK_ICD_FILENAMES at a driver's JSON file and LD_LIBRARY_PATH at the folder of " +
    "libvulkan.so.1 before the process starts."
  );
}
