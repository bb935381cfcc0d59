// The product that a convolution and its input gradient share, an implicit GEMM without any im2col in memory:
//   target[n, row, pixel] = Σ_tap Σ_depth weight[row, depth, tap] · source[n, depth, pixel moved by the tap]
// (NCHW; forward: rows are output channels, depth input channels; input gradient: the other way round.) Where a stride divides the target's
// pixels into phases that meet different taps, each phase is its own grid slice and skips the taps that miss it.
// A tap's bounds are tested once, outside the loop over depth.
import type { Activation, Pair, View } from "../types.js";
import { dispatchKernel, inSlices, unroll } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import {
  activate, fillSlab, four, laneParameters, multiplySlabs, registerMultiply, type RegisterTile, registerSums, reluCode, rowPlaces, slab,
  tileMemory, tileSums, type WorkgroupTile, workgroupTile,
} from "./tiles.js";

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
  /** WGSL (i32): how far a tap moves, from `tap` and `phase`; by axis. */
  readonly tapOffset: readonly [string, string];
  /** WGSL (bool): whether the tap meets the phase at all, likewise; null: always. */
  readonly tapHits: readonly [string, string] | null;
}
interface Operands {
  readonly target: View;
  readonly source: View;
  readonly weight: View;
  readonly bias: View | null;
  readonly activation: Activation;
}

interface Candidate {
  readonly name: string;
  supports(product: TappedProduct, runtime: WebGPURuntime): boolean;
  run(runtime: WebGPURuntime, product: TappedProduct, operands: Operands): void;
}

/** The first that supports the product is taken. */
export const tappedCandidates: readonly Candidate[] = [
  {
    // Also for few rows or little depth (depthwise, first layers), where a workgroup's tile would stand half empty.
    name: "registerTile",
    supports: (p, runtime) => runtime.isSoftware || p.rows < 16 || p.depth < 8,
    run: (runtime, p, operands) => dispatchPixels(runtime, p, operands, registerTileOf(p, runtime), registerCode),
  },
  {
    name: "workgroupTile64",
    supports: (p) => p.rows >= 48 && Math.ceil(p.rows / 64) * Math.ceil(pixels(p) / 64) * p.groups >= 64,
    run: (runtime, p, operands) => dispatchTile(runtime, p, operands, workgroupTile(64)),
  },
  { name: "workgroupTile32", supports: () => true, run: (runtime, p, operands) => dispatchTile(runtime, p, operands, workgroupTile(32)) },
];

export function tappedProduct(runtime: WebGPURuntime, product: TappedProduct, operands: Operands): void {
  if (pixels(product) === 0 || product.rows * product.groups === 0) return;
  tappedCandidates.find((candidate) => candidate.supports(product, runtime))?.run(runtime, product, operands);
}

const phaseHeight = (p: TappedProduct) => Math.ceil(p.target[1] / p.phases[0]);
const phaseWidth = (p: TappedProduct) => Math.ceil(p.target[2] / p.phases[1]);
/** Target pixels of a phase, over the whole batch. */
const pixels = (p: TappedProduct) => p.batch * phaseHeight(p) * phaseWidth(p);

function registerTileOf({ rows }: TappedProduct, runtime: WebGPURuntime): RegisterTile {
  const broadcast = runtime.isSoftware && rows >= 6 ? runtime.subgroupWidth : 0;
  return { rows: rows >= 12 && broadcast > 0 ? 16 : rows >= 6 ? 8 : rows >= 3 ? 4 : rows, columns: 4, lanes: 64, broadcast };
}

/** One kernel over all pixels, rows and phases; the batch size is a parameter, everything else a constant of the text. */
function dispatchPixels<Tile>(
  runtime: WebGPURuntime, p: TappedProduct, { target, source, weight, bias, activation }: Operands, tile: Tile & RegisterTile,
  code: (p: TappedProduct, tile: Tile) => string,
): void {
  const { batch, tapOffset, tapHits, ...constants } = p;
  const width = tile.columns * tile.lanes;
  inSlices(Math.ceil(pixels(p) / width), (firstTile, tiles) => {
    dispatchKernel(runtime, {
      name: p.name,
      constants: [JSON.stringify(constants), ...tapOffset, ...(tapHits ?? []), activation, bias !== null, JSON.stringify(tile)],
      inputs: { source, weight, bias },
      outputs: { target_: target },
      params: { pixels: pixels(p), firstPixel: firstTile * width },
      usesSubgroups: tile.broadcast > 0,
      workgroups: [tiles, Math.ceil(p.rows / tile.rows), p.groups * p.phases[0] * p.phases[1]],
      body: () => reluCode + pixelCode(p, bias !== null, activation) + code(p, tile),
    });
  });
}

function dispatchTile(runtime: WebGPURuntime, p: TappedProduct, operands: Operands, tile: WorkgroupTile): void {
  dispatchPixels(runtime, p, operands, { ...tile, rows: tile.size, columns: tile.size, lanes: 1, broadcast: 0 }, workgroupCode);
}

