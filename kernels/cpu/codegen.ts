// Writes the AssemblyScript of all element-wise and update kernels from their tables (../elementwise.ts, ../updates.ts). Runs at build time
// only (scripts/build-wasm.mjs). The loops around the expressions are the same for all; how operands are read is assembly/strided.ts.
import type { Algebra } from "../algebra.js";
import { type ElementwiseKernel, elementwiseKernels } from "../elementwise.js";
import { type UpdateRow, updates } from "../updates.js";
import { type NumberType, elementwiseTypes, exportName, updateName } from "./names.js";

/** Spells an expression as statements, one variable for each operation; a value is a variable's name. Truth values are lane masks. */
class Statements {
  readonly lines: string[] = [];
  private readonly known = new Map<string, string>();

  /** A variable that holds the expression; the same expression is computed once. */
  let(expression: string): string {
    const name = this.known.get(expression) ?? `v${this.known.size}`;
    if (!this.known.has(expression)) this.lines.push(`const ${name} = ${expression};`);
    this.known.set(expression, name);
    return name;
  }
}

function simdAlgebra(out: Statements, type: NumberType): Algebra<string, string> {
  const lanes = type === "f32" ? "f32x4" : "i32x4";
  const constants = new Set<string>();
  const unary = (name: string) => (a: string) => out.let(`${lanes}.${name}(${a})`);
  const binary = (name: string) => (a: string, b: string) => out.let(`${lanes}.${name}(${a}, ${b})`);
  const library = (name: string) => (a: string) => out.let(`math.${name}(${a})`);
  const floatOnly = (name: string) => (a: string) => (type === "f32" ? out.let(`f32x4.${name}(${a})`) : a);
  // max and min must give NaN for a NaN in either operand; against a constant the cheaper pmax and pmin already do.
  const extreme = (name: "max" | "min") => (a: string, b: string) => {
    if (type === "i32") return out.let(`i32x4.${name}_s(${a}, ${b})`);
    return out.let(constants.has(b) ? `f32x4.p${name}(${a}, ${b})` : `f32x4.${name}(${a}, ${b})`);
  };
  const compare = (name: string) => binary(type === "f32" || name === "eq" || name === "ne" ? name : `${name}_s`);
  const zero = `${lanes}.splat(0)`;
  return {
    constant: (value) => {
      const name = out.let(type === "f32" ? `f32x4.splat(${floatText(value)})` : `i32x4.splat(${Math.trunc(value)})`);
      constants.add(name);
      return name;
    },
    add: binary("add"), sub: binary("sub"), mul: binary("mul"), div: binary("div"), settled: (a) => a, neg: unary("neg"), abs: unary("abs"),
    max: extreme("max"), min: extreme("min"), sqrt: unary("sqrt"),
    exp: library("exp"), log: library("log"), log1p: library("log1p"), expm1: library("expm1"), sin: library("sin"), cos: library("cos"),
    tanh: library("tanh"), erf: library("erf"), pow: (a, b) => out.let(`pow(${a}, ${b})`),
    floor: floatOnly("floor"), ceil: floatOnly("ceil"), round: floatOnly("nearest"),
    lt: compare("lt"), le: compare("le"), eq: compare("eq"), ne: compare("ne"),
    isNaN: (a) => out.let(type === "f32" ? `f32x4.ne(${a}, ${a})` : "i32x4.splat(0)"),
    and: (a, b) => out.let(`v128.and(${a}, ${b})`),
    or: (a, b) => out.let(`v128.or(${a}, ${b})`),
    not: (a) => out.let(`v128.not(${a})`),
    truth: (a) => out.let(`${lanes}.ne(${a}, ${zero})`),
    select: (condition, whenTrue, whenFalse) => out.let(`v128.bitselect(${whenTrue}, ${whenFalse}, ${condition})`),
  };
}

function floatText(value: number): string {
  return Number.isFinite(value) ? String(value) : value > 0 ? "Infinity" : value < 0 ? "-Infinity" : "NaN";
}

const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const indented = (lines: readonly string[], depth: number): string => lines.map((line) => "  ".repeat(depth) + line).join("\n");

