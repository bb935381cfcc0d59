// Collating: many samples become one batch. Tensors are stacked, host arrays and numbers become one tensor on the CPU, strings a list,
// tuples and records are collated part by part.
import { noGrad, stack, tensor, Tensor } from "../engine/index.js";
import { ArgumentError } from "../kernels/errors.js";
import { isHostTensor, isImage, type HostTensor } from "./image.js";

/** What a batch of samples of this type is. */
export type Collated<Sample> =
  Sample extends Tensor | HostTensor | number | boolean ? Tensor
  : Sample extends string ? string[]
  : Sample extends object ? { -readonly [Key in keyof Sample]: Collated<Sample[Key]> }
  : Sample[];

/** The batch of these samples. Numbers become int32 when all are whole (labels, indices) and float32 otherwise. */
export function collate<Sample>(samples: readonly Sample[]): Collated<Sample> {
  return collateAny(samples) as Collated<Sample>;
}

function collateAny(samples: readonly unknown[]): unknown {
  const [first] = samples;
  if (first instanceof Tensor) return noGrad(() => stack(samples.map((sample, i) => expectTensor(sample, i))));
  if (isHostTensor(first)) return stackHostTensors(samples.map((sample, i) => expectLike(first, sample, i)));
  if (typeof first === "number") return tensor(numbers(samples));
  if (typeof first === "boolean") return tensor(samples.map((sample) => sample === true));
  if (typeof first === "string") return [...samples];
  if (isImage(first)) {
    throw new ArgumentError("collate: got an image of bytes; give the data set a transform that ends in values, such as ToTensor().");
  }
  if (Array.isArray(first)) return first.map((_, part) => collateAny(samples.map((sample, i) => partOf(sample, part, first.length, i))));
  if (typeof first === "object" && first !== null) {
    return Object.fromEntries(Object.keys(first).map((key) => [key, collateAny(samples.map((sample, i) => fieldOf(sample, key, i)))]));
  }
  return [...samples];
}

function expectTensor(sample: unknown, position: number): Tensor {
  if (sample instanceof Tensor) return sample;
  throw new ArgumentError(`collate: sample ${position} of the batch is ${typeof sample}, the first one is a Tensor; all must be of one kind.`);
}

function expectLike(first: HostTensor, sample: unknown, position: number): HostTensor {
  const same = isHostTensor(sample) && sample.data.constructor === first.data.constructor && String(sample.shape) === String(first.shape);
  if (same) return sample;
  const got = isHostTensor(sample) ? `values of [${sample.shape.join(", ")}] in a ${sample.data.constructor.name}` : typeof sample;
  throw new ArgumentError(
    `collate: sample ${position} of the batch is ${got}, the first one has [${first.shape.join(", ")}] in a ${first.data.constructor.name}; ` +
      "a batch needs one shape and type: resize in a transform, or give the loader a collate function.",
  );
}

function stackHostTensors(samples: readonly HostTensor[]): Tensor {
  const [first] = samples;
  if (first === undefined) throw new ArgumentError("collate: got no samples.");
  const size = first.data.length;
  const all = newLike(first.data, size * samples.length);
  samples.forEach(({ data }, i) => all.set(data, i * size));
  return tensor(all, { shape: [samples.length, ...first.shape] });
}

function newLike(data: HostTensor["data"], length: number): HostTensor["data"] {
  if (data instanceof Float32Array) return new Float32Array(length);
  return data instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length);
}

function numbers(samples: readonly unknown[]): Int32Array | Float32Array {
  const values = samples.map(Number);
  return values.every((value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31) ? Int32Array.from(values) : Float32Array.from(values);
}

function partOf(sample: unknown, part: number, length: number, position: number): unknown {
  if (Array.isArray(sample) && sample.length === length) return sample[part];
  const got = Array.isArray(sample) ? `${sample.length} parts` : typeof sample;
  throw new ArgumentError(`collate: sample ${position} of the batch has ${got}, the first one ${length} parts; all must be alike.`);
}

function fieldOf(sample: unknown, key: string, position: number): unknown {
  if (typeof sample === "object" && sample !== null && Object.hasOwn(sample, key)) return Object.entries(sample).find(([name]) => name === key)?.[1];
  throw new ArgumentError(
    `collate: sample ${position} of the batch has no field ${JSON.stringify(key)}, which the first one has; all must be alike.`,
  );
}