/** WGSL: a pixel's place, where a tap takes it, and the epilogue. */
function pixelCode(p: TappedProduct, hasBias: boolean, activation: Activation): string {
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

/** WGSL: stores the sums of `count` rows from `firstRow` and four pixels; places and biases are worked out once for all of them. */
function storeCode(p: TappedProduct, firstRow: string, count: number, tileRows: number, sum: (i: number, j: number) => string): string {
  const guard = (i: number, store: string) => (p.rows % tileRows === 0 ? store : `if (${firstRow} + ${i}u < ${p.rows}u) { ${store} }`);
  const plane = p.target[1] * p.target[2];
  return `
${unroll(count, (i) => `  let bias${i} = biasOf(group, ${firstRow} + ${i}u);`)}
${unroll(4, (j) => `  let place${j} = targetAt(pixel${j}, group, phase);
  if (place${j}.x != 0u) {
${unroll(count, (i) => `    ${guard(i, `target_[place${j}.y + (${firstRow} + ${i}u) * ${plane}u] = finish(${sum(i, j)}, bias${i});`)}`)}
  }`)}
`;
}

/** WGSL: group and phase of the workgroup, then `each` inside the loops over the taps that hit, with `tap` and `offset`. */
function placeCode({ phases }: TappedProduct): string {
  return `
  let group = workgroup.z / ${phases[0] * phases[1]}u;
  let phase = vec2i(i32(workgroup.z % ${phases[0] * phases[1]}u) / ${phases[1]}, i32(workgroup.z % ${phases[1]}u));
`;
}
function tapLoops({ kernel, tapHits }: TappedProduct, each: string): string {
  const guarded = tapHits ? `if (tapHitsHeight(r, phase.x) && tapHitsWidth(s, phase.y)) {\n${each}\n    }` : each;
  return `
  for (var r = 0; r < ${kernel[0]}; r++) {
  for (var s = 0; s < ${kernel[1]}; s++) {
    ${tapHits ? guarded.replace("{", `{\n${tapLets(kernel)}`) : tapLets(kernel) + guarded}
  }
  }
`;
}
function tapLets(kernel: Pair): string {
  return `    let tap = u32(r * ${kernel[1]} + s);
    let offset = vec2i(tapOffsetHeight(r, phase.x), tapOffsetWidth(s, phase.y));\n`;
}

/** Lanes are neighbouring pixels; each keeps rows × columns sums, its pixels a lane count apart. Weights are the same for all lanes. */
function registerCode(p: TappedProduct, tile: RegisterTile): string {
  const { rows, columns, lanes } = tile, plane = p.source[1] * p.source[2];
  const each = `
${unroll(columns, (j) => `    let at${j} = sourceAt(pixel${j}, group, offset);`)}
    for (var d = 0u; d < ${p.depth}u; d++) {
      let weightStep = d * ${p.depthStride}u + tap;
      let sourceStep = d * ${plane}u;
${registerMultiply(tile, (rowAt) => `weight[${rowAt} + weightStep]`, (j) => `select(0.0, source[at${j}.y + sourceStep], at${j}.x != 0u)`)}
    }`;
  return `
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, ${laneParameters(tile)}) {
${placeCode(p)}
  let firstRow = workgroup.y * ${rows}u;
  let firstPixel = params.firstPixel + workgroup.x * ${columns * lanes}u + lane;
${unroll(columns, (j) => `  let pixel${j} = pixelAt(firstPixel + ${j * lanes}u);`)}
${rowPlaces(tile, (row) => `params.weightOffset + group * ${p.groupStride}u + min(firstRow + ${row}, ${p.rows - 1}u) * ${p.rowStride}u`)}
${registerSums(tile)}
${tapLoops(p, each)}
${storeCode(p, "firstRow", rows, rows, (i, j) => `sum${i * columns + j}`)}
}
`;
}

/** The blocked product of hardware GPUs; a thread loads the slab entries of the same four pixels that it will store. */
function workgroupCode(p: TappedProduct, tile: WorkgroupTile): string {
  const plane = p.source[1] * p.source[2];
  const row = (term: string, quad: string) => (i: number) => `weightOf(group, firstRow + ${quad} * 4u + ${i}u, d + ${term}, tap)`;
  const pixel = (term: string) => (j: number) => `source[at${j}.y + min(d + ${term}, ${p.depth - 1}u) * ${plane}u]`;
  const inside = "vec4<bool>(vec4u(at0.x, at1.x, at2.x, at3.x))";
  const orZero = (term: string, value: string) => `select(vec4f(), ${value}, d + ${term} < ${p.depth}u)`;
  const each = `
${unroll(4, (j) => `    let at${j} = sourceAt(pixel${j}, group, offset);`)}
    for (var d = 0u; d < ${p.depth}u; d += ${slab}u) {
${fillSlab(tile, "rowSlab", p.depthStride < p.rowStride, (term, quad) => orZero(term, four(row(term, quad))))}
${fillSlab(tile, "columnSlab", false, (term) => orZero(term, `select(vec4f(), ${four(pixel(term))}, ${inside})`))}
${multiplySlabs(tile)}
    }`;
  return `
${tileMemory(tile)}
fn weightOf(group: u32, row: u32, depth: u32, tap: u32) -> f32 {
  return weight[params.weightOffset + group * ${p.groupStride}u + min(row, ${p.rows - 1}u) * ${p.rowStride}u +
    min(depth, ${p.depth - 1}u) * ${p.depthStride}u + tap];
}
@compute @workgroup_size(${tile.threads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
${placeCode(p)}
  let firstRow = workgroup.y * ${tile.size}u;
${tileSums(tile)}
  let firstPixel = params.firstPixel + workgroup.x * ${tile.size}u + columnGroup * 4u;
${unroll(4, (j) => `  let pixel${j} = pixelAt(firstPixel + ${j}u);`)}
${tapLoops(p, each)}
  let ownRow = firstRow + rowGroup * 4u;
${storeCode(p, "ownRow", 4, tile.size, (i, j) => `sum${i}[${j}]`)}
}
`;
}
