// The weight gradient of a convolution in the blocked product of hardware GPUs (workgroupTile.ts): rows are output channels, columns the pairs of
// tap and input channel, terms the output pixels of all images. Neighbouring threads take neighbouring pixels of both operands.
import type { View } from "../types.js";
import { inParts, partsFor, sizesIn, type WeightGradProblem } from "./conv2dWeightGradParts.js";
import { dispatchKernel, unroll } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import {
  type Choice, chooseTile, multiplyTerms, type Piece, slabMemory, type SlabSource, storeSums, threadsOf, tileSums, type WorkgroupTile,
} from "./workgroupTile.js";
import { type Verdict, verdictQuestions } from "./winogradVerdict.js";

/** Columns are ordered tap by tap, the channels of a tap padded to four: a thread's four columns share the place under a pixel. */
const paddedChannels = ({ input, params }: WeightGradProblem): number => Math.ceil(input[0] / params.groups / 4) * 4;

/** The tile, and how the sum is split. */
export interface WeightGradPlan {
  readonly tile: WorkgroupTile;
  readonly columns: number;
  readonly parts: number;
}

export function weightGradPlan(runtime: WebGPURuntime, problem: WeightGradProblem): WeightGradPlan {
  const { batch, rows, kernel, output, params } = problem;
  const columns = kernel[0] * kernel[1] * paddedChannels(problem), terms = batch * output[1] * output[2];
  const tile = chooseTile(runtime, weightChoices(rows, columns), params.groups, rows, columns);
  const tiles = Math.ceil(columns / tile.columns) * Math.ceil(rows / tile.rows) * params.groups;
  return { tile, columns, parts: partsFor(tiles, Math.ceil(terms / 512), tile.rows < 128 ? 512 : 256) };
}

export function weightGradTiles(runtime: WebGPURuntime, problem: WeightGradProblem, gradW: View, grad: View, x: View): void {
  const plan = weightGradPlan(runtime, problem);
  inParts(runtime, gradW, plan.parts, (out) => weightGradSums(runtime, problem, plan, out, grad, x, null));
}

/** The parts' sums, one after the other; with a verdict only where it asks for them. */
export function weightGradSums(
  runtime: WebGPURuntime, problem: WeightGradProblem, plan: WeightGradPlan, out: View, grad: View, x: View, verdict: Verdict | null,
): void {
  const { batch, rows, output, params } = problem, { tile, columns, parts } = plan, terms = batch * output[1] * output[2];
  dispatchKernel(runtime, {
    name: "conv2d, weight gradient, workgroup tile",
    constants: [JSON.stringify(sizesIn(problem)), JSON.stringify(tile)],
    inputs: { grad, x, verdict: verdict?.view ?? null },
    outputs: { gradW: out },
    params: { terms, termsOfPart: Math.ceil(terms / parts / tile.terms) * tile.terms, parts, ...(verdict && { ticket: verdict.ticket }) },
    workgroups: [Math.ceil(columns / tile.columns), Math.ceil(rows / tile.rows), params.groups * parts],
    body: () => tileCode(problem, tile, columns, verdict !== null),
  });
}

/** Few outputs and a long sum: the size of the tile goes by the layer alone, the sum is split until the GPU is full. */
function weightChoices(rows: number, columns: number): readonly [Choice, ...Choice[]] {
  if (rows <= 32) return [[columns <= 64 ? "32×32/4×4" : "32×128/4×8", 0]];
  return rows <= 64 || columns <= 512 ? [["64×64/8×8", 0]] : [["128×128/8×16", 0], ["64×64/8×8", 0]];
}

