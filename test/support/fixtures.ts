// The golden fixtures of test/fixtures: a JSON index of rows and one binary file of 4-byte words. Where the two come from (a folder, or a
// browser's fetch) is the caller's business.
import { type Device, type DType, type Tensor, tensor } from "../../index.js";
import { viewed } from "./operations.js";

export interface Stored {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Position in the binary file, in words. */
  readonly at: number;
}
/** How an operation sees an input: at most one of these. */
export interface InputView {
  readonly permute?: readonly number[];
  readonly expand?: readonly number[];
  /** dimension, start, stop, step */
  readonly slice?: readonly [number, number, number, number];
}
export interface StoredInput extends Stored {
  readonly view?: InputView;
}

export interface Answers {
  readonly inputs: readonly StoredInput[];
  readonly outputs: readonly Stored[];
  /** Null for outputs through which no gradient flows. */
  readonly cotangents: readonly (Stored | null)[];
  readonly grads: readonly (Stored | null)[];
}

export class Fixtures<Row> {
  readonly rows: readonly Row[];
  readonly #words: ArrayBuffer;

  constructor(rows: readonly Row[], words: ArrayBuffer) {
    this.rows = rows;
    this.#words = words;
  }

  /** The stored numbers: float32 exactly as PyTorch got or gave them, rounded. */
  values({ shape, dtype, at }: Stored): Float32Array | Int32Array {
    const length = shape.reduce((product, size) => product * size, 1);
    return dtype === "float32" ? new Float32Array(this.#words, at * 4, length) : new Int32Array(this.#words, at * 4, length);
  }

  /** On the CPU unless a device is named. */
  tensor({ shape, dtype, at }: Stored, device?: Device): Tensor {
    return tensor(this.values({ shape, dtype, at }), { shape, dtype, ...(device && { device }) });
  }

  /** The leaves of a row's inputs, and the inputs as the operation sees them; `moved` takes the place of the stored values. */
  inputs({ inputs, grads }: Answers, device: Device, moved: readonly Float64Array[] = []): { leaves: Tensor[]; seen: Tensor[] } {
    const leaves = inputs.map((stored, i) => {
      const { shape, dtype } = stored, values = dtype === "float32" ? moved[i] : undefined;
      const leaf = values ? tensor(values, { shape, dtype, device }) : this.tensor(stored, device);
      return grads[i] ? leaf.requiresGrad_() : leaf;
    });
    return { leaves, seen: leaves.map((leaf, i) => viewed(leaf, inputs[i]?.view)) };
  }
}

/** Backward from every output that has a cotangent, in one graph. */
export function backwardFrom(outputs: readonly Tensor[], cotangents: readonly (Tensor | null)[]): void {
  const pairs = outputs.flatMap((output, i) => {
    const cotangent = cotangents[i];
    return cotangent ? [{ output, cotangent }] : [];
  });
  pairs.forEach(({ output, cotangent }, i) => output.backward(cotangent, { retainGraph: i < pairs.length - 1 }));
}
