// An element-wise operation is one row of kernels/elementwise.ts: in a copy of the sources that has three rows more, their methods and functions are there,
// with types, on every device and with a gradient.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import test from "tape";
import type { DeviceKind, Tensor, openDevice, tensor } from "../index.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** One of a single tensor, one of two, one with a parameter. */
const rows = `
  /** Half of e^x − e^−x. */
  row("hyperbolicSine", (e, x) => e.mul(e.constant(0.5), e.sub(e.exp(x), e.exp(e.neg(x)))), {
    doc: "Half of e^x − e^−x.", grad: [(e, g, x) => e.mul(g, e.mul(e.constant(0.5), e.add(e.exp(x), e.exp(e.neg(x)))))],
  }),
  row("hypotenuse", (e, a, b) => e.sqrt(e.add(e.mul(a, a), e.mul(b, b))), {
    inputs: 2, grad: [(e, g, a, _b, y) => e.div(e.mul(g, a), y), (e, g, _a, b, y) => e.div(e.mul(g, b), y)],
  }),
  row("shrunk", (e, x, bound) => e.select(e.lt(bound, x), e.sub(x, bound), e.select(e.lt(x, e.neg(bound)), e.add(x, bound), e.constant(0))), {
    parameters: { lambd: 0.5 },
    grad: [(e, g, x, _y, bound) => e.select(e.lt(bound, e.abs(x)), g, e.constant(0))],
  }),
`;
const close = (got: readonly number[], want: readonly number[]) => got.length === want.length && got.every((value, i) => Math.abs(value - (want[i] ?? NaN)) < 1e-5 * Math.max(1, Math.abs(value)));

type Call = (x: Tensor, ...given: unknown[]) => Tensor;
interface Scratch {
  readonly tensor: typeof tensor;
  readonly openDevice: typeof openDevice;
  readonly hyperbolicSine: Call;
  readonly hypotenuse: Call;
  readonly shrunk: Call;
}

function run(folder: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

test("a row of the table is a method and a function on every device", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "athanor-row-"));
  for (const name of ["engine", "kernels", "scripts"]) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  const table = join(folder, "kernels/elementwise.ts"), before = readFileSync(table, "utf8"), after = before.replace("const transcendental = [\n", (start) => start + rows.slice(1));
  writeFileSync(table, after);
  t.notEqual(after, before, "three rows more, and nothing else");
  for (const script of ["scripts/build-wasm.mjs", "scripts/build-methods.mjs"]) t.equal(run(folder, script, "--force", "--unoptimised"), "", script);

  writeFileSync(join(folder, "user.ts"), `
    import { hyperbolicSine, hypotenuse, shrunk, tensor, type Tensor } from "./engine/index.js";
    const x = tensor([1]);
    export const all: Tensor[] = [x.hyperbolicSine(), hyperbolicSine(x), x.hypotenuse(2), hypotenuse(x, x), x.shrunk(), shrunk(x, { lambd: 2 }), shrunk({ input: x, lambd: 2 })];
    // @ts-expect-error it takes nothing
    x.hyperbolicSine(1);
    // @ts-expect-error a number
    shrunk(x, "1");`);
  const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")) as { compilerOptions: object };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["user.ts"] }));
  t.equal(run(folder, join(root, "node_modules/typescript/bin/tsc"), "-p", "."), "", "with its types");

  const outfile = join(folder, "engine.mjs");
  await build({ entryPoints: [join(folder, "engine/index.ts")], bundle: true, format: "esm", platform: "node", packages: "external", outfile, logLevel: "silent" });
  const scratch = (await import(pathToFileURL(outfile).href)) as Scratch;
  for (const kind of ["reference", "cpu", "webgpu"] as const) await tryRows(scratch, kind, t);
  rmSync(folder, { recursive: true });
});

async function tryRows({ tensor, openDevice, ...functions }: Scratch, kind: DeviceKind, t: test.Test): Promise<void> {
  const device = await openDevice(kind), xs = [-2, -0.25, 0.5, 3], ys = [1.5, -2, 0.25, 4];
  const check = async (name: keyof typeof functions, given: (number[] | number)[], value: (x: number, i: number) => number, slope: (x: number, i: number) => number) => {
    const x = tensor(xs, { device, requiresGrad: true }), rest = given.map((one) => (Array.isArray(one) ? tensor(one, { device }) : one));
    const method = Reflect.get(x, name) as (...given: unknown[]) => Tensor, y = Reflect.apply(method, x, rest), same = functions[name](x, ...rest);
    y.backward(tensor([1, 2, 3, 4], { device }));
    t.ok(close([...(await y.data())], xs.map(value)), `${name} on ${kind}: [${await y.data()}]`);
    t.deepEqual([...(await same.data())], [...(await y.data())], "as a function");
    const grad = x.grad === null ? [] : [...(await x.grad.data())];
    t.ok(close(grad, xs.map((one, i) => (i + 1) * slope(one, i))), `its gradient: [${grad}]`);
  };
  const distance = (x: number, i: number) => Math.hypot(x, ys[i] ?? NaN);
  await check("hyperbolicSine", [], Math.sinh, Math.cosh);
  await check("hypotenuse", [ys], distance, (x, i) => x / distance(x, i));
  await check("shrunk", [0.4], (x) => (Math.abs(x) > 0.4 ? x - Math.sign(x) * 0.4 : 0), (x) => Number(Math.abs(x) > 0.4));
  await device.close();
}
