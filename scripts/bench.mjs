// `npm run bench`: the table of kernels and training steps, then the ratios against the other libraries that are installed.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { benchEnvironment, buildBenchmark } from "./bench-program.mjs";
import { root } from "./prepare.mjs";
import { v8Flags } from "./v8-flags.mjs";

const args = process.argv.slice(2);
const benchmark = await buildBenchmark(); // first: it installs what the adapter comes from
const env = await benchEnvironment();
run([...v8Flags, benchmark, ...args]);
const partial = args.some((arg) => ["--case", "--lines", "--help", "--no-peers"].includes(arg.split("=")[0]));
if (!partial) run([join(root, "scripts", "bench-peers.mjs"), "--no-install"]);

function run(command) {
  const { status } = spawnSync(process.execPath, command, { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
