// Winograd's way on hardware GPUs, taken here by every 3×3 convolution that can: outputs that fill no whole tile, any padding, few and odd channels,
// slices of images, outlying pixels; and where it is taken.
import test from "tape";
import { openReference } from "../kernels/reference/index.js";
import type { Conv2dParams } from "../kernels/types.js";
import { openWebGPU, type WebGPUDevice } from "../kernels/webgpu/index.js";
import { compareCases, dispatchesOf, expectation, type KernelCase } from "./support/kernelCase.js";
import { type Layout, normals, output } from "./support/operands.js";
import { outlyingPixels } from "./support/outlyingPixels.js";
import { TestRandom } from "./support/random.js";

interface Geometry {
  /** [N, C, H, W], and the output's channels. */
  readonly input: readonly [number, number, number, number];
  readonly outChannels: number;
  readonly padding: readonly [number, number];
  readonly layout?: Layout;
}

const geometries: readonly Geometry[] = [
  { input: [2, 32, 12, 16], outChannels: 16, padding: [1, 1] },
  { input: [9, 16, 7, 7], outChannels: 16, padding: [1, 1] },
  { input: [2, 17, 11, 9], outChannels: 21, padding: [0, 2], layout: "shifted" },
];

function cases({ input, outChannels, padding, layout }: Geometry, i: number): KernelCase[] {
  const random = new TestRandom(90 + i), [batch, channels, height, width] = input;
  const params: Conv2dParams = { stride: [1, 1], padding, dilation: [1, 1], groups: 1 };
  const result = [batch, outChannels, height + 2 * padding[0] - 2, width + 2 * padding[1] - 2], weight = [outChannels, channels, 3, 3];
  const x = normals(random, input, layout), w = normals(random, weight, layout), grad = normals(random, result, layout), bias = normals(random, [outChannels]);
  const label = `${input.join("×")} → ${outChannels}, padding ${padding.join("×")}`;
  return [
    i % 2 === 0
      ? { name: `conv2d ${label}`, inputs: [x, w], outputs: [output(result, "float32", layout)], allowance: { sumLength: channels * 9 },
        run: (k, y, given, by) => k.conv2d(y, given, by, null, params, "none") }
      : { name: `conv2d + bias, relu ${label}`, inputs: [x, w, bias], outputs: [output(result)], allowance: { sumLength: channels * 9 + 1 },
        run: (k, y, given, by, shift) => k.conv2d(y, given, by, shift ?? null, params, "relu") },
    { name: `conv2dInputGrad ${label}`, inputs: [grad, w], outputs: [output(input)], allowance: { sumLength: outChannels * 9 },
      run: (k, gradX, g, by) => k.conv2dInputGrad(gradX, g, by, params) },
    { name: `conv2dWeightGrad ${label}`, inputs: [grad, x], outputs: [output(weight)], allowance: { sumLength: batch * height * width },
      run: (k, gradW, g, given) => k.conv2dWeightGrad(gradW, g, given, params) },
  ];
}

/** The complaints of each run: the cases' expectations are worked out once. */
async function compareAll(device: WebGPUDevice, list: readonly KernelCase[], before: readonly (() => void)[]): Promise<string[][]> {
  const reference = openReference(), expected = [], complaints = [];
  for (const one of list) expected.push(await expectation(reference, one));
  for (const prepare of before) {
    prepare();
    const found = await compareCases(device, list, expected);
    complaints.push(found.flatMap((complaint, i) => (complaint === "" ? [] : [`${list[i]?.name}: ${complaint}`])));
  }
  return complaints;
}

test("convolutions by Winograd agree with the reference in all directions, beside outlying pixels too, whole and in slices of images", async (t) => {
  const device = await openWebGPU({ kernelsOf: "hardware", winograd: "everywhere" });
  const list = [...geometries.flatMap(cases), ...outlyingPixels([2, 16, 7, 7], [NaN, -1e4, 1e8, -Infinity])];
  const [whole, sliced] = await compareAll(device, list, [() => {}, () => (device.runtime.scratchBytes = 60_000)]);
  t.deepEqual(whole, [], "whole");
  t.deepEqual(sliced, [], "in slices");
  await device.close();
});

/** Winograd's own among the dispatches of a convolution of 16 channels. */
function winogradsOf(device: WebGPUDevice, params: Conv2dParams, shape: readonly number[]): string[] {
  const random = new TestRandom(97), one: KernelCase = {
    name: "which kernels", inputs: [normals(random, shape), normals(random, [16, 16 / params.groups, 3, 3])], outputs: [output(shape)],
    run: (k, y, x, w) => k.conv2d(y, x, w, null, params, "none"),
  };
  return dispatchesOf(device, one).filter((text) => text.includes("fn finish(value: f32, floored"));
}

test("Winograd's way is taken where it can be, where it pays, or never", async (t) => {
  const params: Conv2dParams = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 }, shape = [1, 16, 4, 4];
  const everywhere = await openWebGPU({ kernelsOf: "hardware", winograd: "everywhere" }), where = await openWebGPU({ kernelsOf: "hardware" });
  const software = await openWebGPU({ winograd: "everywhere" });
  t.equal(winogradsOf(everywhere, params, shape).length, 1, "asked for");
  t.equal(winogradsOf(everywhere, { ...params, groups: 2 }, shape).length, 0, "not for groups");
  t.equal(winogradsOf(everywhere, { ...params, padding: [3, 3] }, shape).length, 0, "nor where outputs see nothing but padding");
  t.equal(winogradsOf(where, params, shape).length, 0, "not for a small convolution");
  const isSoftware = software.runtime.isSoftware; // these tests run on hardware, too
  t.equal(winogradsOf(software, params, shape).length, isSoftware ? 0 : 1, "not on a software adapter");
  for (const device of [everywhere, where, software]) await device.close();
});