function tileCode(problem: WeightGradProblem, tile: WorkgroupTile, columns: number, judged: boolean): string {
  const { input, params, rows, kernel } = problem;
  const groupChannels = input[0] / params.groups, taps = kernel[0] * kernel[1];
  return `
${slabMemory(tile, "terms", "terms")}
${fourChannelsCode(problem)}
${judged ? verdictQuestions : ""}
@compute @workgroup_size(${threadsOf(tile)})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
${judged ? "  if (!allDirect()) { return; }" : ""}
  let group = workgroup.z / params.parts;
  let part = workgroup.z % params.parts;
  let firstRow = workgroup.y * ${tile.rows}u;
  let firstColumn = workgroup.x * ${tile.columns}u;
${tileSums(tile)}
  let firstTerm = part * params.termsOfPart;
  let lastTerm = min(firstTerm + params.termsOfPart, params.terms);
${multiplyTerms(tile, gradSource(problem), inputSource(problem, columns), "firstTerm", "lastTerm")}
  let partFirst = part * ${params.groups * rows * problem.columns}u;
${storeSums(tile, (row, quad, value) => `  {
    let row = firstRow + ${row};
    let column = firstColumn + ${quad} * 4u;
    let channel = column % ${paddedChannels(problem)}u;
    if (row < ${rows}u && column < ${columns}u) {
      let place = partFirst + (group * ${rows}u + row) * ${problem.columns}u + channel * ${taps}u + column / ${paddedChannels(problem)}u;
${unroll(4, (i) => `      if (channel + ${i}u < ${groupChannels}u) { gradW[place + ${i * taps}u] = ${value}[${i}]; }`)}
    }
  }`)}
}
`;
}

/** The cotangent's rows. A term is a pixel of an image, the same for all pieces of a thread, those of the input too. */
function gradSource({ rows, output }: WeightGradProblem): SlabSource {
  const plane = output[1] * output[2];
  const row = (piece: Piece, i: number) => (rows % 4 === 0
    ? `min(firstRow + ${piece.quad} * 4u, ${rows - 4}u) + ${i}u` : `min(firstRow + ${piece.quad} * 4u + ${i}u, ${rows - 1}u)`);
  return {
    unit: "terms",
    prepare: (piece) => unroll(4, (i) => `  let gradAt${piece.number}_${i} = params.gradOffset + (group * ${rows}u + ${row(piece, i)}) * ${plane}u;`),
    each: `
      let number = min(slabStart + rowTerm0, lastTerm - 1u);
      let exists = slabStart + rowTerm0 < lastTerm;
      let image = number / ${plane}u;
      let pixel = number % ${plane}u;
      let gradStart = image * ${output[0] * plane}u + pixel;
`,
    load: (piece) => `select(vec4f(), vec4f(${[0, 1, 2, 3].map((i) => `grad[gradAt${piece.number}_${i} + gradStart]`).join(", ")}), exists)`,
  };
}

/** The input under a pixel, moved by the tap of the thread's four columns. */
function inputSource(problem: WeightGradProblem, columns: number): SlabSource {
  const { input, output, params, kernel } = problem, [, height, width] = input, plane = height * width;
  const groupChannels = input[0] / params.groups, padded = paddedChannels(problem);
  return {
    unit: "terms",
    prepare: ({ number, quad }) => `
  let column${number} = min(firstColumn + ${quad} * 4u, ${columns - 4}u);
  let tap${number} = column${number} / ${padded}u;
  let channel${number} = min(column${number} % ${padded}u, ${groupChannels - 1}u);
  let move${number} = vec2i(
    i32(tap${number} / ${kernel[1]}u) * ${params.dilation[0]} - ${params.padding[0]}, i32(tap${number} % ${kernel[1]}u) * ${params.dilation[1]} - ${params.padding[1]});
  let inputAt${number} = params.xOffset + (group * ${groupChannels}u + channel${number}) * ${plane}u;`,
    each: `
      let place = vec2i(i32(pixel / ${output[2]}u) * ${params.stride[0]}, i32(pixel % ${output[2]}u) * ${params.stride[1]});
      let inputStart = image * ${input[0] * plane}u;
`,
    load: ({ number }) => `fourChannels(inputAt${number} + inputStart, place + move${number}, channel${number}, exists)`,
  };
}

/** WGSL: x at a place of four channels in a row, zero outside; of padded channels the last one's, which nobody stores. */
function fourChannelsCode({ input, params }: WeightGradProblem): string {
  const [, height, width] = input, plane = height * width, groupChannels = input[0] / params.groups;
  const step = (i: number) => (groupChannels % 4 === 0 ? `${i * plane}u` : `min(${i}u, ${groupChannels - 1}u - channel) * ${plane}u`);
  return `
fn fourChannels(start: u32, place: vec2i, channel: u32, exists: bool) -> vec4f {
  let inside = exists && u32(place.x) < ${height}u && u32(place.y) < ${width}u;
  let at = start + select(0u, u32(place.x) * ${width}u + u32(place.y), inside);
  return select(vec4f(), vec4f(${[0, 1, 2, 3].map((i) => `x[at + ${step(i)}]`).join(", ")}), inside);
}
`;
}
