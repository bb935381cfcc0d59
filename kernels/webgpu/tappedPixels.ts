// The product that a convolution and its input gradient share (see tappedProduct.ts): what it is asked for, and the WGSL that says where a pixel
// lies, where a tap takes it, and how a sum is finished.
import type { Activation, Pair, View } from "../types.js";
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
  /** A phase's taps along an axis and how many source pixels each moves: the same as the two WGSL forms below. */
  taps(axis: 0 | 1, phase: number): readonly { readonly tap: number; readonly offset: number }[];
  /** WGSL (i32): how far a tap moves, from `tap` and `phase`; by axis. */
  readonly tapOffset: readonly [string, string];
  /** WGSL (bool): whether the tap meets the phase at all, likewise; null: always. */
  readonly tapHits: readonly [string, string] | null;
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

/** What the texts depend on: everything but the batch. */
export function constantsOf({ batch: _, tapOffset, tapHits, ...constants }: TappedProduct): readonly string[] {
  return [JSON.stringify(constants), ...tapOffset, ...(tapHits ?? [])];
}

/** WGSL: a pixel's place, where a tap takes it, and the epilogue. */
export function pixelCode(p: TappedProduct, hasBias: boolean, activation: Activation): string {
  const [sourceChannels, sourceHeight, sourceWidth] = p.source, [targetChannels, targetHeight, targetWidth] = p.target;
  return `
struct Pixel { image: u32, row: u32, column: u32, inside: bool }
fn pixelAt(number: u32) -> Pixel {
  let pixel = min(number, params.pixels - 1u);
  let rest = pixel % ${phaseHeight(p) * phaseWidth(p)}u;
  return Pixel(pixel / ${phaseHeight(p) * phaseWidth(p)}u, rest / ${phaseWidth(p)}u, rest % ${phaseWidth(p)}u, number < params.pixels);
}
/** The source element under a pixel of depth 0 moved by a tap, or the image's first with x = 0 where the tap falls outside. */
fn sourceAt(pixel: Pixel, group: u32, offset: vec2i) -> vec2u {
  let h = u32(i32(pixel.row * ${p.step[0]}u) + offset.x);
  let w = u32(i32(pixel.column * ${p.step[1]}u) + offset.y);
  let inside = h < ${sourceHeight}u && w < ${sourceWidth}u;
  let plane = params.sourceOffset + (pixel.image * ${sourceChannels}u + group * ${p.depth}u) * ${sourceHeight * sourceWidth}u;
  return vec2u(u32(inside), plane + select(0u, h * ${sourceWidth}u + w, inside));
}
fn tapOffsetHeight(tap: i32, phase: i32) -> i32 { return ${p.tapOffset[0]}; }
fn tapOffsetWidth(tap: i32, phase: i32) -> i32 { return ${p.tapOffset[1]}; }
fn tapHitsHeight(tap: i32, phase: i32) -> bool { return ${p.tapHits?.[0] ?? "true"}; }
fn tapHitsWidth(tap: i32, phase: i32) -> bool { return ${p.tapHits?.[1] ?? "true"}; }
/** x = 1 where the target has this pixel; y: its place in the group's first channel. */
fn targetAt(pixel: Pixel, group: u32, phase: vec2i) -> vec2u {
  let h = pixel.row * ${p.phases[0]}u + u32(phase.x);
  let w = pixel.column * ${p.phases[1]}u + u32(phase.y);
  let exists = pixel.inside && h < ${targetHeight}u && w < ${targetWidth}u;
  return vec2u(u32(exists), ((pixel.image * ${targetChannels}u + group * ${p.rows}u) * ${targetHeight}u + h) * ${targetWidth}u + w);
}
fn finish(value: f32, bias: f32) -> f32 { return ${activate("value + bias", activation)}; }
fn biasOf(group: u32, row: u32) -> f32 { return ${hasBias ? `bias[params.biasOffset + group * ${p.rows}u + min(row, ${p.rows - 1}u)]` : "0.0"}; }
`;
}

/** WGSL: group and phase of the workgroup. */
export function placeCode({ phases }: TappedProduct): string {
  return `
  let group = workgroup.z / ${phases[0] * phases[1]}u;
  let phase = vec2i(i32(workgroup.z % ${phases[0] * phases[1]}u) / ${phases[1]}, i32(workgroup.z % ${phases[1]}u));
`;
}
