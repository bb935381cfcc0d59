// The transforms of Winograd's F(4×4, 3×3) as WGSL, after the same formula and with the same points as on the CPU
// (kernels/cpu/assembly/winogradTransforms.ts): Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, and for the weight's gradient Gᵀ[(A dY Aᵀ) ⊙ (Bᵀ d B)]G. Each is a
// line's transform along the rows, then along the columns, of scalars that have names.
import { unroll } from "./kernelCall.js";

/** Components of a transformed tile, and cells along a tile of output. */
export const components = 36;
export const tileCells = 4;

/** The matrices are Toom and Cook's for the points 0, ±a, ±b and ∞ (kernels/NOTES.md says why these); their squares are exact in float32. */
const a = 5 / 8, b = 3 / 2, a2 = a * a, b2 = b * b;
/** One over the product of a point's distances to the other points. */
const weight0 = 1 / (a2 * b2), weightA = 1 / (2 * a2 * (a2 - b2)), weightB = 1 / (2 * b2 * (b2 - a2));

const literal = (x: number): string => `f32(${Math.fround(x)})`;

interface Transform {
  /** Values of a line before and after. */
  readonly from: number;
  readonly to: number;
  /** WGSL of one line: defines `to`0, `to`1 … from the values that `x` names. */
  readonly line: (to: string, x: (i: number) => string) => string;
}

/** Values named by point: the even and the odd part of the polynomial, whose sum and difference are its values at ±a and ±b. */
const atPoints = (to: string, parts: readonly [evenA: string, oddA: string, evenB: string, oddB: string]): string => `
  let ${to}evenA = ${parts[0]};
  let ${to}oddA = ${parts[1]};
  let ${to}evenB = ${parts[2]};
  let ${to}oddB = ${parts[3]};
  let ${to}1 = ${to}evenA + ${to}oddA;
  let ${to}2 = ${to}evenA - ${to}oddA;
  let ${to}3 = ${to}evenB + ${to}oddB;
  let ${to}4 = ${to}evenB - ${to}oddB;`;

/** What the transforms that end have in common: sums and differences over ±a and ±b, scaled. */
const overPoints = (to: string, m: (i: number) => string, scaleA: string, scaleB: string): string => `
  let ${to}sumA = ${scaleA}(${m(1)} + ${m(2)});
  let ${to}differenceA = ${scaleA}${literal(a)} * (${m(1)} - ${m(2)});
  let ${to}sumB = ${scaleB}(${m(3)} + ${m(4)});
  let ${to}differenceB = ${scaleB}${literal(b)} * (${m(3)} - ${m(4)});`;

/** Bᵀ d */
const source: Transform = {
  from: 6, to: 6,
  line: (to, d) => `${atPoints(to, [
    `${d(4)} - ${literal(b2)} * ${d(2)}`, `${literal(a)} * (${d(3)} - ${literal(b2)} * ${d(1)})`,
    `${d(4)} - ${literal(a2)} * ${d(2)}`, `${literal(b)} * (${d(3)} - ${literal(a2)} * ${d(1)})`,
  ])}
  let ${to}0 = ${literal(a2 * b2)} * ${d(0)} + (${d(4)} - ${literal(a2 + b2)} * ${d(2)});
  let ${to}5 = ${literal(a2 * b2)} * ${d(1)} + (${d(5)} - ${literal(a2 + b2)} * ${d(3)});`,
};

/** G g */
const weight: Transform = {
  from: 3, to: 6,
  line: (to, g) => `${atPoints(to, [
    `${literal(weightA)} * (${g(0)} + ${literal(a2)} * ${g(2)})`, `${literal(weightA * a)} * ${g(1)}`,
    `${literal(weightB)} * (${g(0)} + ${literal(b2)} * ${g(2)})`, `${literal(weightB * b)} * ${g(1)}`,
  ])}
  let ${to}0 = ${literal(weight0)} * ${g(0)};
  let ${to}5 = ${g(2)};`,
};

/** Aᵀ m */
const output: Transform = {
  from: 6, to: 4,
  line: (to, m) => `${overPoints(to, m, "", "")}
  let ${to}0 = ${m(0)} + (${to}sumA + ${to}sumB);
  let ${to}1 = ${to}differenceA + ${to}differenceB;
  let ${to}2 = ${literal(a2)} * ${to}sumA + ${literal(b2)} * ${to}sumB;
  let ${to}3 = ${literal(a2)} * ${to}differenceA + (${literal(b2)} * ${to}differenceB + ${m(5)});`,
};

/** A y */
const gradient: Transform = {
  from: 4, to: 6,
  line: (to, y) => `${atPoints(to, [
    `${y(0)} + ${literal(a2)} * ${y(2)}`, `${literal(a)} * (${y(1)} + ${literal(a2)} * ${y(3)})`,
    `${y(0)} + ${literal(b2)} * ${y(2)}`, `${literal(b)} * (${y(1)} + ${literal(b2)} * ${y(3)})`,
  ])}
  let ${to}0 = ${y(0)};
  let ${to}5 = ${y(3)};`,
};

/** Gᵀ m */
const weightGradient: Transform = {
  from: 6, to: 3,
  line: (to, m) => `${overPoints(to, m, `${literal(weightA)} * `, `${literal(weightB)} * `)}
  let ${to}0 = ${literal(weight0)} * ${m(0)} + (${to}sumA + ${to}sumB);
  let ${to}1 = ${to}differenceA + ${to}differenceB;
  let ${to}2 = ${literal(a2)} * ${to}sumA + (${literal(b2)} * ${to}sumB + ${m(5)});`,
};

export const transforms = { source, weight, output, gradient, weightGradient } as const;

/** WGSL: the transform of the values x{row}_{column}; `value(row, column)` are the results' names. */
export function transformCode({ from, to, line }: Transform, x: string): { readonly code: string; readonly value: (row: number, column: number) => string } {
  const rows = unroll(from, (row) => line(`line${row}_`, (column) => `${x}${row}_${column}`));
  const columns = unroll(to, (column) => line(`column${column}_`, (row) => `line${row}_${column}`));
  return { code: `${rows}\n${columns}`, value: (row, column) => `column${column}_${row}` };
}

/** WGSL or text for each of a square's cells, row by row. */
export function eachCell(edge: number, line: (row: number, column: number) => string): string {
  return unroll(edge, (row) => unroll(edge, (column) => line(row, column)));
}
