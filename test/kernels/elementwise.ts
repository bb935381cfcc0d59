// Cases for element-wise kernels: every row and every derivative, on ordinary numbers, ties and halves, wide arguments and non-finite ones.
import { type ElementwiseKernel, elementwiseKernels, elementwiseRows } from "../../kernels/elementwise.js";
import type { DType, Shape } from "../../kernels/types.js";
import type { KernelCase } from "../support/kernelCase.js";
import { drawn, type Layout, output } from "../support/operands.js";
import { TestRandom } from "../support/random.js";

/** Rows defined for positive operands alone, among them pow with a fractional exponent. */
const positiveOnly = new Set(["log", "log1p", "sqrt", "rsqrt", "pow", "powScalar"]);
const baseName = (kernel: ElementwiseKernel) => kernel.name.split("'")[0] ?? kernel.name;

/** Operands away from the poles: divisors and logarithms' arguments at least 0.3. */
function ordinary(kernel: ElementwiseKernel, random: TestRandom): () => number {
  if (positiveOnly.has(baseName(kernel))) return () => random.uniform(0.3, 3);
  if (/div|reciprocal/i.test(kernel.name)) return () => random.uniform(0.3, 3) * (random.uniform() < 0.5 ? -1 : 1);
  return () => random.normal(2);
}

const scalarValues: Record<string, readonly number[]> = { clamp: [-0.5, 1.5], leakyRelu: [0.01], powScalar: [2.5] };
const scalarsOf = (kernel: ElementwiseKernel) =>
  kernel.scalars === 0 ? [] : scalarValues[baseName(kernel)] ?? Array.from({ length: kernel.scalars }, () => 1.75);

/** WGSL's built-in functions are coarser than float32: exp has 3 + 2|x| ULP, and functions made of it inherit that; its pow is
 *  exp2(y·log2(x)), whose logarithm may be 3 ULP off, so that the error grows with |y·log2(x)|. */
function webgpuUlps(kernel: ElementwiseKernel, largest: number): number {
  if (/pow/.test(kernel.name)) return 16 + 8 * largest;
  if (/^(exp|expm1|sigmoid|silu|gelu|softplus|logSigmoid|bce)/.test(kernel.name)) return 3 + 2 * largest;
  return 0;
}

interface Variant {
  readonly label: string;
  readonly shape: Shape;
  readonly layouts: readonly Layout[];
  readonly draw: () => number;
  /** A derivative's first operand, where it is not drawn like the others. */
  readonly cotangent?: () => number;
  readonly largest: number;
  readonly dtype?: DType;
}

function caseOf(kernel: ElementwiseKernel, { label, shape, layouts, draw, cotangent, largest, dtype }: Variant): KernelCase {
  const valueType = dtype ?? (kernel.kind === "logic" ? "bool" : "float32");
  const truth = () => (draw() > 0 ? 1 : 0);
  const inputs = Array.from({ length: kernel.inputs }, (_, i) => {
    const isBool = valueType === "bool" || (kernel.name === "where" && i === 0) || (kernel.name.startsWith("where'") && i === 1);
    const layout = layouts[i % layouts.length] ?? "contiguous";
    const isCotangent = i === 0 && kernel.name.includes("'");
    return drawn(shape, isBool ? truth : isCotangent && cotangent ? cotangent : draw, { dtype: isBool ? "bool" : valueType, layout });
  });
  const outputType = kernel.kind === "compare" || kernel.kind === "logic" ? "bool" : valueType;
  const scalars = dtype === "int32" ? scalarsOf(kernel).map(Math.round) : scalarsOf(kernel);
  return {
    name: `${kernel.name} ${label}`,
    inputs,
    outputs: [output(shape, outputType)],
    run: (kernels, out, ...views) => kernels.elementwise(kernel, out, views, scalars),
    allowance: { webgpuUlps: () => webgpuUlps(kernel, largest) },
  };
}

