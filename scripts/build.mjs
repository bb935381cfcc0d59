// The build: AssemblyScript to WebAssembly (embedded in a TypeScript module), the methods and functions that follow from tables, then TypeScript to ES
// modules and declarations in dist/.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { finishDeclarations } from "./declarations.mjs";
import { root } from "./prepare.mjs";

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

run("scripts/build-wasm.mjs");
run("scripts/build-methods.mjs");
rmSync(join(root, "dist"), { recursive: true, force: true }); // what a deleted source left behind must not be importable
run("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json");
finishDeclarations(join(root, "dist"), entries(), root);

/** The modules that package.json exports, as paths in dist/. */
function entries() {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [] : [entry.default.replace("./dist/", "")]));
}
