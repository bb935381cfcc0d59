// What both benchmark commands share: the benchmark bundled (so that no loader's helpers sit in what is timed) and the adapter it runs on.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { adapterEnvironment } from "./archives.mjs";
import { prepare, root } from "./prepare.mjs";

/** Installs and builds what is missing and bundles bench/NAME.ts; returns the path to run. */
export async function buildBenchmark(name = "main") {
  prepare();
  const { build } = await import("esbuild");
  const outfile = join(root, "build", "bench", `${name}.mjs`);
  await build({
    entryPoints: [join(root, "bench", `${name}.ts`)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "warning",
  });
  return outfile;
}

function checkAdapter(env) {
  const check = spawnSync(process.execPath, [join(root, "scripts", "check-adapter.mjs")], { encoding: "utf8", env });
  return check.status === 0 ? check.stdout.trim() : null;
}

/** The machine's own adapter where it has one, else SwiftShader. */
export async function benchEnvironment() {
  return checkAdapter(process.env) === null ? adapterEnvironment() : process.env;
}

export async function adapterName() {
  return checkAdapter(await benchEnvironment()) ?? "none";
}
