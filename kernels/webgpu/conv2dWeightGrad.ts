// The weight gradient of a convolution: few outputs, each a sum over every pixel of the batch,
//   gradW[o, (c, tap)] = Σ_n Σ_pixel grad[n, o, pixel] · x[n, c, pixel moved by the tap]
// Register tiles (software adapters, narrow layers) walk the batch inside a pixel, whose place and bounds are thus worked out once for all
// images; lanes are either neighbouring weights, with the cotangent broadcast, or pixels, whose sums meet in workgroup memory. Hardware GPUs: a
// blocked product whose terms are pixels, or for 3×3 taps Winograd's way (winogradWeightGrad.ts).
// Where a layer has too few weights to fill the device, the sum is split and the parts are added in their order: the same bits every time.
import { lengths4, numel } from "../shape.js";
import type { Conv2dParams, View } from "../types.js";
import { type GradientSizes, inParts, partsFor, sizesIn, type WeightGradProblem } from "./conv2dWeightGradParts.js";
import { weightGradTiles } from "./conv2dWeightGradTiles.js";
import { dispatchKernel, unroll } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { sizesOf } from "./sizes.js";
import { laneMemory, laneParameters, reduceLanes, registerMultiply, type RegisterTile, registerSums, rowPlaces, storeRegisters } from "./tiles.js";
import { winogradWeightGrad, winogradWeightGradSuits } from "./winogradWeightGrad.js";

export function conv2dWeightGrad(runtime: WebGPURuntime, gradW: View, grad: View, x: View, params: Conv2dParams): void {
  if (numel(gradW.shape) === 0) return;
  const [batch, inChannels, height, width] = lengths4(x);
  const [, outChannels, outHeight, outWidth] = lengths4(grad);
  const [, groupChannels, kernelHeight, kernelWidth] = lengths4(gradW);
  const problem: WeightGradProblem = {
    batch, params,
    rows: outChannels / params.groups,
    columns: groupChannels * kernelHeight * kernelWidth,
    kernel: [kernelHeight, kernelWidth],
    input: [inChannels, height, width],
    output: [outChannels, outHeight, outWidth],
  };
  if (runtime.isSoftware && runtime.subgroupWidth > 0 && problem.rows >= 6 && problem.columns >= 6) {
    inRegisters(runtime, problem, gradW, grad, x, columnsTile(problem, runtime.subgroupWidth), "columns", columnLanesCode);
  } else if (runtime.isSoftware || problem.rows < 16 || problem.columns < 16) {
    inRegisters(runtime, problem, gradW, grad, x, pixelsTile(problem), "pixels", pixelLanesCode);
  } else if (winogradWeightGradSuits(problem, runtime)) {
    winogradWeightGrad(runtime, problem, gradW, grad, x);
  } else {
    weightGradTiles(runtime, problem, gradW, grad, x);
  }
}

/** WGSL: a column's channel and tap, where it lies under an output pixel, and where a weight's gradient goes. */
function columnCode({ text: s }: GradientSizes): string {
  return `
struct Column { channel: u32, tap: vec2i }
fn columnAt(number: u32) -> Column {
  let column = min(number, ${s.columns} - 1u);
  let tap = column % ${s.taps};
  return Column(column / ${s.taps}, vec2i(
    i32(tap / ${s.kernelWidth}) * i32(${s.dilationHeight}) - i32(${s.paddingHeight}),
    i32(tap % ${s.kernelWidth}) * i32(${s.dilationWidth}) - i32(${s.paddingWidth})));
}
/** x = 1 where the input pixel exists; y: its place from the start of the group's first channel. */
fn inputAt(column: Column, pixel: vec2u) -> vec2u {
  let h = u32(i32(pixel.x * ${s.strideHeight}) + column.tap.x);
  let w = u32(i32(pixel.y * ${s.strideWidth}) + column.tap.y);
  let inside = h < ${s.inputHeight} && w < ${s.inputWidth};
  return vec2u(u32(inside), column.channel * ${s.inputPlane} + select(0u, h * ${s.inputWidth} + w, inside));
}
fn store(part: u32, group: u32, row: u32, column: u32, value: f32) {
  if (row < ${s.rows} && column < ${s.columns}) {
    gradW[part * ${s.weights} + (group * ${s.rows} + row) * ${s.columns} + column] = value;
  }
}
`;
}

