// The built package through the bundlers of its users: in every format it loads, trains two steps and does a loader's work, in Node and in Chromium.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Format } from "esbuild";
import type { Browser } from "playwright-core";
import test from "tape";
import { build as buildWithVite } from "vite";
import { launchChromium, openPage } from "./chromium.js";
import { serve, type Served } from "./server.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const home = mkdtempSync(join(tmpdir(), "athanor-bundles-"));
mkdirSync(join(home, "node_modules"));
symlinkSync(root, join(home, "node_modules", "athanor"));
let browser: Browser | undefined;
const served: Served[] = [];
test.onFinish(async () => {
  await browser?.close();
  for (const site of served) await site.close();
  rmSync(home, { recursive: true, force: true });
});

/** The data set has a recipe for worker threads, whose script no bundle has. */
const program = `
import { data, manualSeed, nn, openDevice, optim, tensor } from "athanor";
export async function losses(kind) {
  manualSeed(0);
  const device = await openDevice(kind, { threads: 2 });
  const model = new nn.Linear(2, 1).to(device);
  await nn.init.constant_(model.weight, 0);
  await nn.init.constant_(model.bias, 0);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const rows = [[[1, 0], [1]], [[0, 1], [1]]];
  const recipe = { job: () => { throw new Error("a job was asked for"); }, finish: () => { throw new Error("a job was finished"); } };
  const dataset = { length: rows.length, get: (i) => rows[i].map((row) => Float32Array.from(row)), recipe };
  const seen = [];
  for await (const [x, y] of new data.DataLoader(dataset, { batchSize: 1, numWorkers: 2 })) {
    const loss = model(x.to(device)).sub(y.to(device)).square().mean();
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    seen.push(await loss.item());
  }
  await device.close();
  return seen;
}`;
// By hand: both weights start at 0, so the first loss is (0 - 1)² = 1; its step moves bias and weight by 0.1 · 2, so that the second is (0.2 - 1)².
const right = [1, 0.64];

function write(name: string, text: string): string {
  writeFileSync(join(home, name), text);
  return join(home, name);
}
write("program.js", program);
const nodeEntry = write("node.js", 'import { losses } from "./program.js"; losses("cpu").then((seen) => console.log(JSON.stringify(seen)));');
const pageEntry = write("page.js", 'import { losses } from "./program.js"; window.athanorTest = { losses };');

async function bundled(entryPoint: string, format: Format, platform: "node" | "browser"): Promise<string> {
  const { outputFiles } = await build({ entryPoints: [entryPoint], bundle: true, write: false, format, platform, logLevel: "silent" });
  return outputFiles[0]?.text ?? "";
}

/** With a plugin-free configuration of its own, for a page of modules. */
async function throughVite(): Promise<string> {
  const outDir = join(home, "vite");
  await buildWithVite({
    root: home, configFile: false, logLevel: "silent",
    build: { outDir, emptyOutDir: true, target: "es2022", rollupOptions: { input: pageEntry, output: { inlineDynamicImports: true } } },
  });
  const [script] = readdirSync(outDir, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  return readFileSync(join(outDir, script ?? ""), "utf8");
}

function close(seen: unknown): boolean {
  return Array.isArray(seen) && seen.length === 2 && right.every((loss, i) => Math.abs(loss - Number(seen[i])) < 1e-6);
}

for (const format of ["cjs", "esm", "iife"] as const) {
  test(`esbuild, ${format}, in Node`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "athanor-bundle-")); // nothing of the package is near
    const file = join(folder, format === "esm" ? "out.mjs" : "out.cjs");
    writeFileSync(file, await bundled(nodeEntry, format, "node"));
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: "utf8", timeout: 60_000 });
    t.equal(status, 0, stderr);
    t.ok(close(JSON.parse(stdout || "null")), `losses ${stdout.trim()}`);
    t.match(stderr, /DataLoader: worker threads need .* the main thread does their work/, "its workers fall back, and it says so");
    rmSync(folder, { recursive: true, force: true });
  });
}

for (const bundler of ["esbuild, esm", "esbuild, iife", "vite"] as const) {
  test(`${bundler}, in Chromium`, async (t) => {
    browser ??= await launchChromium();
    const script = bundler === "vite" ? await throughVite() : await bundled(pageEntry, bundler === "esbuild, iife" ? "iife" : "esm", "browser");
    const site = await serve(script, { isolated: true, module: bundler !== "esbuild, iife" });
    served.push(site);
    const { page, complaints } = await openPage(browser, site.url);
    for (const kind of ["cpu", "webgpu"]) {
      const seen = await page.evaluate<unknown>(`athanorTest.losses("${kind}")`);
      t.ok(close(seen), `${kind}: losses ${JSON.stringify(seen)}`);
    }
    await page.close();
    t.deepEqual(complaints, [], "the console stayed free of errors");
  });
}
