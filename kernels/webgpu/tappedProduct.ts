// The product that a convolution and its input gradient share, an implicit GEMM without any im2col in memory:
//   target[n, row, pixel] = Σ_tap Σ_depth weight[row, depth, tap] · source[n, depth, pixel moved by the tap]
// (NCHW; forward: rows are output channels, depth input channels; input gradient: the other way round.) Where a stride divides the target's
// pixels into phases that meet different taps, each phase is its own grid slice and skips the taps that miss it.
// A tap's bounds are tested once, outside the loop over depth.
// Three candidates: register tiles here, and for hardware GPUs the blocked product in tappedTiles.ts, and Winograd's way in winograd.ts.
import { dispatchKernel, inSlices, unroll } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { sizesOf } from "./sizes.js";
import {
  constantsOf, isPhased, pixelCode, pixels, placeCode, type ProductSizes, sizesIn, type TappedOperands, type TappedProduct,
} from "./tappedPixels.js";
import { tappedTiles } from "./tappedTiles.js";
import { winogradProduct, winogradSuits } from "./winograd.js";
import { laneParameters, registerMultiply, type RegisterTile, registerSums, reluCode, rowPlaces } from "./tiles.js";

export type { TappedProduct } from "./tappedPixels.js";

interface Candidate {
  readonly name: string;
  supports(product: TappedProduct, runtime: WebGPURuntime): boolean;
  run(runtime: WebGPURuntime, product: TappedProduct, operands: TappedOperands): void;
}

/** The first that supports the product is taken. */
export const tappedCandidates: readonly Candidate[] = [
  {
    // Also for few rows or little depth (depthwise, first layers), where a workgroup's tile would stand half empty.
    name: "registerTile",
    supports: (p, runtime) => runtime.isSoftware || p.rows < 16 || p.depth * p.kernel[0] * p.kernel[1] < 16,
    run: (runtime, p, operands) => inRegisters(runtime, p, operands, registerTileOf(p, runtime)),
  },
  { name: "winograd", supports: winogradSuits, run: winogradProduct },
  { name: "workgroupTile", supports: () => true, run: tappedTiles },
];

export function tappedProduct(runtime: WebGPURuntime, product: TappedProduct, operands: TappedOperands): void {
  if (pixels(product) === 0 || product.rows * product.groups === 0) return;
  tappedCandidates.find((candidate) => candidate.supports(product, runtime))?.run(runtime, product, operands);
}

/** On a software adapter a lane without a pixel takes as long as one with: a workgroup is a subgroup there, of four pixels a lane or of one. */
function registerTileOf(p: TappedProduct, runtime: WebGPURuntime): RegisterTile {
  const { rows } = p, width = runtime.isSoftware ? runtime.subgroupWidth : 0, broadcast = rows >= 6 ? width : 0;
  return {
    rows: rows >= 12 && broadcast > 0 ? 16 : rows >= 6 ? 8 : rows >= 3 ? 4 : rows,
    columns: pixels(p) <= width ? 1 : 4,
    lanes: width > 0 ? width : 64,
    broadcast,
  };
}

/** One kernel over all pixels, rows and phases; the batch size is a parameter everywhere, the other sizes on software adapters. */
function inRegisters(runtime: WebGPURuntime, p: TappedProduct, { target, source, weight, bias, activation }: TappedOperands, tile: RegisterTile): void {
  const width = tile.columns * tile.lanes, sizes = sizesOf(runtime, sizesIn(p)), wholeTiles = p.rows % tile.rows === 0;
  inSlices(Math.ceil(pixels(p) / width), (firstTile, tiles) => {
    dispatchKernel(runtime, {
      name: p.name,
      constants: [...constantsOf(p), ...sizes.constants, wholeTiles, activation, bias !== null, JSON.stringify(tile)],
      inputs: { source, weight, bias },
      outputs: { target_: target },
      params: { pixels: pixels(p), firstPixel: firstTile * width, ...sizes.params },
      usesSubgroups: tile.broadcast > 0,
      workgroups: [tiles, Math.ceil(p.rows / tile.rows), p.groups * p.phases[0] * p.phases[1]],
      body: () => reluCode + pixelCode(p, sizes, bias !== null, activation) + registerCode(p, tile, sizes, wholeTiles),
    });
  });
}

