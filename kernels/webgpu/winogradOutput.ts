// The end of a convolution by Winograd: the products [component][channel][tile] become 4×4 cells of output each, with bias and activation. A thread is
// a tile of one channel, neighbours are neighbouring tiles.
import type { Activation, Pair, View } from "../types.js";
import { dispatchKernel, unroll } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { activate, reluCode } from "./tiles.js";
import type { TileGrid } from "./winogradTiles.js";
import { eachCell, tileCells, transformCode, transforms } from "./winogradTransforms.js";
import { type Verdict, verdictQuestions } from "./winogradVerdict.js";

const lanes = 64;

export interface WinogradOutput {
  /** [N, channels, height, width] */
  readonly target: View;
  readonly channels: number;
  readonly plane: Pair;
  readonly bias: View | null;
  readonly activation: Activation;
}

/** `products` has `paddedChannels` rows a component. */
export function winogradOutput(runtime: WebGPURuntime, to: WinogradOutput, products: View, paddedChannels: number, grid: TileGrid, verdict: Verdict): void {
  const { target, channels, plane, bias, activation } = to, tilesOfImage = grid.tileRows * grid.tileColumns;
  const byVector = plane[1] % 4 === 0 && target.offset % 4 === 0;
  dispatchKernel(runtime, {
    name: "winograd, transform of the products",
    constants: [activation],
    inputs: { products, bias, verdict: verdict.view },
    outputs: { target_: target },
    vectors: byVector ? ["target_"] : [],
    params: {
      ticket: verdict.ticket, channels, paddedChannels, height: plane[0], width: plane[1], tileColumns: grid.tileColumns, tilesOfImage,
      firstImage: grid.firstImage, tileCount: tilesOfImage * grid.images, paddedTiles: grid.paddedTiles,
    },
    workgroups: [Math.ceil((tilesOfImage * grid.images) / lanes), channels, 1],
    body: () => outputCode(bias !== null, activation, byVector),
  });
}

function outputCode(hasBias: boolean, activation: Activation, byVector: boolean): string {
  const { code, value } = transformCode(transforms.output, "product");
  const cells = (i: number) => [0, 1, 2, 3].map((j) => `finish(${value(i, j)}, floored, shift)`);
  const store = (i: number) => (byVector
    ? `target_[(place + ${i}u * params.width) / 4u] = vec4f(${cells(i).join(", ")});`
    : cells(i).map((cell, j) => `if (column + ${j}u < params.width) { target_[place + ${i}u * params.width + ${j}u] = ${cell}; }`).join("\n"));
  return `
${reluCode}
${verdictQuestions}
/** Where neither pixels nor weights are negative no sum is: what is below zero is a rounding error. */
fn finish(value: f32, floored: bool, shift: f32) -> f32 {
  let sum = select(value, 0.0, floored && lessThan(value, 0.0)) + shift;
  return ${activate("sum", activation)};
}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = workgroup.x * ${lanes}u + lane;
  let channel = workgroup.y;
  if (tile >= params.tileCount || allDirect()) { return; }
  let image = params.firstImage + tile / params.tilesOfImage;
  let row = tile % params.tilesOfImage / params.tileColumns * ${tileCells}u;
  let column = tile % params.tilesOfImage % params.tileColumns * ${tileCells}u;
  let start = channel * params.paddedTiles + tile;
  let step = params.paddedChannels * params.paddedTiles;
${eachCell(6, (i, j) => `  let product${i}_${j} = products[start + ${i * 6 + j}u * step];`)}
${code}
  let floored = nothingNegative();
  let shift = ${hasBias ? "bias[params.biasOffset + channel]" : "0.0"};
  let place = params.target_Offset + ((image * params.channels + channel) * params.height + row) * params.width + column;
${unroll(tileCells, (i) => `  if (row + ${i}u < params.height) { ${store(i)} }`)}
}
`;
}
