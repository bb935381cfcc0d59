// Kernels over [N, C, inner] that go channel by channel: one workgroup a channel, or several that share out its images where few channels would leave
// a hardware GPU idle.
import { lengths3 } from "../shape.js";
import type { View } from "../types.js";
import type { WebGPURuntime } from "./runtime.js";
import { totalsCode } from "./workgroupTotals.js";

/** How many parts the images of a channel-wise kernel are split into. */
function channelParts(runtime: WebGPURuntime, batch: number, channels: number, inner: number): number {
  if (runtime.isSoftware) return 1;
  return Math.max(1, Math.min(batch, Math.floor(512 / channels), Math.floor((batch * inner) / 8192)));
}

export interface Channels {
  readonly batch: number;
  readonly channels: number;
  readonly inner: number;
  readonly parts: number;
  /** Of the workgroup of a channel and part: as many as have elements, since software adapters pay for every lane at every barrier. */
  readonly lanes: 16 | 64 | 256;
}
export function channelsOf(runtime: WebGPURuntime, x: View): Channels {
  const [batch, channels, inner] = lengths3(x);
  const parts = channelParts(runtime, batch, channels, inner), elements = (batch * inner) / parts;
  return { batch, channels, inner, parts, lanes: elements <= 64 ? 16 : elements <= 1024 ? 64 : 256 };
}
export const partParams = ({ batch, parts }: Channels) => ({ batch, images: Math.ceil(batch / parts), parts });

/** WGSL: main of one workgroup for each channel and part, with the images first … last − 1. */
export function channelMain({ channels, lanes }: Channels, helpers: string, body: string): string {
  return `${totalsCode(lanes, ["sum"])}${helpers}
fn imagesOf(part: u32) -> u32 { return min((part + 1u) * params.images, params.batch) - min(part * params.images, params.batch); }
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = linearWorkgroup(workgroup, grid);
  let channel = index % ${channels}u;
  let part = index / ${channels}u;
  if (part >= params.parts) { return; }
  let first = min(part * params.images, params.batch);
  let last = min(first + params.images, params.batch);
  ${body}
}
`;
}