/** Every kernel on numbers of every kind it is made for. */
export function everyRow(): KernelCase[] {
  const random = new TestRandom(11);
  return elementwiseKernels().flatMap((kernel) => {
    const positive = positiveOnly.has(baseName(kernel));
    const halves = () => random.integer(positive ? 1 : -8, 9) / 2;
    const variants: Variant[] = [
      { label: "contiguous", shape: [257], layouts: ["contiguous"], draw: ordinary(kernel, random), largest: 8 },
      { label: "halves and ties", shape: [256], layouts: ["contiguous"], draw: halves, largest: 4 },
    ];
    // Layouts are the driver's business, not the expression's: rows alone, since each pairing compiles a GPU pipeline of its own.
    if (!kernel.name.includes("'")) {
      variants.push({ label: "mixed layouts", shape: [3, 5, 7], layouts: ["permuted", "expanded", "strided"], draw: ordinary(kernel, random),
        largest: 8 });
    }
    if (kernel.kind === "arithmetic" || kernel.kind === "compare" || kernel.kind === "choose") {
      const whole = () => random.integer(-6, 7);
      variants.push({ label: "int32", shape: [3, 86], layouts: ["contiguous", "permuted"], draw: whole, largest: 6, dtype: "int32" });
    }
    return variants.map((variant) => caseOf(kernel, variant));
  });
}

const wideRows = ["exp", "expm1", "sigmoid", "logSigmoid", "softplus", "tanh", "silu", "gelu", "geluTanh", "erf", "sin", "cos", "log1p", "log",
  "sqrt"];

/** Arguments up to ±80 and down to 1e-6, where a formula that is good near 1 overflows or cancels. */
export function wideArguments(): KernelCase[] {
  const random = new TestRandom(12);
  return wideRows.flatMap((name) => {
    const row = elementwiseRows.get(name);
    if (!row) throw new Error(`There is no element-wise row named ${name}.`);
    const sign = () => (positiveOnly.has(name) || random.uniform() < 0.5 ? 1 : -1);
    const wide = () => sign() * random.uniform(1e-3, 80), tiny = () => sign() * 10 ** random.uniform(-6, -1);
    const cotangent = () => random.normal();
    return [row, ...row.derivatives.filter((derivative) => derivative !== null)].flatMap((kernel) => [
      caseOf(kernel, { label: "wide", shape: [1009], layouts: ["contiguous"], draw: wide, cotangent, largest: 80 }),
      caseOf(kernel, { label: "tiny", shape: [127], layouts: ["contiguous"], draw: tiny, cotangent, largest: 1 }),
    ]);
  });
}

/** NaN and the infinities through every forward row, each pair of them where there are two inputs. */
export function nonFinite(): KernelCase[] {
  const specials = [NaN, Infinity, -Infinity, 0, 1, -1, 2.5, -0.5];
  const rows = [...elementwiseRows.values()].filter((row) => row.kind !== "logic" && !["sin", "cos"].includes(row.name));
  return rows.map((row) => {
    let drawnSoFar = 0;
    const cells = specials.length ** 2;
    const draw = () => {
      const turn = drawnSoFar++, i = turn % cells;
      const first = Math.floor(turn / cells) === (row.name === "where" ? 1 : 0);
      return specials[first ? i % specials.length : Math.floor(i / specials.length)] ?? 0;
    };
    return caseOf(row, { label: "of NaN and infinities", shape: [cells], layouts: ["contiguous"], draw, largest: 3 });
  });
}

/** The shapes and layouts that make indexing go wrong, on two rows that cannot. */
export function shapes(): KernelCase[] {
  const random = new TestRandom(13);
  const list: Shape[] = [[0], [3, 0, 2], [], [1], [2], [3], [127], [255], [256], [257], [65537], [40, 17, 5, 7], [1, 1], [257, 3], [2, 3, 4, 5], [2, 3, 1, 2, 3, 2]];
  const layouts: Layout[] = ["contiguous", "permuted", "strided", "expanded", "shifted"];
  const kernels = ["sub", "relu"].map((name) => elementwiseRows.get(name)).filter((row) => row !== undefined);
  return kernels.flatMap((kernel) => list.flatMap((shape) => layouts.map((layout) => caseOf(kernel, {
    label: `[${shape}] ${layout}`, shape, layouts: [layout, "contiguous"], draw: () => random.normal(), largest: 4,
  }))));
}

/** int32 sums and products that wrap. */
export function wrapping(): KernelCase[] {
  const random = new TestRandom(14);
  return ["add", "sub", "mul", "square", "neg", "abs"].map((name) => {
    const row = elementwiseRows.get(name);
    if (!row) throw new Error(`There is no element-wise row named ${name}.`);
    const draw = () => random.integer(-(2 ** 31), 2 ** 31);
    return caseOf(row, { label: "wraps to 32 bits", shape: [257], layouts: ["contiguous"], draw, largest: 1, dtype: "int32" });
  });
}
