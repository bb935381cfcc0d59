// The product that a convolution and its input gradient share (see tappedProduct.ts): what it is asked for, and the WGSL that says where a pixel
// lies, where a tap takes it, and how a sum is finished.
import type { Activation, Pair, View } from "../types.js";
import type { Sizes } from "./sizes.js";
import { activate } from "./tiles.js";

/** Channels, height, width. */
type Plane = readonly [number, number, number];

export interface TappedProduct {
  readonly name: string;
  readonly batch: number;
  readonly groups: number;
  /** Target channels and source channels of a group. */
  readonly rows: number;
  readonly depth: number;
  /** The weight's strides over rows, depth and groups; over taps it is 1. */
  readonly rowStride: number;
  readonly depthStride: number;
  readonly groupStride: number;
  readonly source: Plane;
  readonly target: Plane;
  readonly kernel: Pair;
  /** Source pixels from one target pixel of a phase to the next. */
  readonly step: Pair;
  readonly phases: Pair;
  /** A phase's taps along an axis and how many source pixels each moves: the same as tapCode says in WGSL. */
  taps(axis: 0 | 1, phase: number): readonly { readonly tap: number; readonly offset: number }[];
  /** Backward: a tap moves (phase + padding − tap·dilation)/phases source pixels, and meets the phases for which that is whole. Forward:
   *  tap·dilation − padding. */
  readonly direction: "forward" | "backward";
  readonly dilation: Pair;
  readonly padding: Pair;
}
export interface TappedOperands {
  readonly target: View;
  readonly source: View;
  readonly weight: View;
  readonly bias: View | null;
  readonly activation: Activation;
}

export const phaseHeight = (p: TappedProduct) => Math.ceil(p.target[1] / p.phases[0]);
export const phaseWidth = (p: TappedProduct) => Math.ceil(p.target[2] / p.phases[1]);
/** Target pixels of a phase, over the whole batch. */
export const pixels = (p: TappedProduct) => p.batch * phaseHeight(p) * phaseWidth(p);

/** Whether there are taps that miss a phase. */
export const isPhased = (p: TappedProduct): boolean => p.direction === "backward" && (p.phases[0] > 1 || p.phases[1] > 1);

/** The sizes that the WGSL of a product speaks of: all but the batch. */
export function sizesIn(p: TappedProduct) {
  const { rows, depth, rowStride, depthStride, groupStride } = p;
  return {
    rows, depth, rowStride, depthStride, groupStride,
    sourceChannels: p.source[0], sourceHeight: p.source[1], sourceWidth: p.source[2], sourcePlane: p.source[1] * p.source[2],
    targetChannels: p.target[0], targetHeight: p.target[1], targetWidth: p.target[2], targetPlane: p.target[1] * p.target[2],
    kernelHeight: p.kernel[0], kernelWidth: p.kernel[1], stepHeight: p.step[0], stepWidth: p.step[1],
    phasesHeight: p.phases[0], phasesWidth: p.phases[1], phaseWidth: phaseWidth(p), phasePixels: phaseHeight(p) * phaseWidth(p),
    dilationHeight: p.dilation[0], dilationWidth: p.dilation[1], paddingHeight: p.padding[0], paddingWidth: p.padding[1],
  };
}
export type ProductSizes = Sizes<keyof ReturnType<typeof sizesIn>>;

/** What the texts depend on besides the sizes. */
export const constantsOf = (p: TappedProduct): readonly (string | boolean)[] => [p.direction, isPhased(p)];

/** WGSL: a pixel's place, how far a tap moves, and the epilogue. */
export function pixelCode(p: TappedProduct, { text: s }: ProductSizes, hasBias: boolean, activation: Activation): string {
  return `
struct Pixel { image: u32, row: u32, column: u32, inside: bool }
fn pixelAt(number: u32) -> Pixel {
  let pixel = min(number, params.pixels - 1u);
  let rest = pixel % ${s.phasePixels};
  return Pixel(pixel / ${s.phasePixels}, rest / ${s.phaseWidth}, rest % ${s.phaseWidth}, number < params.pixels);
}
${tapCode(p, "Height", s.dilationHeight, s.paddingHeight, s.phasesHeight)}
${tapCode(p, "Width", s.dilationWidth, s.paddingWidth, s.phasesWidth)}
/** x = 1 where the target has this pixel; y: its place in the group's first channel. */
fn targetAt(pixel: Pixel, group: u32, phase: vec2i) -> vec2u {
  let h = pixel.row * ${s.phasesHeight} + u32(phase.x);
  let w = pixel.column * ${s.phasesWidth} + u32(phase.y);
  let exists = pixel.inside && h < ${s.targetHeight} && w < ${s.targetWidth};
  return vec2u(u32(exists), ((pixel.image * ${s.targetChannels} + group * ${s.rows}) * ${s.targetHeight} + h) * ${s.targetWidth} + w);
}
fn finish(value: f32, bias: f32) -> f32 { return ${activate("value + bias", activation)}; }
fn biasOf(group: u32, row: u32) -> f32 { return ${hasBias ? `bias[params.biasOffset + group * ${s.rows} + min(row, ${s.rows} - 1u)]` : "0.0"}; }
`;
}

/** WGSL: where a tap takes a pixel. */
export const sourceCode = ({ text: s }: ProductSizes): string => `
/** The source element under a pixel of depth 0 moved by a tap, or the image's first with x = 0 where the tap falls outside. */
fn sourceAt(pixel: Pixel, group: u32, offset: vec2i) -> vec2u {
  let h = u32(i32(pixel.row * ${s.stepHeight}) + offset.x);
  let w = u32(i32(pixel.column * ${s.stepWidth}) + offset.y);
  let inside = h < ${s.sourceHeight} && w < ${s.sourceWidth};
  let plane = params.sourceOffset + (pixel.image * ${s.sourceChannels} + group * ${s.depth}) * ${s.sourcePlane};
  return vec2u(u32(inside), plane + select(0u, h * ${s.sourceWidth} + w, inside));
}
`;

/** WGSL: how far a tap moves along an axis, and whether it meets the phase at all. */
function tapCode(p: TappedProduct, axis: string, dilation: string, padding: string, phases: string): string {
  const distance = `(phase + i32(${padding}) - tap * i32(${dilation}))`;
  const offset = p.direction === "forward" ? `tap * i32(${dilation}) - i32(${padding})` : isPhased(p) ? `${distance} / i32(${phases})` : distance;
  return `fn tapOffset${axis}(tap: i32, phase: i32) -> i32 { return ${offset}; }
fn tapHits${axis}(tap: i32, phase: i32) -> bool { return ${isPhased(p) ? `${distance} % i32(${phases}) == 0` : "true"}; }`;
}

/** WGSL: group and phase of the workgroup. */
export function placeCode(p: TappedProduct, { text: s }: ProductSizes): string {
  return isPhased(p) ? `
  let phases = ${s.phasesHeight} * ${s.phasesWidth};
  let group = workgroup.z / phases;
  let phase = vec2i(vec2u(workgroup.z % phases / ${s.phasesWidth}, workgroup.z % ${s.phasesWidth}));
` : `
  let group = workgroup.z;
  let phase = vec2i(0);
`;
}
