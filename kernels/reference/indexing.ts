// Reading and adding through integer indices.
import { around } from "../shape.js";
import type { View } from "../types.js";
import { at, checkIndex, read, write } from "./views.js";

/** Calls visit with (position in index, position in target) where target is index's cell with its coordinate along dim replaced. */
function forEachIndexed(index: View, target: View, dim: number, visit: (indexAt: number, targetAt: number) => void): void {
  const length = at(target.shape, dim);
  read(index).forEach((chosen, i) => {
    checkIndex(chosen, length, "index");
    let rest = i, position = 0, step = 1;
    for (let d = index.shape.length - 1; d >= 0; d--) {
      const coordinate = d === dim ? chosen : rest % at(index.shape, d);
      rest = Math.floor(rest / at(index.shape, d));
      position += coordinate * step;
      step *= at(target.shape, d);
    }
    visit(i, position);
  });
}

export function gather(out: View, x: View, index: View, dim: number): void {
  const values = read(x), result = read(out);
  forEachIndexed(index, x, dim, (i, from) => (result[i] = at(values, from)));
  write(out, result);
}

export function scatterAdd(out: View, index: View, src: View, dim: number): void {
  const values = read(src), sums = read(out);
  forEachIndexed(index, out, dim, (i, to) => (sums[to] = at(sums, to) + at(values, i)));
  write(out, sums);
}

/** Calls visit with (position in many, position in one) for slices `one`[index[j]] and `many`[j] along dim. */
function forEachSlice(one: View, many: View, index: View, dim: number, visit: (manyAt: number, oneAt: number) => void): void {
  const { outer, length, inner } = around(one.shape, dim);
  read(index).forEach((chosen, j, all) => {
    checkIndex(chosen, length, "index");
    for (let i = 0; i < outer; i++) {
      for (let k = 0; k < inner; k++) visit((i * all.length + j) * inner + k, (i * length + chosen) * inner + k);
    }
  });
  if (at(many.shape, dim) !== at(index.shape, 0)) throw new RangeError("As many slices as indices were expected.");
}

export function indexSelect(out: View, x: View, index: View, dim: number): void {
  const values = read(x), result = read(out);
  forEachSlice(x, out, index, dim, (to, from) => (result[to] = at(values, from)));
  write(out, result);
}

export function indexAdd(out: View, index: View, src: View, dim: number): void {
  const values = read(src), sums = read(out);
  forEachSlice(out, src, index, dim, (from, to) => (sums[to] = at(sums, to) + at(values, from)));
  write(out, sums);
}
