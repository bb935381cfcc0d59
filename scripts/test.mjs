// `npm test`: installs and builds what is missing, then lint, types, every test file on all devices, and the browser; `npm test -- NAME …`
// runs only what has one of the names in its own. The last line is always "N passed, N failed".
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { adapterEnvironment } from "./archives.mjs";
import { compile, compiled } from "./compile.mjs";
import { prepare, root } from "./prepare.mjs";
import { runTap } from "./tap.mjs";

const TIMEOUT_SECONDS = 1800;
const PARALLEL = 2;
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
  for (const [name, args] of [
    ["lint", ["node_modules/oxlint/bin/oxlint", "--deny-warnings"]],
    ["types", ["node_modules/typescript/bin/tsc", "-p", "."]],
  ]) {
    if (isWanted(name)) runCheck(name, args);
  }
  const files = testFiles("test").filter(isWanted);
  if (files.length > 0) await compile();
  const marked = (mark) => files.filter((file) => readFileSync(join(root, file), "utf8").slice(0, 600).includes(mark));
  const large = marked(LARGE), long = marked(LONG);
  await runFiles(large, [...long, ...files.filter((file) => !large.includes(file) && !long.includes(file))]);
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

function runCheck(name, args) {
  const begin = performance.now();
  const result = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  const seconds = (performance.now() - begin) / 1000;
  if (result.status === 0) pass(name, 1, seconds);
  else fail(name, seconds, [`${result.stdout}${result.stderr}`.trim() || `exited with ${result.status ?? result.signal}`]);
}

/** One worker runs the large files, one after the other, before it helps with the rest. */
async function runFiles(large, rest) {
  const worker = async (queue) => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const result = await runTap(process.execPath, ["--enable-source-maps", compiled(file)], { cwd: root, env, timeoutSeconds: TIMEOUT_SECONDS });
      if (result.failures.length === 0) pass(file, result.passed, result.seconds);
      else fail(file, result.seconds, result.failures, result.passed);
    }
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
