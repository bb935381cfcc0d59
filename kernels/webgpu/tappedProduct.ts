// The product that a convolution and its input gradient share, an implicit GEMM without any im2col in memory:
//   target[n, row, pixel] = Σ_tap Σ_depth weight[row, depth, tap] · source[n, depth, pixel moved by the tap]
// (NCHW; forward: rows are output channels, depth input channels; input gradient: the other way round.) Where a stride divides the target's
// pixels into phases that meet different taps, each phase is its own grid slice and skips the taps that miss it.
// A tap's bounds are tested once, outside the loop over depth.
// Two candidates: register tiles here, the blocked product of hardware GPUs in tappedTiles.ts.
import type { Pair } from "../types.js";
import { dispatchKernel, inSlices, unroll } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { constantsOf, pixelCode, pixels, placeCode, type TappedOperands, type TappedProduct } from "./tappedPixels.js";
import { tappedTiles } from "./tappedTiles.js";
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
  { name: "workgroupTile", supports: () => true, run: tappedTiles },
];

export function tappedProduct(runtime: WebGPURuntime, product: TappedProduct, operands: TappedOperands): void {
  if (pixels(product) === 0 || product.rows * product.groups === 0) return;
  tappedCandidates.find((candidate) => candidate.supports(product, runtime))?.run(runtime, product, operands);
}

function registerTileOf({ rows }: TappedProduct, runtime: WebGPURuntime): RegisterTile {
  const broadcast = runtime.isSoftware && rows >= 6 ? runtime.subgroupWidth : 0;
  return { rows: rows >= 12 && broadcast > 0 ? 16 : rows >= 6 ? 8 : rows >= 3 ? 4 : rows, columns: 4, lanes: 64, broadcast };
}

/** One kernel over all pixels, rows and phases; the batch size is a parameter, everything else a constant of the text. */
function inRegisters(runtime: WebGPURuntime, p: TappedProduct, { target, source, weight, bias, activation }: TappedOperands, tile: RegisterTile): void {
  const width = tile.columns * tile.lanes;
  inSlices(Math.ceil(pixels(p) / width), (firstTile, tiles) => {
    dispatchKernel(runtime, {
      name: p.name,
      constants: [...constantsOf(p), activation, bias !== null, JSON.stringify(tile)],
      inputs: { source, weight, bias },
      outputs: { target_: target },
      params: { pixels: pixels(p), firstPixel: firstTile * width },
      usesSubgroups: tile.broadcast > 0,
      workgroups: [tiles, Math.ceil(p.rows / tile.rows), p.groups * p.phases[0] * p.phases[1]],
      body: () => reluCode + pixelCode(p, bias !== null, activation) + registerCode(p, tile),
    });
  });
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

/** WGSL: `each` inside the loops over the taps that hit, with `tap` and `offset`. */
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
