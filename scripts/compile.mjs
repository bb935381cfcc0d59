// The tests as plain JavaScript, each source compiled once: under tsx every process, of which a run of all tests starts hundreds, spends one to two
// seconds on it. The tree below build/compiled is that of the sources, so that modules find each other, and threads their scripts.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./prepare.mjs";

const output = "build/compiled";

/** Where `compile` leaves a source: test/nn.test.ts in build/compiled/test/nn.test.js. */
export const compiled = (file) => `${output}/${file.replace(/\.ts$/, ".js")}`;

/** Compiles all sources; what a deleted one left behind goes. Files that are right already stay untouched: another run may be reading them. */
export async function compile() {
  const { transform } = await import("esbuild"); // installed by now
  const tsconfigRaw = readFileSync(join(root, "tsconfig.json"), "utf8");
  const files = sourcesOf(JSON.parse(tsconfigRaw));
  await Promise.all(files.map(async (file) => {
    // A test finds its fixtures beside its source; a module of the library, and what a thread loads, the compiled one beside it.
    const define = file.startsWith("test/") ? { "import.meta.url": JSON.stringify(pathToFileURL(join(root, file)).href) } : {};
    const options = { loader: "ts", target: `node${process.versions.node}`, sourcemap: "inline", sourcefile: join(root, file), tsconfigRaw, define };
    const { code } = await transform(readFileSync(join(root, file), "utf8"), options);
    writeIfOther(compiled(file), code.replaceAll(/(?<=\b(?:from |import\())"(\.[^"]+\.mjs)"/g, (_, script) => asURL(join(dirname(file), script))));
  }));
  const wanted = new Set(files.map(compiled));
  for (const file of filesBelow(output)) if (!wanted.has(file)) rmSync(join(root, file));
}

const asURL = (file) => JSON.stringify(pathToFileURL(join(root, file)).href);

function writeIfOther(file, text) {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  if (readIfThere(path) !== text) writeFileSync(path, text);
}

function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** What TypeScript checks: AssemblyScript, say, is none of it. */
function sourcesOf({ include, exclude }) {
  const paths = include.flatMap((path) => (path === "*.ts" ? readdirSync(root).filter((name) => name.endsWith(".ts")) : [path]));
  return paths.flatMap((path) => filesBelow(path, exclude)).filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
}

function filesBelow(path, excluded = []) {
  if (excluded.includes(path)) return [];
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => filesBelow(`${path}/${name}`, excluded));
}
