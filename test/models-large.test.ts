// Holds gigabytes.
// AlexNet and VGG against torchvision: up to 140 million weights and as many gradients, one network at a time. All on the CPU, the smallest of
// each kind on WebGPU.
import test from "tape";
import { memory, openDevice } from "../index.js";
import { checkRuns, runs } from "./support/classicRuns.js";

const large = runs.filter(({ factory }) => factory.startsWith("vgg") || factory === "alexnet");

test("AlexNet and VGG on the CPU: logits, every gradient, running statistics", async (t) => {
  const device = await openDevice("cpu", { threads: 2 });
  t.equal(new Set(large.map(({ factory }) => factory)).size, 7, "AlexNet, VGG-11, 16 and 19 with and without batch norm");
  await checkRuns(t, device, large);
  const { peakBytes } = memory(device);
  // Weights and gradients of VGG-19 are 1.04 GiB; the rest is holes between blocks, for WebAssembly's memory neither moves nor shrinks.
  t.ok(peakBytes < 2.25 * 2 ** 30, `the engine's memory peaked at ${(peakBytes / 2 ** 30).toFixed(2)} GiB`);
  await device.close();
});

test("AlexNet and VGG-11 with batch norm on WebGPU", async (t) => {
  const device = await openDevice("webgpu");
  await checkRuns(t, device, large.filter(({ factory, training }) => training && (factory === "alexnet" || factory === "vgg11Bn")));
  await device.close();
});
