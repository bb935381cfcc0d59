// Kernels over [N, C, inner] that go channel by channel: one workgroup a channel, or several that share out its images where few channels would leave
// a hardware GPU idle.
import { lengths3 } from "../shape.js";
import type { View } from "../types.js";
import { type Loop, loadsInFlight } from "./inFlight.js";
import type { WebGPURuntime } from "./runtime.js";
import { totalsCode } from "./workgroupTotals.js";

/** Enough workgroups to fill a large GPU, and the least elements that a channel is split for and that a part should have. */
const busyWorkgroups = 1024, leastToSplit = 16_384, leastOfPart = 4096;
/** What a lane has under way on hardware: vec4s, or single numbers. */
const vectorsUnderWay = 2, numbersUnderWay = 4;

/** How many parts the images of a channel-wise kernel are split into; none of them empty. */
function channelParts(runtime: WebGPURuntime, batch: number, channels: number, inner: number): number {
  if (runtime.isSoftware || batch * inner < leastToSplit || 2 * channels > busyWorkgroups) return 1;
  const parts = Math.min(batch, Math.floor(busyWorkgroups / channels), Math.floor((batch * inner) / leastOfPart));
  return Math.ceil(batch / Math.ceil(batch / parts));
}

export interface Channels {
  readonly batch: number;
  readonly channels: number;
  readonly inner: number;
  readonly parts: number;
  /** Of the workgroup of a channel and part: as many as have elements, since software adapters pay for every lane at every barrier. */
  readonly lanes: 16 | 64 | 256;
  /** Elements that a lane takes at once: 4 where all tensors can be bound as vec4s. */
  readonly width: 1 | 4;
  /** Places that a lane has under way at once; 1: one after the other, as suits software adapters. */
  readonly steps: number;
}

/** Of tensors of one shape; null for those that are not there. */
export function channelsOf(runtime: WebGPURuntime, x: View, ...others: readonly (View | null)[]): Channels {
  const [batch, channels, inner] = lengths3(x);
  const parts = channelParts(runtime, batch, channels, inner), elements = (batch * inner) / parts;
  const isAligned = !runtime.isSoftware && inner % 4 === 0 && [x, ...others].every((view) => (view?.offset ?? 0) % 4 === 0);
  const steps = runtime.isSoftware ? 1 : Math.min(isAligned ? vectorsUnderWay : numbersUnderWay, runtime.unrolledSteps);
  return { batch, channels, inner, parts, lanes: elements <= 64 ? 16 : elements <= 1024 ? 64 : 256, width: isAligned ? 4 : 1, steps };
}
/** What the text of a channel-wise kernel depends on. */
export const channelConstants = ({ channels, inner, lanes, width, steps }: Channels) => [channels, inner, lanes, width, steps];
export const partParams = ({ batch, parts }: Channels) => ({ batch, images: Math.ceil(batch / parts), parts });

/** WGSL: what a lane takes at once, the sum of its components, and where tensor `name` starts, all by the width. */
export const typeOf = ({ width }: Channels) => (width === 4 ? "vec4f" : "f32");
export const componentSum = ({ width }: Channels, value: string) => (width === 4 ? `dot(${value}, vec4f(1.0))` : value);
export const elementOf = ({ width }: Channels, name: string, at: string) => `${name}[params.${name}Offset${width === 4 ? " / 4u" : ""} + ${at}]`;

/** The tensors of a dispatch that are bound as vec4s. */
export const vectorsOf = ({ width }: Channels, ...names: readonly string[]): readonly string[] => (width === 4 ? names : []);

/** WGSL: maskOf(…)(g, y), a cotangent where the ReLU behind it let something through. */
export const maskOf = ({ width }: Channels): string => (width === 4 ? "masked4" : "masked");
export const maskCode = ({ width }: Channels): string => `
fn masked(g: f32, y: f32) -> f32 { return select(g, 0.0, lessOrEqual(y, 0.0)); }
${width === 1 ? "" : "fn masked4(g: vec4f, y: vec4f) -> vec4f { return vec4f(masked(g.x, y.x), masked(g.y, y.y), masked(g.z, y.z), masked(g.w, y.w)); }"}
`;

/** WGSL: main of one workgroup for each channel and part, with the images first … last − 1. `backwards`: the last parts come first, for what the dispatch
 *  before read last may still be in the cache. */
export function channelMain({ channels, inner, lanes, width }: Channels, helpers: string, body: string, backwards = false): string {
  const length = Math.max(1, inner / width);
  return `${totalsCode(lanes, ["sum"])}${helpers}
fn imagesOf(part: u32) -> u32 { return min((part + 1u) * params.images, params.batch) - min(part * params.images, params.batch); }
fn placeIn(first: u32, channel: u32, k: u32) -> u32 { return ((first + k / ${length}u) * ${channels}u + channel) * ${length}u + k % ${length}u; }
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = linearWorkgroup(workgroup, grid);
  let channel = index % ${channels}u;
  if (index >= params.parts * ${channels}u) { return; }
  let part = ${backwards ? "params.parts - 1u - " : ""}index / ${channels}u;
  let first = min(part * params.images, params.batch);
  let last = min(first + params.images, params.batch);
  ${body}
}
`;
}

/** WGSL: walks the channel's images of this part, lane by lane; `read` gets a place's index `at` in the tensors, as `use` does in its places. */
export function walkChannel(sizes: Channels, read: (at: string) => readonly string[], use: Loop["use"]): string {
  const { inner, width, lanes, steps } = sizes;
  if (steps === 1) return walkInOrder(sizes, use([{ index: "at", values: read("at"), inside: null }]));
  const at = (k: string) => `placeIn(first, channel, ${k})`;
  return loadsInFlight({
    first: "lane", end: `((last - first) * ${inner / width}u)`, stride: lanes, steps,
    read: (k) => read(at(k)),
    use: (places) => use(places.map((place) => ({ ...place, index: at(place.index) }))),
  });
}

/** WGSL: the same one by one and without a division in the loop; `each` sees the element's index `at`. */
function walkInOrder({ channels, inner, lanes }: Channels, each: string): string {
  return `
  {
    var image = first + lane / ${inner}u;
    var position = lane % ${inner}u;
    for (; image < last;) {
      let at = (image * ${channels}u + channel) * ${inner}u + position;
      ${each}
      position += ${lanes % inner}u;
      image += ${Math.floor(lanes / inner)}u;
      if (position >= ${inner}u) { position -= ${inner}u; image++; }
    }
  }
`;
}
