// Winograd's F(4×4, 3×3) on hardware GPUs, for a convolution and its input gradient (the weight's: winogradWeightGrad.ts): where it applies and
// pays, and its dispatches:
//   1. the source becomes 36 matrices [depth, tiles], one for each component of a transformed tile, and is judged (winogradTiles.ts); beside it the weights
//      become 36 matrices [depth, rows] (winogradWeights.ts)
//   2. 36 matrix products (matmulTiles.ts), a quarter of the direct convolution's multiplications
//   3. the products become the output, with bias and activation (winogradOutput.ts)
//   4. the direct product (tappedTiles.ts) of the images that the judgement names, mostly none: its workgroups return at once
// The transformed source and the products go through memory, 2.25 times as large as source and output, in slices of images where that is much.
import { contiguousStrides } from "../shape.js";
import type { Pair, View } from "../types.js";
import { matmulProblem } from "./matmulProblem.js";
import { matmulTiles } from "./matmulTiles.js";
import type { WebGPURuntime } from "./runtime.js";
import type { TappedOperands, TappedProduct } from "./tappedPixels.js";
import { productOfTiles, tappedForm } from "./tappedTiles.js";
import { type Choice, slabTerms } from "./workgroupTile.js";
import { winogradOutput } from "./winogradOutput.js";
import { dispatchShares } from "./winogradShares.js";
import { tileGrid, transformedElements, transformOfTiles } from "./winogradTiles.js";
import { components, tileCells } from "./winogradTransforms.js";
import { newVerdict } from "./winogradVerdict.js";
import { transformOfWeights, weightScratch } from "./winogradWeights.js";

/** Where it pays, by sizes alone, so that two runs choose alike. Measured on an H200 (kernels/NOTES.md). */
const paysFrom = {
  /** Channels on either side: the transforms' memory is paid for by each of the other side's. */
  channels: 64,
  /** Multiplications and additions of the direct convolution: below, the further dispatches cost more than they save. */
  flop: 2e9,
  /** Share of the tiles' cells that the output has. */
  filled: 0.5,
} as const;
/** Smaller ones never, as on the CPU: a tile would be mostly wasted. */
const leastSizes = { channels: 8, plane: 3 } as const;
/** Tiles are padded to a slab of terms; those of a weight's gradient to slabs of every part, at most so much more. */
const padding = 17 / 16;

/** Tiles of the product: rows are channels, columns tiles of the images. */
const productChoices: readonly [Choice, ...Choice[]] = [["64×128/8×8", 256], ["64×64/8×8", 192], ["64×64/8×4", 48], ["32×32/4×4", 0]];

const tilesOf = ([height, width]: Pair): number => Math.ceil(height / tileCells) * Math.ceil(width / tileCells);

/** Sizes of a 3×3 convolution in one of its directions. */
export interface WinogradSizes {
  readonly batch: number;
  readonly channels: Pair;
  /** The plane that is cut into tiles. */
  readonly plane: Pair;
}

/** Whether a 3×3 convolution of these sizes goes by Winograd: allowed, no larger than a buffer, and worth it. */
export function winogradPays(runtime: WebGPURuntime, { batch, channels, plane }: WinogradSizes): boolean {
  if (runtime.isSoftware || runtime.winograd === false) return false;
  if (Math.min(...channels) < leastSizes.channels || Math.min(...plane) < leastSizes.plane || batch === 0) return false;
  const cells = batch * plane[0] * plane[1], largest = Math.max(...channels) + 3;
  if (largest * components * Math.max(tilesOf(plane) * padding + slabTerms, largest) * 4 > runtime.pool.largestBuffer) return false;
  if (runtime.winograd === "everywhere") return true;
  return Math.min(...channels) >= paysFrom.channels && 18 * cells * channels[0] * channels[1] >= paysFrom.flop
    && plane[0] * plane[1] >= paysFrom.filled * tilesOf(plane) * tileCells ** 2;
}

/** How far the first of a target's pixels reaches back. */
const origin = (p: TappedProduct, axis: 0 | 1): number => Math.min(...p.taps(axis, 0).map(({ offset }) => offset));

const isPair = (pair: Pair, value: number): boolean => pair[0] === value && pair[1] === value;

export function winogradSuits(p: TappedProduct, runtime: WebGPURuntime): boolean {
  return isPair(p.kernel, 3) && isPair(p.step, 1) && isPair(p.phases, 1) && isPair(p.dilation, 1) && p.groups === 1
    // Further back, outputs that see padding alone would not be exactly zero.
    && Math.min(origin(p, 0), origin(p, 1)) >= -2
    && winogradPays(runtime, { batch: p.batch, channels: [p.depth, p.rows], plane: [p.target[1], p.target[2]] });
}

/** Images whose transformed tiles fit the scratch and a buffer, all slices alike. */
export function imagesOfSlice(runtime: WebGPURuntime, { batch, channels, plane }: WinogradSizes): number {
  const bytes = (count: number, tiles: number) => count * components * tiles * padding * 4, largest = Math.max(...channels) + 3;
  const ofScratch = runtime.scratchBytes / bytes(channels[0] + channels[1], tilesOf(plane));
  const ofBuffer = (runtime.pool.largestBuffer - bytes(largest, slabTerms)) / bytes(largest, tilesOf(plane));
  return Math.ceil(batch / Math.ceil(batch / Math.max(1, Math.floor(Math.min(ofScratch, ofBuffer)))));
}

export function winogradProduct(runtime: WebGPURuntime, p: TappedProduct, operands: TappedOperands): void {
  const { source, target, weight, bias, activation } = operands, [, height, width] = p.target, plane: Pair = [height, width];
  const form = tappedForm(runtime, p), rows = form.paddedRows, verdict = newVerdict(runtime);
  const weights = weightScratch(runtime, p, form);
  const planes = {
    kind: "source", from: source, channels: p.depth, plane: [p.source[1], p.source[2]], origin: [origin(p, 0), origin(p, 1)], output: plane, judges: "image",
  } as const;
  const perSlice = imagesOfSlice(runtime, { batch: p.batch, channels: [p.depth, rows], plane });
  for (let first = 0; first < p.batch; first += perSlice) {
    const grid = tileGrid(plane, first, Math.min(perSlice, p.batch - first), slabTerms), { paddedTiles } = grid;
    const tiles = runtime.temporary(transformedElements(p.depth, paddedTiles));
    const ofTiles = transformOfTiles(tiles, planes, grid);
    dispatchShares(runtime, first === 0 ? [ofTiles, transformOfWeights(weights, p, form, weight)] : [ofTiles], verdict);
    const products = matrices(runtime.temporary(transformedElements(rows, paddedTiles)), [rows, paddedTiles]);
    const a = matrices(weights.transformed, [rows, p.depth], [1, rows]), b = matrices(tiles, [p.depth, paddedTiles]);
    matmulTiles(runtime, matmulProblem(a, b), { out: products, a, b, bias: null, activation: "none" }, productChoices);
    runtime.releaseTemporary(tiles);
    winogradOutput(runtime, { target, channels: p.rows, plane, bias, activation }, products, rows, grid, verdict);
    runtime.releaseTemporary(products);
  }
  productOfTiles(runtime, p, form, { ...operands, weight: weights.ordered }, verdict);
  runtime.releaseTemporary(weights.transformed);
  runtime.releaseTemporary(weights.ordered);
}

/** Scratch as a matrix for each component. */
function matrices(scratch: View, shape: Pair, strides = contiguousStrides(shape)): View {
  return { ...scratch, shape: [components, ...shape], strides: [shape[0] * shape[1], ...strides] };
}
