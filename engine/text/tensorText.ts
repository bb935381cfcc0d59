// A tensor as text, character for character as PyTorch prints it (torch/_tensor_str.py): columns of one width, 1.0000e+00 where the values span
// more than three decades, a summary of what has more than a thousand elements, and after the values what is not the default.
import { numel } from "../../kernels/shape.js";
import type { DType, HostArray } from "../../kernels/types.js";
import type { Operand } from "../autograd.js";
import { gradientName } from "./gradientNames.js";
import { printOptions } from "./options.js";
import { exponential, fixed, pythonBoolean, pythonTuple } from "./python.js";
import { type Shown, shownValues } from "./shown.js";

/** What is printed of a tensor: its values where they can be read at once, else its shape and how to read it. */
export function tensorText({ raw, slot }: Operand): string {
  const { device, dtype, shape, elements } = raw;
  const suffixes = device.kind === "cpu" ? [] : [`device='${device.kind}'`];
  const readable = !device.asynchronous, empty = elements === 0;
  if (!readable || (empty && shape.length !== 1)) suffixes.push(`size=${pythonTuple(shape)}`);
  if (dtype !== "float32" && (dtype !== "bool" || empty)) suffixes.push(`dtype=torch.${dtype}`);
  if (slot.node !== null) suffixes.push(`grad_fn=<${gradientName(slot.node.name)}>`);
  else if (slot.requiresGrad) suffixes.push("requires_grad=True");
  if (!readable) suffixes.push("values: await x.tolist()");
  const values = empty ? "[]" : readable ? valuesText(shownValues(raw, elements > printOptions().threshold ? printOptions().edgeitems : Infinity), dtype) : "...";
  return withSuffixes(`tensor(${values}`, suffixes);
}
/** The text of a tensor that gave its memory back. */
export function disposedText(shape: readonly number[]): string {
  return withSuffixes("tensor(...", [`size=${pythonTuple(shape)}`, "disposed of"]);
}

const indent = "tensor(".length;

function withSuffixes(text: string, suffixes: readonly string[]): string {
  let out = text, column = text.length - text.lastIndexOf("\n") + 1;
  for (const suffix of suffixes) {
    if (column + suffix.length + 2 > printOptions().linewidth) {
      out += `,\n${" ".repeat(indent)}${suffix}`;
      column = indent + suffix.length;
    } else {
      out += `, ${suffix}`;
      column += suffix.length + 2;
    }
  }
  return `${out})`;
}

function valuesText(shown: Shown, dtype: DType): string {
  const { width, write } = columnOf(shown.values, dtype);
  const entry = (position: number) => write(shown.values[position] ?? NaN).padStart(width);
  return layout(shown, entry, width, 0, 0, indent);
}

/** Dimension `dim` on, of the shown elements that start at `start`. */
function layout(shown: Shown, entry: (position: number) => string, width: number, dim: number, start: number, column: number): string {
  const size = shown.shape[dim];
  if (size === undefined) return entry(start);
  const inner = numel(shown.shape, dim + 1);
  const rank = shown.shape.length - dim;
  const parts = Array.from({ length: size }, (_, i) => (
    rank === 1 ? entry(start + i) : layout(shown, entry, width, dim + 1, start + i * inner, column + 1)
  ));
  if (shown.cut[dim]) parts.splice(size / 2, 0, rank === 1 ? " ..." : "...");
  const margin = " ".repeat(column + 1);
  if (rank > 1) return `[${parts.join(`,${"\n".repeat(rank - 1)}${margin}`)}]`;
  const perLine = Math.max(1, Math.floor((printOptions().linewidth - column) / (width + 2)));
  const lines = Array.from({ length: Math.ceil(parts.length / perLine) }, (_, i) => parts.slice(i * perLine, (i + 1) * perLine).join(", "));
  return `[${lines.join(`,\n${margin}`)}]`;
}

interface Column {
  readonly width: number;
  readonly write: (value: number) => string;
}

/** How all elements are written: whole, with `precision` digits, or with an exponent; and how wide the widest is. */
function columnOf(values: HostArray, dtype: DType): Column {
  if (dtype !== "float32") {
    const write = dtype === "bool" ? (value: number) => pythonBoolean(value !== 0) : String;
    return { width: widest(values, write), write };
  }
  const { precision, sciMode } = printOptions();
  const ordinary = Array.from(values).filter((value) => Number.isFinite(value) && value !== 0);
  if (ordinary.length === 0) return { width: 1, write: whole };
  let smallest = Infinity, largest = 0;
  for (const value of ordinary) {
    smallest = Math.min(smallest, Math.abs(value));
    largest = Math.max(largest, Math.abs(value));
  }
  const allWhole = ordinary.every(Number.isInteger);
  const wide = largest / smallest > 1000 || largest > 1e8 || (!allWhole && smallest < 1e-4);
  const plain = allWhole ? whole : (value: number) => fixed(value, precision);
  const scientific = (value: number) => exponential(value, precision);
  // As in PyTorch, the width is that of the form the values ask for, whatever sciMode then says.
  return { width: widest(ordinary, wide ? scientific : plain), write: (sciMode ?? wide) ? scientific : plain };
}

function whole(value: number): string {
  return Number.isFinite(value) ? `${fixed(value, 0)}.` : fixed(value, 0);
}
function widest(values: ArrayLike<number>, write: (value: number) => string): number {
  let width = 1;
  for (let i = 0; i < values.length; i++) width = Math.max(width, write(values[i] ?? NaN).length);
  return width;
}
