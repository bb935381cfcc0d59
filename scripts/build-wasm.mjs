// Builds the CPU device's WebAssembly: generates the element-wise and update kernels' AssemblyScript from their tables, compiles
// kernels/cpu/assembly twice (plain SIMD, relaxed SIMD) and embeds the plain module and what makes it the relaxed one as base64 in
// kernels/cpu/generated/wasm.ts.
// Does nothing when the output is newer than every source. `--force` rebuilds; `--unoptimised`, for who tries a new row, takes a tenth of the time.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { findDifference } from "./difference.mjs";
import { importSource, writeWhole } from "./sources.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cpu = join(root, "kernels/cpu");
const assembly = join(cpu, "assembly");
const generatedAssembly = join(assembly, "generated");
const output = join(cpu, "generated/wasm.ts");

/** Everything the module is made from. The generator reads the tables through esbuild, hence its own imports count too. */
function sources() {
  const own = readdirSync(assembly).filter((name) => name.endsWith(".ts")).map((name) => join(assembly, name));
  const tables = ["elementwise.ts", "updates.ts", "algebra.ts"].map((name) => join(root, "kernels", name));
  const code = ["codegen.ts", "names.ts", "difference.ts"].map((name) => join(cpu, name));
  return [...own, ...tables, ...code, fileURLToPath(import.meta.url), ...["difference.mjs", "sources.mjs"].map((name) => join(root, "scripts", name))];
}

function upToDate() {
  try {
    const built = statSync(output).mtimeMs;
    return sources().every((path) => statSync(path).mtimeMs < built);
  } catch {
    return false; // not built yet
  }
}

async function generateSources() {
  const { generateAssembly } = await importSource(join(cpu, "codegen.ts"));
  for (const [name, text] of Object.entries(generateAssembly())) {
    writeWhole(join(generatedAssembly, name), text);
  }
}

async function compile({ relaxed, optimizeLevel }) {
  const { default: asc } = await import("assemblyscript/asc");
  let binary;
  const features = relaxed ? "simd,threads,relaxed-simd" : "simd,threads";
  const { error, stderr } = await asc.main([
    "index.ts", "--outFile", "out.wasm", "--runtime", "stub", "--enable", features, "--importMemory", "--sharedMemory",
    "--initialMemory", "1", "--maximumMemory", "65536", "--noAssert", "--use", "abort=", "--optimizeLevel", optimizeLevel, "--shrinkLevel", "0",
    "--noExportMemory",
  ], {
    readFile: (name, base) => {
      try { return readFileSync(join(base === "." ? assembly : join(assembly, base), name), "utf8"); } catch { return null; }
    },
    writeFile: (name, contents) => { if (name.endsWith(".wasm")) binary = contents; },
    listFiles: () => [],
  });
  if (error) throw new Error(`AssemblyScript refused the ${relaxed ? "relaxed" : "plain"} module:\n${stderr.toString()}`);
  checkNoData(binary);
  return binary;
}

/** Every thread instantiates the module on one memory: a data segment would overwrite what lives there, a start function run again. */
function checkNoData(binary) {
  const names = { 8: "start", 11: "data" };
  for (let at = 8; at < binary.length;) {
    const id = binary[at++];
    let size = 0, shift = 0, byte;
    do { byte = binary[at++]; size |= (byte & 127) << shift; shift += 7; } while (byte & 128);
    if (names[id] && !(id === 11 && binary[at] === 0)) {
      throw new Error(`The module has a ${names[id]} section. Keep constants in code: no strings, no static arrays, no memory.data().`);
    }
    at += size;
  }
}

async function differenceOf(plain, relaxed) {
  const difference = Buffer.from(findDifference(plain, relaxed));
  const { applyDifference } = await importSource(join(cpu, "difference.ts"));
  if (!relaxed.equals(applyDifference(plain, difference))) throw new Error("The plain module with its differences is not the relaxed one.");
  return difference;
}

function compileInWorker(workerData) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData });
    worker.on("message", (binary) => resolve(Buffer.from(binary)));
    worker.on("error", reject);
  });
}

async function main() {
  if (!process.argv.includes("--force") && upToDate()) return;
  const started = Date.now();
  await generateSources();
  const optimizeLevel = process.argv.includes("--unoptimised") ? "0" : "3";
  const [plain, relaxed] = await Promise.all([false, true].map((relaxed) => compileInWorker({ relaxed, optimizeLevel })));
  const names = WebAssembly.Module.exports(new WebAssembly.Module(plain)).filter((e) => e.kind === "function").map((e) => e.name).sort();
  const stray = WebAssembly.Module.imports(new WebAssembly.Module(plain)).filter((i) => i.name !== "memory");
  if (stray.length > 0) throw new Error(`The module imports ${stray.map((i) => `${i.module}.${i.name}`).join(", ")}; only env.memory is there.`);
  const difference = await differenceOf(plain, relaxed);
  writeWhole(output, [
    "// Written by scripts/build-wasm.mjs; do not edit.",
    "// The types are written out: a constant's own would repeat its text in the declarations.",
    `export const plainModule: string = "${plain.toString("base64")}";`,
    `export const relaxedDifference: string = "${difference.toString("base64")}";`,
    `export const kernelNames: readonly string[] = ${JSON.stringify(names)};`,
    "",
  ].join("\n"));
  console.log(`build-wasm: ${names.length} kernels, ${plain.length} + ${difference.length} bytes, ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

if (isMainThread) await main();
else parentPort.postMessage(await compile(workerData));
