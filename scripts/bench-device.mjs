// `npm run bench:device`: what the WebGPU adapter of this machine is worth, kernel by kernel and step by step, beside PyTorch on CUDA.
import { spawnSync } from "node:child_process";
import { benchEnvironment, buildBenchmark } from "./bench-program.mjs";
import { root } from "./prepare.mjs";

const benchmark = await buildBenchmark("device"); // first: it installs what the adapter comes from
const env = await benchEnvironment();
const { status } = spawnSync(process.execPath, [benchmark, ...process.argv.slice(2)], { cwd: root, env, stdio: "inherit" });
process.exitCode = status ?? 1;
