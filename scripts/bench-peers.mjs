// `npm run bench:peers`: Athanor and the libraries a user would pick instead, in turn on this machine in one run, with the floors that must
// hold. The machine's noise falls on both sides of a ratio. `--device cpu` or `--device webgpu` does one half; `--rounds N` repeats.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { adapterName, benchEnvironment, buildBenchmark } from "./bench-program.mjs";
import { npm, root } from "./prepare.mjs";
import { v8Flags } from "./v8-flags.mjs";

const THREADS = "2";
const peersFolder = join(root, "bench", "peers");
const pythons = ["/usr/bin/python3", "python3"];
// What must hold: Athanor's time at most `atMost` times the peer's.
const cpuFloors = [
  { case: "matmul 1024", peer: "PyTorch", atMost: 1 / 0.4 },
  { case: "mlp", peer: "PyTorch", atMost: 1.5 },
  { case: "simplecnn", peer: "PyTorch", atMost: 1.6 },
];
const webgpuFloors = [
  { case: "simplecnn", peer: "jax-js", atMost: 1 / 2 },
  { case: "simplecnn", peer: "tfjs", atMost: 1 / 4 },
];

const { values: options } = parseArgs({
  options: { device: { type: "string", default: "cpu,webgpu" }, rounds: { type: "string", default: "3" }, "no-install": { type: "boolean", default: false } },
});
const benchmark = await buildBenchmark();
const results = [];
if (options.device.includes("cpu")) compareOnCpu(Number(options.rounds));
if (options.device.includes("webgpu")) await compareOnWebgpu();
await finish();

/** Rounds of PyTorch and Athanor in turn; the ratio is the median of the rounds' ratios. */
function compareOnCpu(rounds) {
  const env = { ...process.env, OMP_NUM_THREADS: THREADS, OPENBLAS_NUM_THREADS: THREADS, PYTHONDONTWRITEBYTECODE: "1" };
  const python = pythons.find((command) => spawnSync(command, ["-c", "import torch"], { cwd: peersFolder, env }).status === 0);
  if (python === undefined) {
    console.log("PyTorch is not installed: no ratio against it. On Debian: apt-get install python3-torch libopenblas0-pthread");
    return;
  }
  const libraries = spawnSync(python, ["-c", "import torch_steps; print(torch_steps.blas())"], { cwd: peersFolder, env, encoding: "utf8" }).stdout.trim();
  if (libraries === "reference BLAS") {
    console.log("PyTorch computes with the reference BLAS here: no fair ratio against it. On Debian: apt-get install libopenblas0-pthread");
    return;
  }
  const pairs = Array.from({ length: rounds }, () => ({
    peer: jsonLines(python, ["torch_steps.py"], { cwd: peersFolder, env }),
    ours: measureOurs("cpu", "matmul 1024,mlp,simplecnn", process.env),
  }));
  for (const floor of cpuFloors) {
    const times = pairs.map(({ peer, ours }) => ({ peer: timeOf(peer, floor.case), ours: timeOf(ours, floor.case), name: peer[0]?.peer }));
    results.push({ device: "cpu", ...floor, peer: times[0]?.name, ...median(times) });
  }
}

/** Athanor before and after each peer, on the same adapter; the peers take minutes on a software adapter. */
async function compareOnWebgpu() {
  if (!existsSync(join(peersFolder, "node_modules"))) {
    if (options["no-install"]) {
      console.log('jax-js and tfjs are not installed: no ratio against them. "npm run bench:peers" installs them into bench/peers/.');
      return;
    }
    const [command, ...first] = npm();
    const { status } = spawnSync(command, [...first, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: peersFolder, stdio: "inherit" });
    if (status !== 0) throw new Error("npm ci failed in bench/peers.");
  }
  const env = await benchEnvironment();
  for (const floor of webgpuFloors) {
    const before = timeOf(measureOurs("webgpu", floor.case, env), floor.case);
    const peer = jsonLines(process.execPath, [`${floor.peer.replace("-", "")}_steps.mjs`, "webgpu", floor.case], { cwd: peersFolder, env });
    const after = timeOf(measureOurs("webgpu", floor.case, env), floor.case);
    const ours = (before + after) / 2;
    results.push({ device: "webgpu", ...floor, peer: peer[0]?.peer, ...median([{ ours, peer: timeOf(peer, floor.case) }]) });
  }
}

function measureOurs(device, cases, env) {
  const rows = jsonLines(process.execPath, [...v8Flags, benchmark, "--device", device, "--case", cases, "--lines"], { cwd: root, env });
  return rows.map((row) => ({ case: row.case, ms: row.case.startsWith("matmul") ? row.bestMs : row.medianMs }));
}

function jsonLines(command, args, settings) {
  const { status, stdout, stderr } = spawnSync(command, args, { ...settings, encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stderr.trim().split("\n").slice(-10).join("\n")}`);
  return stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

function timeOf(rows, name) {
  const row = rows.find((candidate) => candidate.case === name);
  if (row === undefined) throw new Error(`No figure for "${name}" among ${rows.map((other) => other.case).join(", ") || "nothing"}.`);
  return row.ms;
}

/** The round with the median ratio. */
function median(times) {
  const sorted = times.map(({ ours, peer }) => ({ oursMs: ours, peerMs: peer, ratio: ours / peer })).sort((a, b) => a.ratio - b.ratio);
  return sorted[sorted.length >> 1];
}

async function finish() {
  const cell = (text, width) => String(text).padEnd(width);
  console.log(`\n${cell("case", 14)}${cell("device", 8)}${cell("Athanor", 12)}${cell("peer", 40)}${cell("time ratio", 12)}floor`);
  for (const row of results) {
    const verdict = row.ratio <= row.atMost ? "holds" : "MISSED";
    const peer = `${row.peer} ${row.peerMs.toFixed(2)} ms`;
    const ours = `${row.oursMs.toFixed(2)} ms`;
    console.log(`${cell(row.case, 14)}${cell(row.device, 8)}${cell(ours, 12)}${cell(peer, 40)}${cell(row.ratio.toFixed(3), 12)}≤ ${row.atMost.toFixed(2)}  ${verdict}`);
  }
  const machine = {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    adapter: await adapterName(),
  };
  mkdirSync(join(root, "bench", "results"), { recursive: true });
  writeFileSync(join(root, "bench", "results", "peers.json"), `${JSON.stringify({ ...machine, results }, null, 1)}\n`);
  const missed = results.filter((row) => !(row.ratio <= row.atMost));
  if (missed.length > 0) {
    console.error(`${missed.length} of ${results.length} floors missed.`);
    process.exitCode = 1;
  }
}
