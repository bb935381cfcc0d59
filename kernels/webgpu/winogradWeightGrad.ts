// The weight's gradient of a 3×3 convolution by Winograd on hardware GPUs: 36 products [outChannels, tiles]·[tiles, channels] of the transformed
// gradient and source, and one transform back of their sums. Few outputs and long sums: the tiles are split into parts, which the transform back adds
// in their order. Where either operand is uneven (winogradTiles.ts) the direct product runs instead; its workgroups return at once else.
import { numel } from "../shape.js";
import type { Pair, View } from "../types.js";
import type { WeightGradProblem } from "./conv2dWeightGradParts.js";
import { weightGradPlan, weightGradSums } from "./conv2dWeightGradTiles.js";
import { dispatchKernel } from "./kernelCall.js";
import { matmulProblem } from "./matmulProblem.js";
import { matmulTiles } from "./matmulTiles.js";
import type { WebGPURuntime } from "./runtime.js";
import { imagesOfSlice, winogradPays, type WinogradSizes } from "./winograd.js";
import { dispatchShares } from "./winogradShares.js";
import { type TileGrid, tileGrid, transformedElements, transformOfTiles } from "./winogradTiles.js";
import { components, eachCell, transformCode, transforms } from "./winogradTransforms.js";
import { newVerdict, type Verdict, verdictQuestions } from "./winogradVerdict.js";
import { type Choice, slabTerms } from "./workgroupTile.js";

const edge = 64;
const productChoices: readonly [Choice, ...Choice[]] = [["64×64/8×8", 0]];
/** Workgroups that fill a large GPU, and the least terms of a part. */
const wantedWorkgroups = 576, leastTerms = 256;

const channelsOf = ({ input, output }: WeightGradProblem): Pair => [input[0], output[0]];
const sizesOf = (problem: WeightGradProblem): WinogradSizes => ({ batch: problem.batch, channels: channelsOf(problem), plane: [problem.output[1], problem.output[2]] });

export function winogradWeightGradSuits(problem: WeightGradProblem, runtime: WebGPURuntime): boolean {
  const { kernel, params } = problem, { stride, dilation, groups } = params;
  return [...kernel].every((length) => length === 3) && [...stride, ...dilation, groups].every((one) => one === 1) && winogradPays(runtime, sizesOf(problem));
}

export function winogradWeightGrad(runtime: WebGPURuntime, problem: WeightGradProblem, gradW: View, grad: View, x: View): void {
  const { batch, input, params } = problem, [channels, outChannels] = channelsOf(problem), sizes = sizesOf(problem);
  const verdict = newVerdict(runtime);
  const tiles = components * Math.ceil(outChannels / edge) * Math.ceil(channels / edge), perSlice = imagesOfSlice(runtime, sizes);
  const common = { output: sizes.plane, judges: "all" } as const;
  for (let first = 0; first < batch; first += perSlice) {
    const images = Math.min(perSlice, batch - first), terms = tileGrid(sizes.plane, first, images, slabTerms).paddedTiles;
    const parts = Math.max(1, Math.min(Math.floor(wantedWorkgroups / tiles), Math.floor(terms / leastTerms)));
    const grid = tileGrid(sizes.plane, first, images, slabTerms * parts);
    const left = runtime.temporary(transformedElements(outChannels, grid.paddedTiles)), right = runtime.temporary(transformedElements(channels, grid.paddedTiles));
    dispatchShares(runtime, [
      transformOfTiles(right, { ...common, kind: "source", from: x, channels, plane: [input[1], input[2]], origin: [-params.padding[0], -params.padding[1]] }, grid),
      transformOfTiles(left, { ...common, kind: "gradient", from: grad, channels: outChannels, plane: sizes.plane, origin: [0, 0] }, grid),
    ], verdict);
    const products = runtime.temporary(components * parts * outChannels * channels);
    const { a, b } = operands(left, right, grid, parts, outChannels, channels);
    matmulTiles(runtime, matmulProblem(a, b), { out: products, a, b, bias: null, activation: "none" }, productChoices);
    runtime.releaseTemporary(left);
    runtime.releaseTemporary(right);
    const isLast = first + perSlice >= batch, direct = isLast ? directSums(runtime, problem, grad, x, verdict) : null;
    transformBack(runtime, gradW, { products, parts, isFirst: first === 0 }, direct);
    runtime.releaseTemporary(products);
    if (direct) runtime.releaseTemporary(direct.sums);
  }
}

/** Both lie along the tiles, which are cut into parts: one more dimension of the batch. */
function operands(left: View, right: View, { paddedTiles }: TileGrid, parts: number, outChannels: number, channels: number): { a: View; b: View } {
  const length = paddedTiles / parts;
  return {
    a: { ...left, shape: [components, parts, outChannels, length], strides: [outChannels * paddedTiles, length, paddedTiles, 1] },
    b: { ...right, shape: [components, parts, length, channels], strides: [channels * paddedTiles, length, 1, paddedTiles] },
  };
}

interface DirectSums {
  readonly sums: View;
  readonly parts: number;
  readonly verdict: Verdict;
}
/** The direct product's sums, where the verdict asks for them. */
function directSums(runtime: WebGPURuntime, problem: WeightGradProblem, grad: View, x: View, verdict: Verdict): DirectSums {
  const plan = weightGradPlan(runtime, problem), sums = runtime.temporary(plan.parts * problem.output[0] * problem.columns);
  weightGradSums(runtime, problem, plan, sums, grad, x, verdict);
  return { sums, parts: plan.parts, verdict };
}

interface Products {
  /** [component][part][outChannels, channels] */
  readonly products: View;
  readonly parts: number;
  /** Of the slices of images: the others' gradients are added to what is there. */
  readonly isFirst: boolean;
}

const lanes = 64;

function transformBack(runtime: WebGPURuntime, gradW: View, { products, parts, isFirst }: Products, direct: DirectSums | null): void {
  const count = numel(gradW.shape) / 9;
  dispatchKernel(runtime, {
    name: "winograd, weight gradient",
    constants: [isFirst],
    inputs: { products, sums: direct?.sums ?? null, verdict: direct?.verdict.view ?? null },
    outputs: { gradW },
    params: { count, parts, ...(direct && { directParts: direct.parts, ticket: direct.verdict.ticket }) },
    workgroups: Math.ceil(count / lanes),
    body: () => backCode(isFirst, direct !== null),
  });
}

function backCode(isFirst: boolean, isLast: boolean): string {
  const { code, value } = transformCode(transforms.weightGradient, "sum");
  return `
${isLast ? verdictQuestions : ""}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linearWorkgroup(workgroup, grid) * ${lanes}u + lane;
  if (i >= params.count) { return; }
${isLast ? `  if (allDirect()) {
    for (var tap = i * 9u; tap < i * 9u + 9u; tap++) {
      var sum = 0.0;
      for (var part = 0u; part < params.directParts; part++) { sum += sums[part * params.count * 9u + tap]; }
      gradW[tap] = sum;
    }
    return;
  }` : ""}
${eachCell(6, (r, s) => `  var sum${r}_${s} = 0.0;`)}
  for (var part = 0u; part < params.parts; part++) {
${eachCell(6, (r, s) => `    sum${r}_${s} += products[(${r * 6 + s}u * params.parts + part) * params.count + i];`)}
  }
${code}
${eachCell(3, (r, s) => `  gradW[i * 9u + ${r * 3 + s}u] = ${isFirst ? "" : `gradW[i * 9u + ${r * 3 + s}u] + `}${value(r, s)};`)}
}
`;
}
