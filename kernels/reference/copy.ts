// Movement: strided copies, which also convert the dtype, and fills.
import { numel } from "../shape.js";
import type { View } from "../types.js";
import { read, write } from "./views.js";

export function copy(out: View, x: View): void {
  write(out, read(x));
}

export function fill(out: View, value: number): void {
  write(out, new Float64Array(numel(out.shape)).fill(value));
}
