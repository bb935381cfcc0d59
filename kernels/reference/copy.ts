// Movement: strided copies, which also convert the dtype, and fills.
import type { View } from "../types.js";
import { count, read, write } from "./views.js";

export function copy(out: View, x: View): void {
  write(out, read(x));
}

export function fill(out: View, value: number): void {
  write(out, new Float64Array(count(out.shape)).fill(value));
}
