// `npm run bench:raw-tensors`: the accuracy of the raw-tensor classifier beside PyTorch's; bench/rawTensors.ts says how.
import { spawnSync } from "node:child_process";
import { buildBenchmark } from "./bench-program.mjs";
import { root } from "./prepare.mjs";
import { v8Flags } from "./v8-flags.mjs";

const { status } = spawnSync(process.execPath, [...v8Flags, await buildBenchmark("rawTensors"), ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
