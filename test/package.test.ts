// Takes minutes.
// The library as a user installs it: what npm packs, in a folder of its own, without the optional GPU package and without our sources.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { publint } from "publint";
import test from "tape";
import ts from "typescript-5.9";
import { install, packed } from "./support/packed.js";
import { typedCalls } from "./support/typedCalls.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const subpaths = ["athanor", "athanor/kernels", "athanor/nn", "athanor/nn/functional", "athanor/optim", "athanor/data", "athanor/training"];
/** Those that may hold a single class. */
const apart = ["athanor/training/plots", "athanor/training/live", "athanor/training/tensorboard", "athanor/training/search"];
const bundle = packed();
let home = "";

function run(program: string, args: string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: home, encoding: "utf8" });
  return { status, text: `${stdout}${stderr}` };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

function write(name: string, text: string): string {
  writeFileSync(join(home, name), text);
  return name;
}

test("a user's folder with the built package and its dependencies", (t) => {
  home = mkdtempSync(join(tmpdir(), "athanor-user-"));
  install(bundle, home);
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: Record<string, string> };
  t.deepEqual(Object.keys(dependencies), ["@cornerstonejs/codec-libjpeg-turbo-8bit"], "WebAssembly and JavaScript: nothing native is required");
  for (const name of Object.keys(dependencies)) cpSync(join(root, "node_modules", name), join(home, "node_modules", name), { recursive: true });
  const bytes = sum(readdirSync(join(home, "node_modules"), { recursive: true, encoding: "utf8" }).map((name) => statSync(join(home, "node_modules", name)))
    .map((status) => (status.isFile() ? status.size : 0)));
  t.ok(bytes <= 10e6, `npm install athanor takes ${(bytes / 1e6).toFixed(1)} MB of at most 10`);
  const folders = readdirSync(join(home, "node_modules", "athanor", "dist"), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  t.deepEqual(folders.toSorted(), ["data", "engine", "kernels", "nn", "optim", "serialization", "src", "training"], "the library, its sources, and nothing beside it");
  write("package.json", '{ "type": "module" }');
  t.end();
});

test("the package holds the library, and nothing that its users cannot reach", (t) => {
  const names = [...bundle.sizes.keys()];
  t.deepEqual(names.filter((name) => !name.startsWith("dist/")).sort(), ["LICENSE", "README.md", "package.json"]);
  t.deepEqual(names.filter((name) => name.startsWith("dist/cli/")), [], "no command line, which needs development dependencies");
  const types = sum([...bundle.sizes].map(([name, bytes]) => (/\.d\.c?ts$/.test(name) ? bytes : 0)));
  t.ok(types <= 300e3, `its types take ${(types / 1e3).toFixed(0)} kB of at most 300`);
  const internal = names.filter((name) => name.endsWith(".d.ts") && bundle.contents.readFile(`/node_modules/athanor/${name}`).includes("@internal"));
  t.deepEqual(internal, [], "nothing that is the library's own shows in them");
  t.end();
});

test("publint and Are the types wrong? have nothing to say", async (t) => {
  const { messages } = await publint({ pack: { tarball: bundle.tarball.buffer }, level: "suggestion" });
  t.deepEqual(messages, [], "publint");
  const analysis = await checkPackage(bundle.contents);
  t.deepEqual(analysis.types && analysis.problems, [], "Are the types wrong?, in every way of resolving a module that it knows");
});

test("every subpath loads", (t) => {
  const program = `for (const path of ${JSON.stringify(subpaths)}) if (Object.keys(await import(path)).length < 3) throw new Error(path);
    for (const path of ${JSON.stringify(apart)}) if (Object.keys(await import(path)).length < 1) throw new Error(path);`;
  t.deepEqual(run(process.execPath, [write("load.mjs", program)]), { status: 0, text: "" });
  const common = `const athanor = require("athanor");
    import("athanor").then((other) => { if (other.tensor !== athanor.tensor) throw new Error("two libraries"); });
    for (const path of ${JSON.stringify(subpaths)}) if (Object.keys(require(path)).length < 3) throw new Error(path);
    for (const path of ${JSON.stringify(apart)}) if (Object.keys(require(path)).length < 1) throw new Error(path);`;
  const required = run(process.execPath, ["--no-warnings", write("load.cjs", common)]);
  if (process.features.require_module) t.deepEqual(required, { status: 0, text: "" }, "by require too, one library for both");
  else t.match(required.text, /ERR_REQUIRE_ESM/, "before 20.19 and 22.12 Node has no require of ES modules");
  t.end();
});

