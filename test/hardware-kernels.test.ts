// The kernels of hardware GPUs: their texts, counted (what a multiply-add costs in loads decides how fast a product can be, whatever the GPU), and
// the least that WebGPU promises of an adapter, eight buffers a kernel and 16 KiB of workgroup memory, which is all that they may need.
import test from "tape";
import { type WebGPUDevice, openWebGPU } from "../kernels/webgpu/index.js";
import { openReference } from "../kernels/reference/index.js";
import type { View } from "../kernels/types.js";
import { normalisation, optimizerSteps } from "./kernels/layers.js";
import { compareCases, expectation, type KernelCase } from "./support/kernelCase.js";
import { contiguousStrides, count, normals, output } from "./support/operands.js";
import { TestRandom } from "./support/random.js";

const bytesOfVector = 16;
/** Of a vec4 multiplied and added. */
const flopOfVector = 8;

interface Counts {
  readonly name: string;
  readonly code: string;
  /** Bytes read from workgroup memory for a floating-point operation. */
  readonly workgroupBytes: number;
}

/** The dispatches that `issue` would make, counted instead of run. */
function counted(device: WebGPUDevice, issue: () => void): Counts[] {
  const found: Counts[] = [], run = device.runtime.dispatch.bind(device.runtime);
  device.runtime.dispatch = ({ name, code }) => {
    const reads = code.match(/= (row|column)Slab\[/g)?.length ?? 0, products = code.match(/= fma\(vec4f/g)?.length ?? 0;
    found.push({ name, code, workgroupBytes: (reads * bytesOfVector) / (products * flopOfVector) });
  };
  try {
    issue();
  } finally {
    device.runtime.dispatch = run;
  }
  return found;
}

const small = (device: WebGPUDevice, shape: readonly number[], strides = contiguousStrides(shape)): View => (
  { buffer: device.allocate(Math.min(count(shape), 64)), shape, strides, offset: 0, dtype: "float32" }
);

test("products read both operands by vec4, and little of workgroup memory", async (t) => {
  const device = await openWebGPU({ kernelsOf: "hardware" });
  for (const n of [1024, 2048, 4096]) {
    for (const form of ["NN", "NT", "TN", "TT"]) {
      const operand = (transposed: boolean) => small(device, [n, n], transposed ? [1, n] : [n, 1]);
      const [product, ...more] = counted(device, () => {
        device.kernels.matmul(small(device, [n, n]), operand(form[0] === "T"), operand(form[1] === "T"), null, "none");
      });
      t.deepEqual(more, [], `matmul ${n} ${form}: one dispatch`);
      t.ok((product?.workgroupBytes ?? 1) <= 0.5, `matmul ${n} ${form}: ${product?.workgroupBytes} bytes of workgroup memory a FLOP, at most 0.5`);
      for (const name of ["a", "b", "out"]) t.ok(product?.code.includes(`${name}: array<vec4f>`), `matmul ${n} ${form}: ${name} by vec4`);
      t.notOk(/(row|column)Next\d+ = select/.test(product?.code ?? ""), `matmul ${n} ${form}: no term is tested inside the matrix`);
    }
  }
  await device.close();
});

/** The dispatches of a 3×3 layer of so many channels on both sides, at batch 64. */
function inDirections(device: WebGPUDevice, channels: number, size: number): Record<string, Counts[]> {
  const params = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 } as const, { kernels } = device;
  const image = small(device, [64, channels, size, size]), weight = small(device, [channels, channels, 3, 3]), out = small(device, image.shape);
  return {
    forward: counted(device, () => kernels.conv2d(out, image, weight, null, params, "none")),
    "input gradient": counted(device, () => kernels.conv2dInputGrad(image, out, weight, params)),
    "weight gradient": counted(device, () => kernels.conv2dWeightGrad(weight, out, image, params)),
  };
}

test("convolutions read little of workgroup memory, and their weights by vec4", async (t) => {
  const directly = await openWebGPU({ kernelsOf: "hardware", winograd: false }), device = await openWebGPU({ kernelsOf: "hardware" });
  for (const [channels, size] of [[64, 56], [128, 28], [256, 14], [512, 7]] as const) {
    for (const [direction, dispatches] of Object.entries(inDirections(directly, channels, size))) {
      const product = dispatches.find(({ code }) => code.includes("rowSlab")), label = `${channels} channels at ${size}², ${direction}`;
      t.ok((product?.workgroupBytes ?? 1) <= 0.75, `${label}: ${product?.workgroupBytes} bytes of workgroup memory a FLOP, at most 0.75`);
      if (direction !== "weight gradient") t.ok(product?.code.includes("weight: array<vec4f>"), `${label}: weights by vec4`);
    }
    for (const [direction, dispatches] of Object.entries(inDirections(device, channels, size))) {
      const product = dispatches.find(({ code }) => code.includes("rowSlab")), label = `${channels} channels at ${size}², ${direction} by Winograd`;
      t.ok((product?.workgroupBytes ?? 1) <= 0.5, `${label}: ${product?.workgroupBytes} bytes of workgroup memory a FLOP, at most 0.5`);
      for (const name of ["a", "b", "out"]) t.ok(product?.code.includes(`${name}: array<vec4f>`), `${label}: ${name} by vec4`);
    }
  }
  await directly.close();
  await device.close();
});

test("long rows of logits are read once for their maximum and their sum", async (t) => {
  const device = await openWebGPU({ kernelsOf: "hardware" });
  const x = small(device, [8, 50_257]), rows = { ...x, shape: [8, 50_257, 1], strides: [50_257, 1, 1] }, one = small(device, []);
  const labels: View = { ...small(device, [8, 1]), dtype: "int32" }, params = { reduction: "mean", ignoreIndex: -100, labelSmoothing: 0 } as const;
  const readings = (issue: () => void) => counted(device, issue)[0]?.code.match(/for \(; k \+ /g)?.length;
  t.equal(readings(() => device.kernels.softmax(small(device, x.shape), x, 1, false)), 2, "softmax: then once to write");
  t.equal(readings(() => device.kernels.crossEntropy(one, small(device, []), rows, labels, null, params)), 1, "cross-entropy");
  t.equal(readings(() => device.kernels.crossEntropyBackward(small(device, rows.shape), one, small(device, []), rows, labels, null, params)), 2, "its gradient");
  await device.close();
});

test("sums and statistics of channels read by vec4, and once", async (t) => {
  const device = await openWebGPU({ kernelsOf: "hardware" }), channels = [64, 64, 3136], perChannel = () => small(device, [64]);
  const loops = (code = "") => code.match(/for \(; k \+ /g)?.length;
  for (const [label, shape, dims] of [["everything", [2 ** 26], [0]], ["rows", [8192, 8192], [1]], ["columns", [8192, 8192], [0]]] as const) {
    const out = small(device, shape.filter((_, d) => !dims.some((reduced) => reduced === d)));
    const [{ code = "" } = {}, ...more] = counted(device, () => device.kernels.reduce("sum", out, small(device, shape), dims));
    t.ok(code.includes("x: array<vec4<f32>>") && loops(code) === 1, `sum of ${label}`);
    t.equal(more.length, label === "rows" ? 0 : 1, `sum of ${label}: a second stage where few outputs leave a GPU idle`);
  }
  const [x, out, grad] = [0, 1, 2].map(() => small(device, channels)), vectors = (code = "") => code.match(/\b\w+: array<vec4f>/g)?.join();
  if (!x || !out || !grad) throw new TypeError("three tensors were made");
  const forward = counted(device, () => device.kernels.batchNorm(out, perChannel(), perChannel(), x, null, null, null, null, 0.1, 1e-5, "none"));
  t.deepEqual(forward.map(({ code }) => [vectors(code), loops(code)]), [["x: array<vec4f>", 1], ["x: array<vec4f>,out: array<vec4f>", 1]], "batchNorm");
  const backward = counted(device, () => device.kernels.batchNormBackward(out, perChannel(), perChannel(), grad, x, null, perChannel(), perChannel(), null));
  const read = "grad: array<vec4f>,x: array<vec4f>";
  t.deepEqual(backward.map(({ code }) => [vectors(code), loops(code)]), [[read, 1], [`${read},gradX: array<vec4f>`, 1]], "its gradient");
  await device.close();
});

/** The largest tile wants more workgroup memory than every adapter has. */
function largeWeightGradient(): KernelCase {
  const random = new TestRandom(83), params = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 } as const;
  return {
    name: "conv2dWeightGrad of 128×576 weights", inputs: [normals(random, [1, 128, 4, 4]), normals(random, [1, 64, 4, 4])],
    outputs: [output([128, 64, 3, 3])], allowance: { sumLength: 16 }, run: (k, y, g, x) => k.conv2dWeightGrad(y, g, x, params),
  };
}

test("an adapter with WebGPU's least limits runs what binds and holds most", async (t) => {
  const device = await openWebGPU({ kernelsOf: "hardware", limits: "least" }), reference = openReference();
  t.equal(device.gpu.limits.maxStorageBuffersPerShaderStage, 8, "eight buffers a kernel");
  t.equal(device.gpu.limits.maxComputeWorkgroupStorageSize, 16_384, "16 KiB of workgroup memory");
  const cases = [...normalisation(), ...optimizerSteps(), largeWeightGradient()], expected = [];
  for (const one of cases) expected.push(await expectation(reference, one));
  const complaints = await compareCases(device, cases, expected);
  t.deepEqual(complaints.filter((complaint) => complaint !== "").slice(0, 5), [], `${cases.length} cases agree with the reference`);
  await device.close();
});
