// Labelled images held as one array of bytes, as MNIST's files hold them, and the rules by which four IDX files make a training and a test
// set. Reading the files is data/node.ts's business.
import { tensor, type Tensor } from "../engine/index.js";
import { type Call, Signature } from "../engine/arguments.js";
import { anObject } from "../engine/kinds.js";
import { ArgumentError } from "../kernels/errors.js";
import { checkIndex, Dataset, ourDataset } from "./dataset.js";
import type { Draws } from "./draws.js";
import { DataFileError } from "./idx.js";
import { type HostTensor, type Image, isHostTensor } from "./image.js";
import { aTransform } from "./kinds.js";
import { lookupTable, ToTensor, type Transform } from "./transforms.js";
import { isRandom } from "./transforms/transform.js";

export interface ImageArrays {
  /** uint8, [count, height, width] or [count, height, width, channels] */
  readonly images: HostTensor;
  /** [count] */
  readonly labels: HostTensor;
}

const signature = new Signature(
  "ImageDataset", [["arrays", anObject<ImageArrays>("{ images, labels }, two arrays with their shapes")], ["transform", aTransform<Image, HostTensor>(), null]],
);

/** Sample i is [its image, transformed; its label]. Batches are gathered from the array directly where the transform allows it. */
export class ImageDataset extends Dataset<[HostTensor, number]> {
  readonly [index: number]: [HostTensor, number];
  readonly length: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly transform: Transform<Image, HostTensor>;
  readonly random: boolean;
  readonly #pixels: Uint8Array;
  readonly #labels: Int32Array;
  readonly #table: Float32Array | null;

  constructor(...given: Call<typeof signature>) {
    super();
    const [{ images, labels }, chosen] = signature.read(given), transform = chosen ?? ToTensor();
    if (!isHostTensor(images) || !isHostTensor(labels)) throw new ArgumentError("ImageDataset: expected { images, labels }, each with its shape and data.");
    this.transform = transform;
    const [length = 0, height = 0, width = 0, channels = 1] = images.shape;
    if (!(images.data instanceof Uint8Array) || images.shape.length < 3 || images.shape.length > 4) {
      throw new ArgumentError(
        `ImageDataset: got images of [${images.shape.join(", ")}]; expected uint8 [count, height, width] or with channels last.`,
      );
    }
    if (labels.data instanceof Float32Array || labels.shape.length !== 1 || labels.shape[0] !== length) {
      throw new ArgumentError(
        `ImageDataset: got ${length} images and labels of [${labels.shape.join(", ")}]; expected one whole number for each image.`,
      );
    }
    this.length = length;
    this.height = height;
    this.width = width;
    this.channels = channels;
    this.#pixels = images.data;
    this.#labels = Int32Array.from(labels.data);
    this.random = isRandom(transform);
    this.#table = lookupTable(transform, channels);
  }

  get(index: number, draws?: Draws): [HostTensor, number] {
    return [this.transform(this.image(index), draws), this.label(index)];
  }

  /** The image as it is in the file. */
  image(index: number): Image {
    checkIndex("ImageDataset", index, this.length);
    const { height, width, channels } = this;
    const size = height * width * channels;
    return { height, width, channels, data: this.#pixels.subarray(index * size, (index + 1) * size) };
  }

  label(index: number): number {
    checkIndex("ImageDataset", index, this.length);
    return this.#labels[index] ?? 0;
  }

  /** All images as they are in the file: uint8, [count, height, width], with the channels behind where there are several. Made when asked for. */
  get data(): Tensor {
    const { length, height, width, channels } = this;
    return tensor(this.#pixels, { shape: channels === 1 ? [length, height, width] : [length, height, width, channels] });
  }
  /** All labels: int32, [count]. */
  get targets(): Tensor {
    return tensor(this.#labels);
  }

  getBatch(indices: Int32Array): [Tensor, Tensor] {
    const labels = tensor(indices.map((index) => this.label(index)));
    return [this.#table === null ? this.#transformed(indices) : this.#gathered(indices, this.#table), labels];
  }

  /** Each byte is looked up once on its way into the batch: about 50 µs for 64 images of 28 × 28. */
  #gathered(indices: Int32Array, table: Float32Array): Tensor {
    const { height, width, channels } = this;
    const plane = height * width, size = plane * channels;
    const batch = new Float32Array(indices.length * size);
    const pixels = this.#pixels;
    let out = 0;
    for (const index of indices) {
      for (let channel = 0; channel < channels; channel++) {
        const row = channel * 256;
        for (let i = index * size + channel, end = (index + 1) * size; i < end; i += channels) batch[out++] = table[row + (pixels[i] ?? 0)] ?? 0;
      }
    }
    return tensor(batch, { shape: [indices.length, channels, height, width] });
  }

  #transformed(indices: Int32Array): Tensor {
    const samples = Array.from(indices, (index) => this.transform(this.image(index)));
    const [first] = samples;
    const size = first?.data.length ?? 0;
    const batch = new Float32Array(size * samples.length);
    samples.forEach(({ data, shape }, i) => {
      if (data.length !== size || String(shape) !== String(first?.shape)) {
        throw new ArgumentError(`ImageDataset: the transform gave [${first?.shape.join(", ")}] and [${shape.join(", ")}]; a batch needs one shape.`);
      }
      batch.set(data, i * size);
    });
    return tensor(batch, { shape: [samples.length, ...(first?.shape ?? [])] });
  }
}

ourDataset(ImageDataset);

/** The names of MNIST's files; each may have ".gz" after it. */
export const mnistFiles = {
  train: { images: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte" },
  test: { images: "t10k-images-idx3-ubyte", labels: "t10k-labels-idx1-ubyte" },
} as const;

/** Checks that two IDX files belong together: byte images, and one label for each, below 256. `names` are for the sentences. */
export function checkPair(arrays: ImageArrays, names: { images: string; labels: string }): ImageArrays {
  const { images, labels } = arrays;
  if (images.shape.length !== 3 || !(images.data instanceof Uint8Array)) {
    throw new DataFileError(
      `${names.images}: got ${images.shape.length} dimensions of ${images.data.constructor.name}; expected bytes [count, height, width].`,
    );
  }
  if (labels.shape.length !== 1 || !(labels.data instanceof Uint8Array)) {
    throw new DataFileError(`${names.labels}: got ${labels.shape.length} dimensions of ${labels.data.constructor.name}; expected bytes [count].`);
  }
  if (images.shape[0] !== labels.shape[0]) {
    throw new DataFileError(
      `${names.images} holds ${images.shape[0]} images, ${names.labels} ${labels.shape[0]} labels; the two do not belong together.`,
    );
  }
  return arrays;
}
