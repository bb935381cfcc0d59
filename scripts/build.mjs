// The build: AssemblyScript to WebAssembly (embedded in a TypeScript module), then TypeScript to ES modules and declarations in dist/.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.mjs";

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

run("scripts/build-wasm.mjs");
rmSync(join(root, "dist"), { recursive: true, force: true }); // what a deleted source left behind must not be importable
run("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json");
plainDeclarations("dist");
commonDeclarations("dist");

/** Declarations for TypeScript 5.4 on and for users without Node's or the DOM's types: typed arrays were not generic then, a URL is known by its
 *  href, and what Node's file functions return is the library's own affair. */
function plainDeclarations(folder) {
  for (const name of readdirSync(join(root, folder), { recursive: true })) {
    if (!name.endsWith(".d.ts")) continue;
    const file = join(root, folder, name), text = readFileSync(file, "utf8");
    const plain = text
      .replaceAll(/\b((?:Uint8|Int32|Float32|Float64)Array)<ArrayBuffer(?:Like)?>/g, "$1")
      .replaceAll(/import\("node:[\w/]+"\)\.\w+|typeof import\("node:[\w/]+"\)/g, "unknown")
      .replaceAll("string | URL", "string | { readonly href: string }");
    if (plain !== text) writeFileSync(file, plain);
  }
}

/** The same declarations for who writes require("athanor"): TypeScript takes the format of a declaration from the package.json above it. What runs are
 *  the same ES modules, which Node's require takes since 20.19 and 22.12, so that both ways of loading share one library. */
function commonDeclarations(folder) {
  const from = join(root, folder), common = join(from, "cjs");
  const declares = (path) => path !== common && (statSync(path).isDirectory() || path.endsWith(".d.ts"));
  mkdirSync(common);
  for (const name of readdirSync(from)) {
    if (declares(join(from, name))) cpSync(join(from, name), join(common, name), { recursive: true, filter: declares });
  }
  writeFileSync(join(common, "package.json"), '{ "type": "commonjs" }\n');
}
