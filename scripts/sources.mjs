// What the scripts that write sources share: reading the tables, which are TypeScript, and writing a file.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** A TypeScript module, with what it imports. */
export async function importSource(path) {
  const { build } = await import("esbuild");
  const bundle = await build({ entryPoints: [path], bundle: true, format: "esm", platform: "neutral", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString("base64")}`);
}

/** Writes the file where it says something else. Other processes may build or read at the same time: it appears whole or not at all. */
export function writeWhole(path, content) {
  if (readIfThere(path) === content) return;
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, content);
  renameSync(partial, path);
}

function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // the first build
  }
}
