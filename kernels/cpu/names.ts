// How generated kernels are called: shared by the generator, at build time, and the device.
import type { ElementwiseKernel } from "../elementwise.js";

export type NumberType = "f32" | "i32";

/** The number types a row is compiled for. Logic works on stored bools; where moves bits, whatever they mean. */
export function elementwiseTypes(kernel: ElementwiseKernel): readonly NumberType[] {
  switch (kernel.kind) {
    case "float":
      return ["f32"];
    case "arithmetic":
    case "compare":
      return ["f32", "i32"];
    case "logic":
    case "choose":
      return ["i32"];
  }
}

/** An identifier: the prime of a derivative is spelled out. */
export function exportName(kernel: string, type: NumberType): string {
  return `${kernel.replace("'", "_by")}_${type}`;
}
export function updateName(name: string): string {
  return `update_${name}`;
}
