// What `npm start` and `npm test` do first: install the dependencies and build, each only when its inputs changed since the last time.
// Imports nothing outside Node: on a fresh clone there is nothing else yet.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const OLDEST_NODE = 20;
const stampFile = join(root, "build", "stamp");
const builtFrom = [
  "index.ts", "engine", "kernels", "serialization", "nn", "optim", "data", "training",
  "scripts/build.mjs", "scripts/build-wasm.mjs", "scripts/build-methods.mjs", "scripts/sources.mjs", "scripts/declarations.mjs", "scripts/public-declarations.mjs",
  "scripts/difference.mjs",
];
const builtWith = ["package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json"];
const outputs = ["dist/index.js", "kernels/cpu/generated/wasm.ts", "engine/tensor/generated/methods.ts"];

/** Installs and builds what is missing or older than its sources; throws an error with a message for people where that fails. */
export function prepare() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < OLDEST_NODE) throw new Error(`Athanor needs Node ${OLDEST_NODE} or newer; this is ${process.version}.`);
  if (!isInstalled()) install();
  if (!isBuilt()) build();
}

// npm writes node_modules/.package-lock.json last, so it is there only after a whole install.
function isInstalled() {
  const lock = join(root, "package-lock.json");
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  if (statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return true;
  const wanted = JSON.parse(readFileSync(lock, "utf8")).packages;
  const present = JSON.parse(readFileSync(installed, "utf8")).packages;
  const same = Object.entries(wanted).every(([path, entry]) => {
    if (path === "" || (entry.optional && !present[path])) return true; // the root itself, or a package for another platform
    return present[path]?.version === entry.version && present[path]?.integrity === entry.integrity;
  });
  if (same) utimesSync(installed, new Date(), new Date()); // a newer lock file of the same content: settled for the next run
  return same;
}

function install() {
  runStep("Installing the dependencies", "npm ci", npm(), ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
}

/** The command that runs npm: the one that started us, else the one on the path. */
export function npm() {
  const script = process.env.npm_execpath;
  return [...(script?.endsWith(".js") ? [process.execPath, script] : ["npm"]), ...cacheOption()];
}

/** npm keeps what it fetches below the user's home; where nothing can be written there, in the clone. */
function cacheOption() {
  let folder = process.env.npm_config_cache ?? join(homedir(), ".npm");
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK);
    return [];
  } catch {
    return ["--cache", join(root, "build", "npm-cache")];
  }
}

function isBuilt() {
  if (!existsSync(stampFile) || outputs.some((path) => !existsSync(join(root, path)))) return false;
  return readFileSync(stampFile, "utf8") === sourcesDigest();
}

function build() {
  const digest = sourcesDigest(); // taken first: a file changed during the build is built again the next time
  runStep("Building", "npm run build", [process.execPath], [join(root, "scripts", "build.mjs")]);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, digest);
}

// Names, sizes and times of all sources: also notices a file that went away, or one brought back with an old date.
function sourcesDigest() {
  const hash = createHash("sha256");
  for (const path of [...builtFrom, ...builtWith].flatMap((path) => filesBelow(path))) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

function filesBelow(path) {
  const status = statSync(join(root, path), { throwIfNoEntry: false });
  if (status === undefined || path.endsWith("/generated")) return [];
  if (!status.isDirectory()) return [path];
  return readdirSync(join(root, path)).sort().flatMap((name) => filesBelow(`${path}/${name}`));
}

// Progress goes to standard error: what `npm start -- --help` prints can then be piped as it is.
function runStep(title, name, [command, ...first], args) {
  const start = performance.now();
  process.stderr.write(`${title} (${name}) … `);
  const windows = process.platform === "win32" && command === "npm";
  const result = spawnSync(command, [...first, ...args], { cwd: root, encoding: "utf8", shell: windows, stdio: ["ignore", "pipe", "pipe"] });
  if (result.status === 0) {
    process.stderr.write(`${((performance.now() - start) / 1000).toFixed(1)} s\n`);
    return;
  }
  process.stderr.write("failed\n");
  const said = result.error?.message ?? shortened(`${result.stdout}${result.stderr}`);
  throw new Error(`${said}\n${title} failed: see above; "${name}" by itself shows all of its output.`);
}

function shortened(output, lines = 20) {
  const all = output.split("\n").filter((line) => line.trim() !== "");
  return all.length <= lines ? all.join("\n") : [...all.slice(0, lines), `… and ${all.length - lines} lines more`].join("\n");
}
