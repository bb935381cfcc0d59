// Nested arrays and flat values with a shape: from one to the other.
import { argumentError } from "../scope.js";
import { formatShape, mostDimensions } from "../shape.js";

export type NestedNumbers = number | boolean | NestedNumbers[];
export type NestedInput = number | boolean | readonly NestedInput[];

/** Flat row-major values as nested arrays. */
export function nested(values: ArrayLike<number>, shape: readonly number[], truth: boolean): NestedNumbers {
  let next = 0;
  const build = (depth: number): NestedNumbers => {
    const size = shape[depth];
    if (size === undefined) {
      const value = values[next++] ?? NaN;
      return truth ? value !== 0 : value;
    }
    return Array.from({ length: size }, () => build(depth + 1));
  };
  return build(0);
}

function describe(value: unknown): string {
  return value === null ? "null" : `a ${Object(value).constructor?.name ?? "object"}`;
}

/** The shape and flat values of nested arrays, which must be even. */
export function flatten(input: NestedInput): { shape: number[]; values: (number | boolean)[] } {
  const shape: number[] = [];
  for (let level: NestedInput = input; Array.isArray(level); level = level[0] ?? 0) {
    shape.push(level.length);
    if (level.length === 0) break;
    if (shape.length > mostDimensions) throw argumentError("tensor", `got lists nested more than ${mostDimensions} deep; expected a number of dimensions that ends (does a list hold itself?).`);
  }
  const values: (number | boolean)[] = [];
  const visit = (item: NestedInput, depth: number): void => {
    const size = shape[depth];
    if (typeof item === "object" && !Array.isArray(item)) {
      throw argumentError("tensor", `got ${describe(item)} among the values; expected numbers, booleans and arrays of them (stack() joins tensors).`);
    }
    const fits = typeof item === "object" ? item.length === size : size === undefined && (typeof item === "number" || typeof item === "boolean");
    if (!fits) {
      const got = typeof item === "object" ? `a row of ${item.length}` : `${typeof item} ${String(item)}`;
      throw argumentError("tensor", `the nested array is uneven: at depth ${depth} got ${got}; expected ${size === undefined ? "a number or boolean" : `rows of ${size}`} as in shape ${formatShape(shape)}.`);
    }
    if (typeof item === "object") for (const part of item) visit(part, depth + 1);
    else values.push(item);
  };
  visit(input, 0);
  return { shape, values };
}
