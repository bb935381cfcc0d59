// `npm test`: installs and builds what is missing, then lint, types, every test file on all devices, and the browser; `npm test -- NAME …`
// runs only what has one of the names in its own. The last line is always "N passed, N failed".
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { adapterEnvironment } from "./archives.mjs";
import { compile, compiled } from "./compile.mjs";
import { prepare, root } from "./prepare.mjs";
import { runTap } from "./tap.mjs";

const TIMEOUT_SECONDS = 1800;
/** One more than the cores of a small machine: a file waits for its threads, for timers and for browsers, and the core it leaves is worth a tenth. */
const PARALLEL = 3;
/** Files with this comment among their first lines hold gigabytes: never two of them at once. */
const LARGE = "// Holds gigabytes";
/** A file with this one starts before the others, so that no long one is left over at the end. */
const LONG = "// Takes minutes";

const wanted = process.argv.slice(2);
const isWanted = (name) => wanted.length === 0 || wanted.some((part) => name.includes(part));
const start = performance.now();
const total = { passed: 0, failed: 0 };

const env = await environment();
if (env) {
  const checks = [
    ["lint", ["node_modules/oxlint/bin/oxlint", "--deny-warnings"]],
    ["types", ["node_modules/typescript/bin/tsc", "-p", "."]],
  ].filter(([name]) => isWanted(name));
  const files = testFiles("test").filter(isWanted);
  if (files.length > 0) await compile();
  const marked = (mark) => files.filter((file) => readFileSync(join(root, file), "utf8").slice(0, 600).includes(mark));
  const large = marked(LARGE), long = marked(LONG).filter((file) => !large.includes(file));
  const rest = files.filter((file) => !large.includes(file) && !long.includes(file));
  await runAll(large.map(fileJob), [...checks.map(checkJob), ...[...long, ...rest].map(fileJob)]);
  if (total.passed + total.failed === 0) fail(wanted.join(" "), 0, ["no check and no test file has this in its name"]);
}
console.log(`${((performance.now() - start) / 1000).toFixed(0)} s`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** Installs, builds, and gives the environment of every test, with an adapter that was seen to answer; null (and a failure) if one fails. */
async function environment() {
  try {
    prepare();
    const candidate = await adapterEnvironment();
    const check = spawnSync(process.execPath, [join(root, "scripts", "check-adapter.mjs")], { cwd: root, env: candidate, encoding: "utf8" });
    if (check.status === 0) {
      console.log(`WebGPU adapter: ${check.stdout.trim()}`);
      return candidate;
    }
    fail("adapter", 0, [check.stderr.trim() || `looking for an adapter was ended by ${check.signal ?? `exit code ${check.status}`}`]);
  } catch (error) {
    fail("preparation", 0, [error.message]);
  }
  return null;
}

/** A command that says nothing where all is well. */
function checkJob([name, args]) {
  return async () => {
    const begin = performance.now();
    const { output, status } = await run(args);
    const seconds = (performance.now() - begin) / 1000;
    if (status === 0) pass(name, 1, seconds);
    else fail(name, seconds, [output.trim() || `exited with ${status}`]);
  };
}

/** Runs a script of Node's; resolves to all it printed and its exit code, or the signal that ended it. */
function run(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return new Promise((settle) => {
    child.once("error", (error) => settle({ output: error.message, status: "an error" }));
    child.once("close", (code, signal) => settle({ output, status: code ?? signal }));
  });
}

function fileJob(file) {
  return async () => {
    const result = await runTap(process.execPath, ["--enable-source-maps", compiled(file)], { cwd: root, env, timeoutSeconds: TIMEOUT_SECONDS });
    if (result.failures.length === 0) pass(file, result.passed, result.seconds);
    else fail(file, result.seconds, result.failures, result.passed);
  };
}

/** One worker does the large jobs, one after the other, before it helps with the rest. */
async function runAll(large, rest) {
  const worker = async (queue) => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job();
  };
  await Promise.all(Array.from({ length: PARALLEL }, async (_, i) => {
    if (i === 0) await worker(large);
    await worker(rest);
  }));
}

function testFiles(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? testFiles(path) : path.endsWith(".test.ts") ? [path] : [];
    })
    .sort();
}

function pass(name, passed, seconds) {
  total.passed += passed;
  console.log(`  ok    ${name}  ${passed} passed  ${seconds.toFixed(1)} s`);
}

function fail(name, seconds, failures, passed = 0) {
  total.passed += passed;
  total.failed += failures.length;
  console.log(`  FAIL  ${name}  ${passed} passed, ${failures.length} failed  ${seconds.toFixed(1)} s`);
  for (const failure of failures) console.log(failure.replace(/^/gm, "        "));
}
