// Times TensorFlow.js on the work that bench/ gives Athanor: node tfjs_steps.mjs <cpu|wasm|webgpu> [mlp] [simplecnn]. One JSON object a
// line, like torch_steps.py. (Its wasm backend cannot train a convolution: it has no Conv2DBackpropFilter.)
const [backend = "webgpu", ...cases] = process.argv.slice(2);
const RUNS = 3;
const WARMUP = 1;
if (backend === "webgpu") {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", { value: { gpu: create([]), userAgent: "node", hardwareConcurrency: 2 }, configurable: true });
}
const tf = await import("@tensorflow/tfjs-core");
const { layers, sequential } = await import("@tensorflow/tfjs-layers");
await import("@tensorflow/tfjs-backend-cpu");
if (backend === "wasm") {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(new URL("node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url).pathname);
}
if (backend === "webgpu") await import("@tensorflow/tfjs-backend-webgpu");
await tf.setBackend(backend);
await tf.ready();

const conv = (filters, more = {}) => layers.conv2d({ filters, kernelSize: 3, padding: "same", activation: "relu", ...more });
const pool = () => layers.maxPooling2d({ poolSize: 2 });
const dense = (units) => layers.dense({ units, activation: "relu" });
const out = (units) => layers.dense({ units, activation: "softmax" });

const networks = {
  mlp: {
    batch: 200,
    optimizer: () => tf.train.sgd(0.01),
    layers: () => [layers.flatten({ inputShape: [28, 28, 1] }), dense(200), dense(200), out(10)],
  },
  simplecnn: {
    batch: 64,
    optimizer: () => tf.train.adam(1e-3),
    layers: () => [
      conv(32, { inputShape: [28, 28, 1] }), pool(), conv(64), pool(),
      layers.flatten(), dense(128), layers.dropout({ rate: 0.5 }), out(10),
    ],
  },
};

async function timeStep(name) {
  const network = networks[name];
  const model = sequential({ layers: network.layers() });
  model.compile({ optimizer: network.optimizer(), loss: "categoricalCrossentropy" });
  const images = tf.randomNormal([network.batch, 28, 28, 1]);
  const labels = tf.oneHot(tf.tensor1d(Array.from({ length: network.batch }, (_, i) => (i * 7) % 10), "int32"), 10);
  const times = [];
  for (let i = 0; i < WARMUP + RUNS; i++) {
    const start = performance.now();
    await model.trainOnBatch(images, labels);
    if (i >= WARMUP) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ peer: `tfjs ${tf.version_core}`, case: name, ms: +times[times.length >> 1].toFixed(3) }));
}

for (const name of cases.length ? cases : Object.keys(networks)) await timeStep(name);
await tf.backend().queue?.onSubmittedWorkDone?.();
process.exit(0);
