// The pages of docs/: their programs run, and what their tables call by name is there.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "tape";
import * as athanor from "../index.js";

const pages = readdirSync("docs").filter((name) => name.endsWith(".md")).map((name) => ({ name, text: readFileSync(`docs/${name}`, "utf8") }));

/** A program as a user would have it: a file of its own that imports the built package. */
function writeProgram(name: string, program: string): string {
  mkdirSync("build/docs", { recursive: true });
  const file = `build/docs/${name}.ts`;
  writeFileSync(file, program);
  return file;
}
/** What TypeScript says of it. */
function typeComplaints(name: string, program: string): string {
  const file = writeProgram(name, program);
  return spawnSync(process.execPath, [
    "node_modules/typescript/bin/tsc", "--ignoreConfig", "--noEmit", "--strict", "--target", "ES2022", "--module", "NodeNext", "--skipLibCheck",
    "--lib", "ES2023,DOM,ESNext.Disposable", "--types", "node,@webgpu/types", file,
  ], { encoding: "utf8" }).stdout;
}
function runProgram(name: string, ...args: string[]) {
  const run = spawnSync(process.execPath, ["--import", "tsx", `${name}.ts`, ...args], { cwd: "build/docs", encoding: "utf8" });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

/** A software adapter computes 64 images for a minute. */
const withFewImages = (program: string): string => program.replaceAll(/(?<=randn\()64(?=, )|(?<=\[)64(?=\])/g, "8");

test("programs in the pages type-check and run, and their loss falls", (t) => {
  for (const { name, text } of pages) {
    for (const [i, [, program = ""]] of [...text.matchAll(/```ts\n([^]*?)```/g)].entries()) {
      t.equal(typeComplaints(`${name}-${i}`, program), "", `${name}, program ${i + 1}: types`);
      for (const device of ["cpu", "webgpu"]) {
        if (device === "webgpu") writeProgram(`${name}-${i}`, withFewImages(program));
        const { status, out, err } = runProgram(`${name}-${i}`, device);
        t.equal(status, 0, `${name}, program ${i + 1} on ${device}: exit code 0 ${err}`);
        const losses = [...out.matchAll(/Loss: (\d+\.\d+)/g)].map(([, loss]) => Number(loss));
        t.ok(losses.length > 1 && (losses.at(-1) ?? NaN) < (losses[0] ?? NaN), `${name}, program ${i + 1} on ${device}: ${losses.join(", ")}`);
      }
    }
  }
  t.end();
});

const example = athanor.zeros(2, 2), model = new athanor.nn.Identity();
const optimizer = new athanor.optim.SGD([athanor.zeros(1, { requiresGrad: true })], { lr: 0.1 });
/** What a name in a table's third column starts from. */
const roots: Readonly<Record<string, unknown>> = {
  ...athanor, console, String, F: athanor.nn.functional, x: example, loss: example, model, optimizer,
};

/** `new nn.Conv2d(3, …)` → nn.Conv2d; `x.select(1, 0)` → x.select. */
function namesIn(span: string): string[] {
  return [...span.matchAll(/(?<![\w.])([A-Za-z]\w*(?:\.\w+)*)(?=\()/g)].map(([, name = ""]) => name);
}
function isThere(name: string): boolean {
  let value: unknown = roots;
  for (const part of name.split(".")) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || !(part in value)) return false;
    value = Reflect.get(value, part);
  }
  return true;
}

test("what the tables call is there", (t) => {
  for (const { name, text } of pages) {
    const rows = text.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| ---")).map((line) => line.split(" | ")[2] ?? "");
    if (name === "devices.md") continue; // its table is about what a device has, not about what is called
    const called = rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, span = ""]) => namesIn(span)))
      .filter((called) => called !== "get");
    t.ok(called.length > 40, `${name}: ${called.length} calls`);
    t.deepEqual(called.filter((one) => !isThere(one)), [], `${name}: every one exists`);
  }
  t.end();
});