function elementwiseFunction(kernel: ElementwiseKernel, type: NumberType): string {
  const inputs = indices(kernel.inputs), scalars = indices(kernel.scalars);
  const body = new Statements();
  const operands = [...inputs.map((i) => `x${i}`), ...scalars.map((i) => `s${i}`)];
  const value = kernel.expression(simdAlgebra(body, type), ...operands);
  const givesTruth = kernel.kind === "compare" || kernel.kind === "logic";
  const result = givesTruth ? `v128.and(${value}, i32x4.splat(1))` : value;
  const parameters = scalars.map((i) => `, scalar${i}: ${type}`).join("");
  return `
export function ${exportName(kernel.name, type)}(begin: i32, end: i32, scratch: usize, job: usize, out: usize${parameters}): void {
  const rowLength = load<i32>(job, 4);
  const stop = smaller(end * elementsPerTask, load<i32>(job));
${indented(scalars.map((i) => `const s${i} = ${type}x4.splat(scalar${i});`), 1)}
  for (let position = begin * elementsPerTask; position < stop;) {
    const row = position / rowLength, column = position - row * rowLength;
    const count = stretch(job, column, stop - position);
${indented(inputs.flatMap((i) => [`let p${i} = operandAt(job, ${i}, row, column, count, scratch);`, `const d${i} = stepOf(job, ${i});`]), 2)}
    let target = out + (<usize>position << 2);
    for (let left = count; left > 0; left -= 4, target += 16) {
${indented(inputs.map((i) => `const x${i} = v128.load(p${i}); p${i} += d${i};`), 3)}
${indented(body.lines, 3)}
      if (left >= 4) v128.store(target, ${result});
      else storeLanes(target, ${result}, left);
    }
    position += count;
  }
}
`;
}

/** The tasks of an update cover the groups one after another; each group's record is [first task, length, addresses …]. */
function updateFunction(name: string, row: UpdateRow): string {
  const tensors = indices(row.states + 2);
  const body = new Statements();
  const scalars = row.scalars.map((_, i) => `s${i}`);
  const results = row.expression<string, string>(simdAlgebra(body, "f32"), ...tensors.map((i) => `x${i}`), ...scalars);
  const written = tensors.filter((i) => i !== 1); // the gradient is only read
  const stores = (store: (address: string, value: string) => string): string[] =>
    written.map((tensor, i) => store(`p${tensor} + at`, results[i] ?? ""));
  const recordBytes = (tensors.length + 2) * 4;
  const parameters = row.scalars.map((_, i) => `, scalar${i}: f32`).join("");
  return `
export function ${updateName(name)}(begin: i32, end: i32, scratch: usize, groups: usize${parameters}): void {
${indented(scalars.map((s, i) => `const ${s} = f32x4.splat(scalar${i});`), 1)}
  let group = groups;
  for (let task = begin; task < end; task++) {
    while (load<i32>(group, ${recordBytes}) <= task) group += ${recordBytes};
    const start = (task - load<i32>(group)) * elementsPerTask;
    let left = smaller(elementsPerTask, load<i32>(group, 4) - start);
${indented(tensors.map((i) => `const p${i} = load<usize>(group, ${8 + i * 4}) + (<usize>start << 2);`), 2)}
    for (let at: usize = 0; left > 0; left -= 4, at += 16) {
${indented(tensors.map((i) => `const x${i} = v128.load(p${i} + at);`), 3)}
${indented(body.lines, 3)}
      if (left >= 4) {
${indented(stores((address, value) => `v128.store(${address}, ${value});`), 4)}
      } else {
${indented(stores((address, value) => `storeLanes(${address}, ${value}, left);`), 4)}
      }
    }
  }
}
`;
}

/** File names (below assembly/generated) and their texts. */
export function generateAssembly(): Record<string, string> {
  const header = "// Written by kernels/cpu/codegen.ts; do not edit.\n";
  const imports = 'import { smaller, storeLanes } from "../simd";\n';
  const elementwise = elementwiseKernels().flatMap((kernel) => elementwiseTypes(kernel).map((type) => elementwiseFunction(kernel, type)));
  return {
    "elementwise.ts": header + imports + 'import * as math from "../math";\nimport { pow } from "../power";\n' +
      'import { elementsPerTask, operandAt, stepOf, stretch } from "../strided";\n' + elementwise.join(""),
    "update.ts": header + imports + 'import { elementsPerTask } from "../strided";\n' +
      Object.entries(updates).map(([name, row]) => updateFunction(name, row)).join(""),
  };
}