test("without the package webgpu the CPU serves, and one line says so", (t) => {
  const program = `
    import { openDevice, tensor } from "athanor";
    const device = await openDevice("auto", { onChoice: (line) => console.log(line) });
    const x = tensor([1, 2, 3], { requiresGrad: true }).to(device);
    console.log(device.kind, await x.mul(x).sum().item());
    await device.close();
    await openDevice("webgpu").catch((error) => console.log(error.name, error.message));`;
  const { status, text } = run(process.execPath, [write("auto.mjs", program)]);
  t.equal(status, 0);
  const [choice = "", sum, asked] = text.split("\n");
  t.match(choice, /^Using cpu .{20,80}: the npm package webgpu is not installed \(npm install webgpu\)\.$/, "the choice and its reason in one line");
  t.equal(sum, "cpu 14");
  const sentence = "A GPU in Node needs the npm package webgpu (Dawn), which is not installed: `npm install webgpu`, or use the CPU device.";
  t.equal(asked, `DeviceUnavailableError ${sentence}`, "who asks for it by name hears what to install");
  t.end();
});

test("without the optional chart library a figure says what to install; the rest of the training room works", (t) => {
  const program = `
    import { training } from "athanor";
    import { curves } from "athanor/training/plots";
    const history = new training.History([{ epoch: 1, trainLoss: 0.5 }]);
    await curves(history).catch((error) => console.log(error.message));`;
  const { status, text } = run(process.execPath, [write("figure.mjs", program)]);
  t.equal(status, 0);
  t.match(text, /^The npm package "echarts" could not be loaded .*npm install echarts @resvg\/resvg-js @expo-google-fonts\/open-sans`\.\n$/);
  t.end();
});

/** TypeScript by its versions, as development dependencies under names of their own. */
const compilers: Readonly<Record<string, string>> = { "5.4": "typescript-5.4", "5.9": "typescript-5.9", "7": "typescript" };

/** The declarations were checked with another program. */
const checkedAlready = { skipLibCheck: true };

function compile(version: string, options: object, ...files: string[]) {
  const base = { strict: true, noEmit: true, target: "es2022", types: [], skipLibCheck: false };
  write("tsconfig.json", JSON.stringify({ compilerOptions: { ...base, ...options }, files }));
  const { status, text } = run(process.execPath, [join(root, "node_modules", compilers[version] ?? "", "bin/tsc"), "-p", "."]);
  return status === 0 ? "" : text;
}

test("the declarations serve a strict TypeScript user, who checks them too", (t) => {
  const program = `
    import { type Tensor, nn, optim, tensor } from "athanor";
    import { Linear } from "athanor/nn";
    import { relu } from "athanor/nn/functional";
    import { SGD } from "athanor/optim";
    import { TensorDataset } from "athanor/data";
    import { Checkpoint, EarlyStopping, progress } from "athanor/training";
    import { Visdom } from "athanor/training/live";
    import { curves, type Figure } from "athanor/training/plots";
    import { search, GridSampler, uniform } from "athanor/training/search";
    import { SummaryWriter } from "athanor/training/tensorboard";
    class Net extends nn.Module {
      fc = new Linear(3, 2);
      override forward(x: Tensor): Tensor { return relu(this.fc(x)); }
    }
    const net = new Net();
    const optimizer: optim.Optimizer = new SGD(net.parameters(), { lr: 0.1 });
    const output: Tensor = net(tensor([[1, 2, 3]]));
    output.sum().backward();
    optimizer.step();
    export const dataset = new TensorDataset(output);
    export const kept = new Checkpoint("runs", { net, optimizer, stopping: new EarlyStopping({ restoreBest: net }) });
    export async function walk(): Promise<void> { for await (const batch of progress([output])) batch.dispose(); }
    export const drawn: Promise<Figure> = curves([{ epoch: 1, loss: 1 }]), written = new SummaryWriter("runs"), page = Visdom.open;
    export const found = search({ space: { lr: uniform(0, 1) }, sampler: new GridSampler(), objective: ({ lr }) => lr });
    // @ts-expect-error a module of one tensor does not take a string
    net("x");`;
  write("user.ts", program);
  write("common.cts", `
    import { nn, tensor, type Tensor } from "athanor";
    import optim = require("athanor/optim");
    import plots = require("athanor/training/plots");
    export const { curves } = plots;
    const layer: nn.Linear = new nn.Linear(1, 1), optimizer: optim.Optimizer = new optim.Adam(layer.parameters());
    export const x: Tensor = layer(tensor([[1]]));
    optimizer.step();`);
  for (const version of Object.keys(compilers)) {
    const module = version === "5.9" ? "node16" : "nodenext", lib = ["es2022"];
    t.equal(compile(version, { module, lib }, "user.ts", "common.cts"), "", `TypeScript ${version}, ${module}, ES modules and CommonJS`);
    t.equal(compile(version, { module: "esnext", moduleResolution: "bundler", lib: [...lib, "dom"] }, "user.ts"), "", `TypeScript ${version}, bundler, DOM`);
  }
  t.end();
});

/** Where an editor's "go to definition" leads from the end of each mark in a program: the file, and the line there. */
function definitionsOf(name: string, marks: readonly string[]): string[] {
  const file = join(home, name), lines = readFileSync(file, "utf8").split("\n");
  const asked = marks.map((mark) => {
    const line = lines.findIndex((one) => one.includes(mark)), offset = (lines[line] ?? "").indexOf(mark) + mark.length;
    return { command: "definition", arguments: { file, line: line + 1, offset } };
  });
  const requests = [{ command: "open", arguments: { file } }, ...asked].map((request, seq) => JSON.stringify({ seq, type: "request", ...request }));
  const server = join(root, "node_modules/typescript-5.9/lib/tsserver.js"), input = `${requests.join("\n")}\n`;
  const { stdout } = spawnSync(process.execPath, [server, "--disableAutomaticTypingAcquisition"], { cwd: home, encoding: "utf8", input });
  type Reply = { command?: string; body?: { file: string; start: { line: number } }[] };
  const replies = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Reply).filter(({ command }) => command === "definition");
  return replies.map(({ body = [] }) => {
    const [found] = body;
    if (!found) return "nowhere";
    const text = readFileSync(found.file, "utf8").split("\n")[found.start.line - 1] ?? "";
    return `${relative(join(home, "node_modules/athanor"), found.file).replaceAll("\\", "/")}: ${text.trim()}`;
  });
}

test("an editor's go to definition ends in the source", (t) => {
  const program = `import { exp, nn, openDevice, optim, tensor } from "athanor";
    import { crossEntropy } from "athanor/nn/functional";
    const conv = new nn.Conv2d(3, 8, 3), x = tensor([1]), y = exp(x).reshape(1).sum().round();
    new optim.Adam(conv.parameters()); conv.forward(x); crossEntropy(y, y); await openDevice("cpu");`;
  const places: Readonly<Record<string, RegExp>> = {
    "nn.Conv2d": /^dist\/src\/nn\/layers\/conv\.ts: export class Conv2d /,
    "= tensor": /^dist\/src\/engine\/factories\.ts: export (const|function) tensor\b/,
    "= exp": /^dist\/src\/engine\/tensor\/generated\/functions\.ts: export const exp = /,
    ".reshape": /^dist\/src\/engine\/tensor\/views\.ts: reshape\(.*\{$/,
    ".sum": /^dist\/src\/engine\/tensor\/reductions\.ts: sum\(.*\{$/,
    ".round": /^dist\/src\/engine\/tensor\/generated\/methods\.ts: round\(/,
    "optim.Adam": /^dist\/src\/optim\/adam\.ts: export class Adam /,
    "conv.forward": /^dist\/src\/nn\/layers\/conv\.ts: (override )?forward\(.*\{$/,
    "; crossEntropy": /^dist\/src\/nn\/functional\/losses\.ts: export const crossEntropy = /,
    "await openDevice": /^dist\/src\/engine\/device\.ts: export async function openDevice\(/,
  };
  const marks = Object.keys(places), found = definitionsOf(write("definitions.mts", program), marks);
  for (const [i, mark] of marks.entries()) t.match(found[i] ?? "", places[mark] ?? /$^/, mark);
  const maps = [...bundle.sizes.keys()].filter((name) => name.endsWith(".d.ts.map"));
  const astray = maps.filter((name) => (JSON.parse(bundle.contents.readFile(`/node_modules/athanor/${name}`)) as { sources: string[] }).sources.some((source) => !bundle.sizes.has(posix.join(posix.dirname(name), source))));
  t.deepEqual({ astray, maps: maps.length }, { astray: [], maps: [...bundle.sizes.keys()].filter((name) => name.endsWith(".d.ts")).length }, "every declaration has a map, to a source that is there");
  t.end();
});

test("what the reader of arguments takes compiles, what it refuses does not", async (t) => {
  const program = await typedCalls(), lines = program.split("\n");
  t.ok(lines.length > 3000, "every export and method is called");
  write("calls.ts", program);
  const complaints = compile("7", { module: "nodenext", lib: ["es2022"] }, "calls.ts").split("\n").filter((line) => line.startsWith("calls.ts"));
  // A complaint about a line that must not compile stands at the comment above it.
  const written = (place: number) => lines.slice(place - 1, lines[place - 1]?.startsWith("//") ? place + 1 : place).join(" ");
  t.deepEqual(complaints.map((line) => `${line.slice(0, 200)}: ${written(Number(/\d+/.exec(line)?.[0]))}`), []);
});

test("the examples are a user's TypeScript from 5.4 on, without a cast", (t) => {
  const installed = "node_modules/athanor";
  for (const folder of ["examples", "programs"]) cpSync(join(root, folder), join(home, installed, folder), { recursive: true });
  for (const name of ["@types/node", "undici-types"]) cpSync(join(root, "node_modules", name), join(home, "node_modules", name), { recursive: true });
  const files = readdirSync(join(home, installed, "examples")).filter((name) => name.endsWith(".ts")).map((name) => `${installed}/examples/${name}`);
  const lines = readFileSync(join(root, "test/types/lines.ts"), "utf8").replaceAll('"../../index.js"', '"athanor"');
  files.push(write("lines.ts", lines));
  const options = { ...checkedAlready, module: "nodenext", lib: ["es2023"], types: ["node"] };
  for (const version of Object.keys(compilers)) t.equal(compile(version, options, ...files), "", `TypeScript ${version}`);
  for (const name of files) t.deepEqual(castsIn(name), [], `${name}: no cast`);
  t.end();
});

function castsIn(name: string): string[] {
  const found: string[] = [];
  const walk = (node: ts.Node): void => {
    if (ts.isAsExpression(node) && !ts.isConstTypeReference(node.type)) found.push(node.getText());
    ts.forEachChild(node, walk);
  };
  walk(ts.createSourceFile(name, readFileSync(join(home, name), "utf8"), ts.ScriptTarget.ES2022, true));
  return found;
}

/** Bundles a program of a user's for Node; gives its size and what it prints. */
async function bundled(program: string, format: "esm" | "cjs" = "esm"): Promise<{ kilobytes: number; text: string }> {
  const entry = join(home, write(format === "esm" ? "entry.mjs" : "entry.cjs", program)), outfile = join(home, format === "esm" ? "bundle.mjs" : "bundle.cjs");
  await build({ entryPoints: [entry], bundle: true, minify: true, keepNames: true, format, platform: "node", external: ["webgpu"], outfile, logLevel: "silent" });
  const { text } = run(process.execPath, [outfile]);
  return { kilobytes: statSync(outfile).size / 1e3, text };
}

test("a bundle of one thing works, and holds little else", async (t) => {
  const whole = await bundled('import * as athanor from "athanor"; console.log(Object.values(athanor).includes(athanor.exp));');
  t.equal(whole.text, "true\n");
  const alone: Readonly<Record<string, readonly [text: string, share: number]>> = {
    'import { exp } from "athanor"; console.log(exp.name);': ["exp", 0.02],
    'import { relu } from "athanor/nn/functional"; console.log(relu.name);': ["relu", 0.03],
    'import { deviceKinds } from "athanor"; console.log(deviceKinds().join());': ["webgpu,cpu,reference", 0.03],
    'import { tensor, exp } from "athanor"; const x = tensor([0, 1], { requiresGrad: true }); exp(x).sum().backward(); console.log((await x.grad.tolist()).map(Math.round).join());': ["1,3", 0.65],
    'import { openDevice, ones } from "athanor"; const device = await openDevice("reference"); console.log(await ones(3, { device }).sum().item());': ["3", 0.65],
    'import { tensor } from "athanor"; import { Linear } from "athanor/nn"; try { new Linear(1, 1)(tensor([1]), tensor([1])); } catch (error) { console.log(error.message); }':
      ["Linear: forward: got 2 inputs; expected 1 (options stand in the constructor).", 0.75],
    'import { nn, optim, tensor } from "athanor"; const w = new nn.Parameter(tensor([1])), adam = new optim.Adam([w], { lr: 0.5 }); w.sum().backward(); adam.step(); console.log((await w.item()).toFixed(4));':
      ["0.5000", 0.8],
    'import { DataLoader, TensorDataset } from "athanor/data"; import { tensor } from "athanor"; for await (const [x] of new DataLoader(new TensorDataset(tensor([[1], [2]])), { batchSize: 2 })) console.log(await x.sum().item());':
      ["3", 0.7],
  };
  for (const [program, [text, share]] of Object.entries(alone)) {
    const found = await bundled(program);
    t.equal(found.text, `${text}\n`, program);
    t.ok(found.kilobytes < share * whole.kilobytes, `${found.kilobytes.toFixed(0)} of ${whole.kilobytes.toFixed(0)} kB`);
  }
  const common = await bundled('const { nn, tensor } = require("athanor"); new nn.Linear(1, 1, false)(tensor([[0]])).item().then(console.log);', "cjs");
  t.equal(common.text, "0\n", "by require");
});

test("the build bundles for the browser without any of Node's modules", async (t) => {
  write("page.js", 'export * from "athanor";');
  const { outputFiles, warnings } = await build({
    entryPoints: [join(home, "page.js")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    external: ["webgpu"],
    logLevel: "silent",
  });
  t.deepEqual(warnings, []);
  const text = outputFiles[0]?.text ?? "";
  t.notOk(/^import /m.test(text), "no static import is left");
  rmSync(home, { recursive: true, force: true });
});
