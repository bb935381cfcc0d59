// The build: AssemblyScript to WebAssembly (embedded in a TypeScript module), then TypeScript to ES modules and declarations in dist/.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.mjs";

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

run("scripts/build-wasm.mjs");
rmSync(join(root, "dist"), { recursive: true, force: true }); // what a deleted source left behind must not be importable
run("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json");
