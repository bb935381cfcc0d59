// Reading and writing strided views. Every kernel of the reference reads its inputs into row-major arrays, computes on those, and writes the
// result back: slow, and impossible to get subtly wrong.
import { cast } from "../casts.js";
import { ArgumentError, IndexError } from "../errors.js";
import { numel } from "../shape.js";
import type { DeviceBuffer, View } from "../types.js";
import { ReferenceBuffer } from "./buffer.js";

export type Numbers = Float64Array;

export function valuesOf(buffer: DeviceBuffer): Numbers {
  if (buffer instanceof ReferenceBuffer) return buffer.values;
  throw new ArgumentError("The reference device got a buffer of another device; move the tensor with to(device) first.");
}

/** values[index], checked: a kernel that runs past its array is a bug, and must not compute on undefined. */
export function at(values: ArrayLike<number>, index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`The reference kernel read element ${index} of ${values.length}.`);
  return value;
}

/** The position in the buffer of every element of the view, in row-major order. */
export function positions(view: View): Int32Array {
  const { shape, strides, offset } = view;
  const result = new Int32Array(numel(shape));
  const index = shape.map(() => 0);
  let position = offset;
  for (let i = 0; i < result.length; i++) {
    result[i] = position;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      const next = at(index, dim) + 1, stride = at(strides, dim);
      if (next < at(shape, dim)) {
        index[dim] = next;
        position += stride;
        break;
      }
      position -= (next - 1) * stride;
      index[dim] = 0;
    }
  }
  return result;
}

/** The view's elements in row-major order, as a copy. */
export function read(view: View): Numbers {
  const values = valuesOf(view.buffer), from = positions(view), result = new Float64Array(from.length);
  for (let i = 0; i < result.length; i++) result[i] = at(values, at(from, i));
  return result;
}

/** Writes row-major values through the view, each converted to what the dtype can hold. */
export function write(view: View, source: ArrayLike<number>): void {
  const values = valuesOf(view.buffer);
  positions(view).forEach((position, i) => (values[position] = cast(at(source, i), view.dtype)));
}

export function checkIndex(index: number, length: number, what: string): void {
  if (index >= 0 && index < length) return;
  throw new IndexError(`The ${what} ${index} is outside [0, ${length}); check where it was computed.`);
}
