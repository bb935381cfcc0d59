// Which elements of a tensor its text shows, and their values: all of a small one, else the first and last of each dimension, so that a large
// tensor is never copied for a line of print.
import { at } from "../../kernels/shape.js";
import type { HostArray } from "../../kernels/types.js";
import { type RawTensor, allocate } from "../raw.js";
import { freeingTemporaries } from "../storage.js";

export interface Shown {
  readonly values: HostArray; // row-major
  readonly shape: readonly number[];
  /** By dimension: whether entries are left out between its first and its second half. */
  readonly cut: readonly boolean[];
}

/** The elements to show, `edge` at each end of a dimension that is longer than that; Infinity shows all. The device must be readable at once. */
export function shownValues(raw: RawTensor, edge: number): Shown {
  const cut = raw.shape.map((size) => size > 2 * edge);
  const shape = raw.shape.map((size, d) => (cut[d] ? 2 * edge : size));
  raw.device.label = "print";
  return freeingTemporaries(() => {
    const packed = allocate(raw.device, shape, raw.dtype);
    copyEdges(packed, raw, 0, cut, edge);
    return { values: raw.device.downloadSync(packed.buffer, packed.elements, raw.dtype), shape, cut };
  });
}

function copyEdges(to: RawTensor, from: RawTensor, dim: number, cut: readonly boolean[], edge: number): void {
  if (dim === cut.length) {
    to.device.kernels.copy(to, from);
    return;
  }
  if (!cut[dim]) {
    copyEdges(to, from, dim + 1, cut, edge);
    return;
  }
  copyEdges(to.window(dim, 0, edge), from.window(dim, 0, edge), dim + 1, cut, edge);
  copyEdges(to.window(dim, edge, edge), from.window(dim, at(from.shape, dim) - edge, edge), dim + 1, cut, edge);
}