/** WGSL: stores the sums of the tile's rows and four pixels; places and biases are worked out once for all of them. */
function storeCode({ rows, columns }: RegisterTile, { text: s }: ProductSizes, wholeTiles: boolean): string {
  const guard = (i: number, store: string) => (wholeTiles ? store : `if (firstRow + ${i}u < ${s.rows}) { ${store} }`);
  return `
  let targetPlane = ${s.targetPlane};
${unroll(rows, (i) => `  let bias${i} = biasOf(group, firstRow + ${i}u);`)}
${unroll(columns, (j) => `  let place${j} = targetAt(pixel${j}, group, phase);
  if (place${j}.x != 0u) {
${unroll(rows, (i) => `    ${guard(i, `target_[place${j}.y + (firstRow + ${i}u) * targetPlane] = finish(sum${i * columns + j}, bias${i});`)}`)}
  }`)}
`;
}

/** WGSL: `each` inside the loops over the taps that hit, with `tap` and `offset`. */
function tapLoops(p: TappedProduct, { text: s }: ProductSizes, each: string): string {
  return `
  for (var r = 0; r < i32(${s.kernelHeight}); r++) {
  for (var s = 0; s < i32(${s.kernelWidth}); s++) {
    ${isPhased(p) ? "if (!tapHitsHeight(r, phase.x) || !tapHitsWidth(s, phase.y)) { continue; }" : ""}
    let tap = u32(r) * ${s.kernelWidth} + u32(s);
    let offset = vec2i(tapOffsetHeight(r, phase.x), tapOffsetWidth(s, phase.y));
    ${each}
  }
  }
`;
}

/** Lanes are neighbouring pixels; each keeps rows × columns sums, its pixels a lane count apart. Weights are the same for all lanes. */
function registerCode(p: TappedProduct, tile: RegisterTile, sizes: ProductSizes, wholeTiles: boolean): string {
  const { rows, columns, lanes } = tile, s = sizes.text;
  const each = `
${unroll(columns, (j) => `    let at${j} = movedTo(start${j}, corner${j} + offset);`)}
    var weightStep = tap;
    var sourceStep = 0u;
    for (var d = 0u; d < depth; d++) {
${registerMultiply(tile, (rowAt) => `weight[${rowAt} + weightStep]`, (j) => `select(0.0, source[at${j}.y + sourceStep], at${j}.x != 0u)`)}
      weightStep += depthStride;
      sourceStep += sourcePlane;
    }`;
  return `
/** x = 1 where a pixel that was moved by a tap lies in the source, y: its element of depth 0 there, else the image's first. */
fn movedTo(start: u32, place: vec2i) -> vec2u {
  let inside = u32(place.x) < ${s.sourceHeight} && u32(place.y) < ${s.sourceWidth};
  return vec2u(u32(inside), start + select(0u, u32(place.x) * ${s.sourceWidth} + u32(place.y), inside));
}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, ${laneParameters(tile)}) {
${placeCode(p, sizes)}
  let depth = ${s.depth};
  let depthStride = ${s.depthStride};
  let sourcePlane = ${s.sourcePlane};
  let firstRow = workgroup.y * ${rows}u;
  let firstPixel = params.firstPixel + workgroup.x * ${columns * lanes}u + lane;
${unroll(columns, (j) => `  let pixel${j} = pixelAt(firstPixel + ${j * lanes}u);
  let start${j} = params.sourceOffset + (pixel${j}.image * ${s.sourceChannels} + group * depth) * sourcePlane;
  let corner${j} = vec2i(vec2u(pixel${j}.row * ${s.stepHeight}, pixel${j}.column * ${s.stepWidth}));`)}
${rowPlaces(tile, (row) => `params.weightOffset + group * ${s.groupStride} + min(firstRow + ${row}, ${s.rows} - 1u) * ${s.rowStride}`)}
${registerSums(tile)}
${tapLoops(p, sizes, each)}
${storeCode(tile, sizes, wholeTiles)}
}
`;
}