// ── register tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function inRegisters(
  runtime: WebGPURuntime, problem: WeightGradProblem, gradW: View, grad: View, x: View, tile: RegisterTile, along: "pixels" | "columns",
  code: (sizes: GradientSizes, tile: RegisterTile) => string,
): void {
  const { batch, rows, columns, params } = problem;
  const width = along === "columns" ? tile.columns * tile.lanes : tile.columns;
  const grid = [Math.ceil(columns / width), Math.ceil(rows / tile.rows)] as const;
  const parts = partsFor(grid[0] * grid[1] * params.groups, batch, runtime.isSoftware ? 4 : 1024);
  const images = Math.ceil(batch / parts), sizes = sizesOf(runtime, sizesIn(problem));
  inParts(runtime, gradW, parts, (out) => {
    dispatchKernel(runtime, {
      name: `conv2d, weight gradient, lanes along ${along}`,
      constants: [...sizes.constants, JSON.stringify(tile)],
      inputs: { grad, x },
      outputs: { gradW: out },
      params: { batch, images, parts, ...sizes.params },
      usesSubgroups: tile.broadcast > 0,
      workgroups: [grid[0], grid[1], params.groups * parts],
      body: () => columnCode(sizes) + code(sizes, tile),
    });
  });
}

/** WGSL: what a workgroup and its rows are, at the head of main. */
function placeCode({ text: s }: GradientSizes, tile: RegisterTile): string {
  return `
  let group = workgroup.z / params.parts;
  let part = workgroup.z % params.parts;
  let firstImage = part * params.images;
  let lastImage = min(firstImage + params.images, params.batch);
  let firstRow = workgroup.y * ${tile.rows}u;
${rowPlaces(tile, (row) => `params.gradOffset + (group * ${s.rows} + min(firstRow + ${row}, ${s.rows} - 1u)) * ${s.outputPlane}`)}
  let outputImage = ${s.outputImage};
  let inputImage = ${s.inputImage};
  let groupStart = params.xOffset + group * ${s.inputGroup};
${registerSums(tile)}
`;
}

/** WGSL: one output pixel's products over the images; `place` and `pixel` are its coordinates and number. */
function imageLoop(tile: RegisterTile): string {
  return `
${unroll(tile.columns, (j) => `    let at${j} = inputAt(place${j}, place);`)}
    for (var image = firstImage; image < lastImage; image++) {
      let gradStep = image * outputImage + pixel;
      let xStep = groupStart + image * inputImage;
${registerMultiply(tile, (rowAt) => `grad[${rowAt} + gradStep]`, (j) => `select(0.0, x[at${j}.y + xStep], at${j}.x != 0u)`)}
    }`;
}

/** Lanes are neighbouring weights of an output channel; the cotangent is the same for all of them and is broadcast. */
function columnsTile({ rows, columns }: WeightGradProblem, broadcast: number): RegisterTile {
  const perLane = columns <= 2 * broadcast ? 1 : columns <= 8 * broadcast ? 2 : 4;
  return { rows: rows >= 12 ? 16 : 8, columns: perLane, lanes: Math.max(8, broadcast), broadcast };
}
function columnLanesCode(sizes: GradientSizes, tile: RegisterTile): string {
  const { columns, lanes } = tile, s = sizes.text;
  return `
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, ${laneParameters(tile)}) {
${placeCode(sizes, tile)}
  let firstColumn = workgroup.x * ${columns * lanes}u + lane;
${unroll(columns, (j) => `  let place${j} = columnAt(firstColumn + ${j * lanes}u);`)}
  for (var p = 0u; p < ${s.outputHeight}; p++) {
  for (var q = 0u; q < ${s.outputWidth}; q++) {
    let place = vec2u(p, q);
    let pixel = p * ${s.outputWidth} + q;
${imageLoop(tile)}
  }
  }
${storeRegisters(tile, (i, j, value) => `  store(part, group, firstRow + ${i}u, firstColumn + ${j * lanes}u, ${value});`)}
}
`;
}

/** Lanes share out the pixels of a plane; a workgroup computes rows × columns weights and adds its lanes' sums at the end. */
function pixelsTile({ rows, columns, output }: WeightGradProblem): RegisterTile {
  const plane = output[1] * output[2];
  // The lane count that leaves the fewest lanes idle in the plane's last round.
  const waste = (lanes: number) => Math.ceil(plane / lanes) * lanes;
  const lanes = [64, 32, 16].reduce((best, lane) => (waste(lane) < waste(best) * 0.9 ? lane : best), 64);
  return { rows: rows >= 6 ? 8 : rows >= 3 ? 4 : rows, columns: columns % 4 === 0 ? 4 : 3, lanes, broadcast: 0 };
}
function pixelLanesCode(sizes: GradientSizes, tile: RegisterTile): string {
  const { columns, lanes } = tile, s = sizes.text;
  return `
${laneMemory(tile)}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3u, ${laneParameters(tile)}) {
${placeCode(sizes, tile)}
  let firstColumn = workgroup.x * ${columns}u;
${unroll(columns, (j) => `  let place${j} = columnAt(firstColumn + ${j}u);`)}
  for (var pixel = lane; pixel < ${s.outputPlane}; pixel += ${lanes}u) {
    let place = vec2u(pixel / ${s.outputWidth}, pixel % ${s.outputWidth});
${imageLoop(tile)}
  }
${reduceLanes(tile, (sum, value) => `store(part, group, firstRow + ${sum} / ${columns}u, firstColumn + ${sum} % ${columns}u, ${value});`)}
}
`;
}
