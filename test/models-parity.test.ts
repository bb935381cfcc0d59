// Takes minutes.
// The classic networks against torchvision, weights from a formula: logits, every gradient, and batch norm's statistics. All on the CPU; LeNet-5
// on the reference device too, where nothing but the last digits may differ; on WebGPU each kind of network, in the run that is quickest there
// (SwiftShader compiles for seconds). AlexNet and VGG are in models-large.test.ts.
import test from "tape";
import { openDevice } from "../index.js";
import { checkRuns, runs, type ClassicRun } from "./support/classicRuns.js";

const small = runs.filter(({ factory }) => !factory.startsWith("vgg") && factory !== "alexnet");

test("on the CPU: logits, every gradient, running statistics", async (t) => {
  const device = await openDevice("cpu", { threads: 2 });
  await checkRuns(t, device, small);
  await device.close();
});

test("LeNet-5 in float64 is PyTorch's to the last digits", async (t) => {
  const device = await openDevice("reference");
  await checkRuns(t, device, small.filter(({ factory }) => factory === "lenet5")); // plain loops: the larger ones would take hours
  await device.close();
});

test("on WebGPU", async (t) => {
  const device = await openDevice("webgpu");
  const quickest: Readonly<Record<string, (run: ClassicRun) => boolean>> = {
    lenet5: () => true,
    googlenet: ({ frozen, options }) => frozen || options.auxLogits === false, // with the auxiliary heads, and with batch norm in training
    resnet18: ({ training }) => training,
    resnet50: ({ training }) => !training,
    densenet121: ({ training }) => !training,
  };
  await checkRuns(t, device, small.filter((run) => quickest[run.factory]?.(run) === true));
  await device.close();
});
