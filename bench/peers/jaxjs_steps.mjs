// Times jax-js on the work that bench/ gives Athanor: node jaxjs_steps.mjs <wasm|webgpu> [simplecnn]. One JSON object a line, like
// torch_steps.py. The step is jitted, with plain SGD (cheaper than the Adam that the others run).
const [backend = "webgpu", ...cases] = process.argv.slice(2);
const RUNS = 3;
const WARMUP = 1;
let gpu;
if (backend === "webgpu") {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  gpu = create([]);
}
Object.defineProperty(globalThis, "navigator", { value: { ...(gpu && { gpu }), userAgent: "node", hardwareConcurrency: 2 }, configurable: true });
const { numpy: np, lax, nn, random, valueAndGrad, jit, tree, init, defaultDevice } = await import("@jax-js/jax");
await init();
defaultDevice(backend);

const normal = (seed, shape, scale = 1) => random.normal(random.key(seed), shape).mul(scale);
const dense = (x, w, b) => np.matmul(x, w).add(b);
const conv = (x, w, b, channels) => nn.relu(lax.convGeneralDilated(x, w, [1, 1], "SAME").add(b.reshape([1, channels, 1, 1])));
const pool = (x) => lax.reduceWindow(x, np.max, [1, 1, 2, 2], [1, 1, 2, 2]);

const networks = {
  simplecnn: {
    batch: 64,
    input: [1, 28, 28],
    parameters: () => ({
      w1: normal(1, [32, 1, 3, 3], 0.3), b1: np.zeros([32]), w2: normal(2, [64, 32, 3, 3], 0.08), b2: np.zeros([64]),
      w3: normal(3, [3136, 128], 0.02), b3: np.zeros([128]), w4: normal(4, [128, 10], 0.1), b4: np.zeros([10]),
    }),
    forward: (p, x) => dense(nn.relu(dense(pool(conv(pool(conv(x, p.w1, p.b1, 32)), p.w2, p.b2, 64)).reshape([64, 3136]), p.w3, p.b3)), p.w4, p.b4),
  },
};

async function timeStep(name) {
  const network = networks[name];
  let parameters = network.parameters();
  const images = normal(9, [network.batch, ...network.input]);
  const labels = nn.oneHot(np.array(Array.from({ length: network.batch }, (_, i) => (i * 7) % 10), { dtype: np.int32 }), 10);
  const loss = (p, x, y) => nn.logSoftmax(network.forward(p, x)).mul(y).sum().mul(-1 / network.batch);
  const update = jit((p, x, y) => {
    const [value, gradients] = valueAndGrad(loss)(tree.ref(p), x, y);
    return [Object.fromEntries(Object.keys(p).map((key) => [key, p[key].sub(gradients[key].mul(0.01))])), value];
  });
  const times = [];
  for (let i = 0; i < WARMUP + RUNS; i++) {
    const start = performance.now();
    const [next, value] = update(parameters, images.ref, labels.ref);
    parameters = next;
    await value.data();
    if (i >= WARMUP) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ peer: "jax-js 0.1.25", case: name, ms: +times[times.length >> 1].toFixed(3) }));
}

for (const name of cases.length ? cases : Object.keys(networks)) await timeStep(name);
process.exit(0);
