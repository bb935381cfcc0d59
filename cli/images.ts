// The images a run trains and tests on: which folder, how many, in which loaders.
import { statSync } from "node:fs";
import { DataLoader, type Dataset, type HostTensor, type ImageDataset, loadMnist, Subset, transforms } from "athanor/data";
import { UsageError } from "../programs/flags.js";
import { packagedMnist } from "../programs/packagedMnist.js";
import type { TrainOptions } from "./options.js";
import type { ImageLoader } from "./training.js";

export interface RunImages {
  readonly folder: string;
  readonly test: ImageDataset;
  readonly trainLoader: ImageLoader;
  readonly testLoader: ImageLoader;
}

const testBatchSize = 250;
const mean = 0.5, standardDeviation = 0.5;

export async function openImages(options: TrainOptions): Promise<RunImages> {
  const folder = options.data ?? packagedMnist();
  if (options.data !== null && statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`--data ${folder}: there is no such folder; expected one with MNIST's four IDX files.`);
  }
  const transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, standardDeviation)]);
  const { train, test } = await loadMnist(folder, { transform });
  const trainCount = Math.min(options.limit ?? train.length, train.length);
  const testCount = Math.min(test.length, Math.max(1, Math.round((trainCount * test.length) / Math.max(1, train.length))));
  return {
    folder,
    test,
    trainLoader: new DataLoader(firstOf(train, trainCount), { batchSize: options.batchSize, shuffle: true }),
    testLoader: new DataLoader(firstOf(test, testCount), { batchSize: testBatchSize }),
  };
}

function firstOf(images: ImageDataset, count: number): Dataset<[HostTensor, number]> {
  return count === images.length ? images : new Subset(images, Array.from({ length: count }, (_, i) => i));
}
