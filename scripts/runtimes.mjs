// `npm run runtimes`: the built library in Deno and Bun, which come from npm into build/runtimes: each opens every device, trains on it in flat memory,
// loads images with worker threads, saves, and ends by itself. Not part of `npm test`: the two take 190 MB.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { adapterEnvironment } from "./archives.mjs";
import { npm, prepare, root } from "./prepare.mjs";

const folder = join(root, "build", "runtimes");
const runtimes = [
  ["node", process.execPath, []],
  ["bun", join(folder, "node_modules/@oven/bun-linux-x64/bin/bun"), []],
  ["deno", join(folder, "node_modules/@deno/linux-x64-glibc/deno"), ["run", "-A"]],
];

/** Fails where a loop is not flat, where workers change what is loaded, or where a file does not come back. */
const program = `
import { mkdirSync } from "node:fs";
import { data, load, manualSeed, memory, nn, openDevice, optim, randn, save, setCollectionThreshold } from ${JSON.stringify(join(root, "dist", "index.js"))};

function check(what, holds) {
  if (!holds) throw new Error(what);
  console.log(what);
}
for (const kind of ["cpu", "webgpu", "reference"]) {
  const device = await openDevice(kind), model = new nn.Sequential(new nn.Linear(8, 4), new nn.Tanh(), new nn.Linear(4, 1)).to(device);
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 }), seen = [];
  let first = 0, loss = 0;
  // A plain loop of 400 steps makes thousands of tensors: past the 1024 live ones at which garbage is to be asked for, again and again.
  setCollectionThreshold(64 * 2 ** 20, 1024);
  for (let i = 0; i < 400; i++) {
    const error = model(randn(32, 8).to(device)).square().mean();
    optimizer.zeroGrad();
    error.backward();
    optimizer.step();
    loss = await error.item();
    if (i === 0) first = loss;
    seen.push(memory(device).liveTensors);
  }
  check(device.description + ": trained", loss < first / 1000);
  check("  flat, at most " + Math.max(...seen) + " live tensors", Math.max(...seen) < 1500);
}

mkdirSync("images/a", { recursive: true });
manualSeed(1);
for (let i = 0; i < 12; i++) {
  const pixels = await randn(8 * 8 * 3).mul(64).add(128).clamp(0, 255).data();
  await data.writePngFile("images/a/" + i + ".png", { width: 8, height: 8, channels: 3, data: Uint8Array.from(pixels) });
}
const { Compose, RandomCrop, ToTensor } = data.transforms, sums = [];
for (const numWorkers of [0, 2]) {
  const images = new data.ImageFolder("images", Compose([RandomCrop(8, { padding: 2 }), ToTensor()]));
  const loader = new data.DataLoader(images, { batchSize: 5, shuffle: true, numWorkers, seed: 3 });
  let sum = 0, count = 0;
  for await (const [batch] of loader) sum += await batch.sum().item() * ++count;
  sums.push(sum);
}
check("the same images by two workers as by none", sums[0] > 0 && sums[0] === sums[1]);

for (const name of ["weights.safetensors", "weights.pt"]) {
  const model = new nn.Linear(3, 2), other = new nn.Linear(3, 2);
  await save(name, model.stateDict());
  other.loadStateDict(await load(name));
  check(name + ": saved and loaded", String(await other.weight.data()) === String(await model.weight.data()));
}
`;

prepare();
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
writeFileSync(join(folder, "program.mjs"), program);
const [command, ...first] = npm();
const packages = ["@oven/bun-linux-x64", "@deno/linux-x64-glibc"];
spawnSync(command, [...first, "install", "--ignore-scripts", "--no-audit", "--no-fund", ...packages], { cwd: folder, stdio: "inherit" });
for (const [name, binary, args] of runtimes) {
  const { status, signal } = spawnSync(binary, [...args, "program.mjs"], { cwd: folder, env: await adapterEnvironment(), stdio: "inherit", timeout: 120_000 });
  console.log(`${name}: ${status === 0 ? "ok" : `failed (${status ?? signal})`}`);
  if (status !== 0) process.exitCode = 1;
}
