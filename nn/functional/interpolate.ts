// Resampling by the nearest neighbour, of sequences [N, C, L] and images [N, C, H, W]; which neighbour is PyTorch's choice, to the rounding.
// Next: engine/ops/pool.ts, the record `upsampleNearest2d`.
import { at } from "../../kernels/shape.js";
import type { Pair } from "../../kernels/types.js";
import { type Tensor, tidy } from "../../engine/index.js";
import { aTensor } from "../../engine/kinds.js";
import { upsampleNearest2d } from "../../engine/ops/pool.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape } from "../../engine/shape.js";
import { call } from "../../engine/tensor/core.js";
import { type Options, Signature, taking } from "../arguments.js";
import { type PerSide, resamplingArguments } from "./parameters.js";

const resampling = new Signature("interpolate", [["input", aTensor], ...resamplingArguments]);
export type InterpolateOptions = Options<typeof resampling>;

/** Resamples x [N, C, L] or [N, C, H, W] to `size`, or to the input's size times `scaleFactor`, rounded down. */
export const interpolate = taking(resampling, (x, size, scaleFactor, _mode, _alignCorners, recomputeScaleFactor) => {
  if ((size === null) === (scaleFactor === null)) {
    throw argumentError("interpolate", "got both or neither of size and scaleFactor; expected exactly one.");
  }
  if (size !== null && recomputeScaleFactor) {
    throw argumentError("interpolate", "got recomputeScaleFactor with a size; expected it beside scaleFactor alone.");
  }
  if (x.ndim !== 3 && x.ndim !== 4) {
    throw argumentError("interpolate", `got an input of shape ${formatShape(x.shape)}; expected [N, C, L] or [N, C, H, W] (unsqueeze(0) a single image).`);
  }
  const sides = x.shape.slice(2);
  if (size !== null) return resampled(x, sidesOf("size", size, sides.length, (n) => Number.isInteger(n) && n >= 1, "whole numbers of at least 1"), null);
  const factors = sidesOf("scaleFactor", scaleFactor ?? 1, sides.length, (f) => f > 0, "positive numbers");
  const sizes = sides.map((side, i) => Math.floor(side * (factors[i] ?? 1)));
  if (sizes.includes(0)) throw argumentError("interpolate", `scaleFactor ${factors.join("×")} leaves nothing of ${sides.join("×")}; expected a side of at least 1.`);
  return resampled(x, sizes, recomputeScaleFactor ? null : factors);
});

function sidesOf(name: string, given: PerSide, sides: number, isRight: (value: number) => boolean, what: string): readonly number[] {
  const values = typeof given === "number" ? Array.from({ length: sides }, () => given) : given;
  if (!Array.isArray(values) || values.length !== sides || !values.every((value) => typeof value === "number" && isRight(value))) {
    const form = sides === 1 ? "one for [N, C, L]" : "one, or two [height, width] for [N, C, H, W]";
    throw argumentError("interpolate", `got ${name} ${JSON.stringify(given)}; expected ${what}, ${form}.`);
  }
  return values;
}

/** A sequence is an image of one row. By `factors`, where they are what was asked for, since PyTorch then steps by their inverses. */
function resampled(x: Tensor, sizes: readonly number[], factors: readonly number[] | null): Tensor {
  const pair = (values: readonly number[]): Pair => [values.length === 1 ? 1 : at(values, 0), values.at(-1) ?? 1];
  const size = pair(sizes), by = factors && pair(factors);
  const resample = (batch: Tensor) => {
    const step = (d: 0 | 1) => nearestStep(batch.size(d - 2), size[d], by && by[d]);
    return call(upsampleNearest2d, [batch], { size, steps: [step(0), step(1)] })[0];
  };
  return x.ndim === 4 ? resample(x) : tidy(() => resample(x.unsqueeze(2)).squeeze(2));
}
/** PyTorch's rule: sizes that are equal or double map exactly, whatever the factor; else float32 of 1/factor, or of input/output. */
function nearestStep(input: number, output: number, factor: number | null): number {
  if (output === input) return 1;
  if (output === 2 * input) return 0.5;
  return Math.fround(factor === null ? input / output : 1 / factor);
}
