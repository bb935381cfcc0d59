// `npm run runtimes`: the built library in Deno and Bun, which come from npm into build/runtimes: each opens every device, trains 100 steps, saves and
// ends by itself. Not part of `npm test`: the two take 190 MB.
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
const program = `
import { load, memory, nn, openDevice, optim, randn, save } from ${JSON.stringify(join(root, "dist", "index.js"))};
for (const kind of ["cpu", "webgpu", "reference"]) {
  const device = await openDevice(kind), model = new nn.Linear(8, 1).to(device), optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  let loss = 0;
  for (let i = 0; i < 100; i++) {
    const error = model(randn(32, 8).to(device)).square().mean();
    optimizer.zeroGrad();
    error.backward();
    optimizer.step();
    loss = await error.item();
  }
  console.log(device.description, "loss", loss.toExponential(2), memory(device).liveTensors, "live tensors");
}
await save("weights.safetensors", { x: randn(3) });
console.log("saved and loaded", Object.keys(await load("weights.safetensors")).join());
`;

prepare();
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
writeFileSync(join(folder, "program.mjs"), program);
const [command, ...first] = npm();
const packages = ["@oven/bun-linux-x64", "@deno/linux-x64-glibc"];
spawnSync(command, [...first, "install", "--ignore-scripts", "--no-audit", "--no-fund", ...packages], { cwd: folder, stdio: "inherit" });
for (const [name, binary, args] of runtimes) {
  const { status, signal } = spawnSync(binary, [...args, "program.mjs"], { cwd: folder, env: adapterEnvironment(), stdio: "inherit", timeout: 120_000 });
  console.log(`${name}: ${status === 0 ? "ok" : `failed (${status ?? signal})`}`);
  if (status !== 0) process.exitCode = 1;
}
