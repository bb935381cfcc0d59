// Operands of kernel tests: storage on the host with a strided window on it, in the layouts that views of the engine produce.
import type { Device, DType, HostArray, Shape, View } from "../../kernels/types.js";
import type { TestRandom } from "./random.js";

/** contiguous; permuted: dimensions stored in reverse order; strided: every second element, starting at the second; expanded: stride 0 in
 *  the first dimension; shifted: contiguous, starting at element 3. */
export type Layout = "contiguous" | "permuted" | "strided" | "expanded" | "shifted";

export interface Operand {
  readonly storage: Float64Array;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
  readonly dtype: DType;
}

export const count = (shape: Shape) => shape.reduce((product, length) => product * length, 1);

export function contiguousStrides(shape: Shape): number[] {
  return shape.map((_, dim) => count(shape.slice(dim + 1)));
}

interface Window {
  readonly strides: readonly number[];
  readonly offset: number;
  readonly elements: number;
}

function layoutWindow(shape: Shape, layout: Layout): Window {
  const plain = contiguousStrides(shape), elements = count(shape);
  switch (layout) {
    case "contiguous":
      return { strides: plain, offset: 0, elements };
    case "shifted":
      return { strides: plain, offset: 3, elements: elements + 5 };
    case "permuted":
      return { strides: contiguousStrides([...shape].reverse()).reverse(), offset: 0, elements };
    case "strided":
      return { strides: plain.map((stride) => stride * 2), offset: 1, elements: elements * 2 + 1 };
    case "expanded":
      return { strides: plain.map((stride, dim) => (dim === 0 ? 0 : stride)), offset: 0, elements: Math.max(count(shape.slice(1)), 1) };
  }
}

/** Storage drawn element by element, rounded to what the dtype holds on every device. */
export function drawn(shape: Shape, draw: () => number, options: { dtype?: DType; layout?: Layout } = {}): Operand {
  const { dtype = "float32", layout = "contiguous" } = options;
  const { strides, offset, elements } = layoutWindow(shape, layout);
  const round = dtype === "float32" ? Math.fround : Math.trunc;
  const storage = new Float64Array(elements);
  for (let i = 0; i < elements; i++) storage[i] = round(draw());
  return { storage, shape, strides, offset, dtype };
}

/** An output: filled with NaN (or 77), so that an element which a kernel forgets to write, or writes in error, shows. */
export function output(shape: Shape, dtype: DType = "float32", layout: Layout = "contiguous"): Operand {
  return drawn(shape, () => (dtype === "float32" ? NaN : dtype === "bool" ? 1 : 77), { dtype, layout });
}

export function normals(random: TestRandom, shape: Shape, layout: Layout = "contiguous"): Operand {
  return drawn(shape, () => random.normal(), { layout });
}

export function integers(random: TestRandom, shape: Shape, low: number, high: number, layout: Layout = "contiguous"): Operand {
  return drawn(shape, () => random.integer(low, high), { dtype: "int32", layout });
}

/** The storage as the array type that a device's upload takes. */
export function hostArray(operand: Operand, device: Device): HostArray {
  switch (operand.dtype) {
    case "float32":
      return device.kind === "reference" ? operand.storage : new Float32Array(operand.storage);
    case "int32":
      return new Int32Array(operand.storage);
    case "bool":
    case "uint8":
      return new Uint8Array(operand.storage);
  }
}

/** Uploads the operand; the caller releases view.buffer. */
export function place(operand: Operand, device: Device): View {
  const { shape, strides, offset, dtype, storage } = operand;
  const buffer = device.allocate(storage.length);
  if (storage.length > 0) device.upload(buffer, hostArray(operand, device), dtype);
  return { buffer, shape, strides, offset, dtype };
}
