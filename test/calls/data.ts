// athanor/data and its namespaces transforms and transforms.functional
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data, tensor } from "../../index.js";
import { packagedMnistFolder } from "../support/mnist.js";
import { type Row, type Rows, abstractClass, errorClass } from "./cases.js";

type Values = [name: string, value: unknown][];
const row = (needed: () => Values, rest: () => Values = () => [], also?: Record<string, unknown>): Row => () => {
  const all = [...needed(), ...rest()], count = needed().length;
  return { needed: all.slice(0, count).map(([, value]) => value), rest: all.slice(count).map(([, value]) => value), names: all.map(([name]) => name), ...(also && { also }) };
};
const { transforms } = data;
const picture = () => ({ width: 6, height: 5, channels: 3, data: Uint8Array.from({ length: 90 }, (_, i) => (i * 37) % 256) });
const values = () => ({ shape: [3, 5, 6], data: Float32Array.from({ length: 90 }, (_, i) => Math.sin(i)) });
const samples = () => [1, 2, 3, 4, 5];
const idx = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9);

const folder = mkdtempSync(join(tmpdir(), "athanor-calls-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const file = (name: string) => join(folder, "a", name);
mkdirSync(join(folder, "a"));
writeFileSync(file("picture.png"), await data.encodePng(picture()));
writeFileSync(file("values.idx"), idx);
const png = await data.encodePng(picture()), jpeg = await data.encodeJpeg(picture());

const transformer: () => Values[number] = () => ["transform", transforms.PILToTensor()];
const seeded = { seed: 3 };
const noGenerator: Values[number] = ["generator", null];
const decoding = (bytes: Uint8Array): Row => row(() => [["bytes", bytes]], () => [], { channels: 1, fileName: "a picture" });
const errors: Rows = { DataFileError: errorClass, MissingFileError: errorClass, DataLoaderError: errorClass };
const abstract: Rows = { Dataset: abstractClass, ImageFileDataset: abstractClass };

export const dataRoom: Rows = {
  ...errors, ...abstract,
  collate: row(() => [["samples", samples()]], () => [], { dtype: "float32" }),
  ConcatDataset: row(() => [["datasets", [samples(), samples()]]]),
  randomSplit: row(() => [["dataset", samples()], ["lengths", [2, 3]]], () => [noGenerator], seeded),
  Subset: row(() => [["dataset", samples()], ["indices", [3, 1]]]),
  TensorDataset: () => ({ needed: [tensor([1, 2]), tensor([3, 4])] }),
  ownDraws: row(() => []),
  StreamDraws: () => ({ needed: [{ seed: 3, stream: 4 }] }),
  parseIdx: row(() => [["bytes", idx], ["fileName", "values"]]),
  readIdx: row(() => [["bytes", idx], ["fileName", "values"]]),
  readIdxFile: row(() => [["file", file("values.idx")]]),
  isImage: () => ({ needed: [picture()], takesAnything: "a question about any value; list.filter(isImage) gives it places and the list too" }),
  withChannels: row(() => [["image", picture()]], () => [["channels", 1]]),
  ImageFiles: row(() => [["files", [file("picture.png")]]], () => [transformer()], { channels: 1 }),
  ImageFolder: row(() => [["root", folder]], () => [transformer()], { channels: 1, extensions: [".png"] }),
  listImages: row(() => [["folder", join(folder, "a")]], () => [], { extensions: [".png", ".idx"], recursive: true }),
  decodeJpeg: decoding(jpeg),
  encodeJpeg: row(() => [["image", picture()]], () => [["quality", 30]]),
  KFold: row(() => [], () => [["nSplits", 3]], { shuffle: true, seed: 3 }),
  DataLoader: row(() => [["dataset", samples()]], () => [
    ["batchSize", 2], ["shuffle", true], ["sampler", null], ["batchSampler", null], ["numWorkers", 0], ["collateFn", (all: unknown[]) => all], ["pinMemory", true],
    ["dropLast", true], ["timeout", 0], ["workerInitFn", null], ["multiprocessingContext", null], noGenerator,
  ], { prefetch: 3, seed: 5, onError: "skip", persistentWorkers: false }),
  ImageDataset: row(
    () => [["arrays", { images: { shape: [1, 2, 2], data: Uint8Array.of(1, 2, 3, 4) }, labels: { shape: [1], data: Uint8Array.of(7) } }]],
    () => [["transform", transforms.Compose([transforms.ToTensor(), transforms.Normalize(1, 2)])]],
  ),
  loadMnist: () => ({ needed: [packagedMnistFolder()], rest: [transforms.ToTensor()], names: ["folder", "transform"], heavy: true }),
  readPngFile: row(() => [["file", file("picture.png")]], () => [], { channels: 1 }),
  writeJpegFile: row(() => [["file", file("written.jpg")], ["image", picture()], ["quality", 30]]),
  writePngFile: row(() => [["file", file("written.png")], ["image", picture()]]),
  decodePng: decoding(png),
  encodePng: row(() => [["image", picture()]]),
  decodeImage: decoding(png),
  readImage: row(() => [["file", file("picture.png")]], () => [], { channels: 1 }),
  BatchSampler: row(() => [["sampler", [3, 1, 2]], ["batchSize", 2], ["dropLast", true]]),
  RandomSampler: row(() => [["dataSource", samples()]], () => [["replacement", true], ["numSamples", 3], noGenerator], seeded),
  SequentialSampler: row(() => [["dataSource", samples()]]),
  SubsetRandomSampler: row(() => [["indices", [3, 1]]], () => [noGenerator], seeded),
  WeightedRandomSampler: row(() => [["weights", [1, 2]], ["numSamples", 1]], () => [["replacement", false], noGenerator], seeded),
};

const chance = row(() => [], () => [["p", 0.25]]);
const flips = () => [transforms.RandomHorizontalFlip(), transforms.RandomVerticalFlip()];
const size: Values[number] = ["size", 4], fill: Values[number] = ["fill", 9], center: Values[number] = ["center", [1, 2]];
const images = () => tensor(Float32Array.from({ length: 32 }, (_, i) => i), { shape: [2, 1, 4, 4] }), shares = () => tensor([[1, 0], [0, 1]]);
/** What it gives is a function without a text. */
const mixing: Row = () => ({ needed: [], also: { alpha: 0.5, numClasses: 3 }, names: [], heavy: true });
export const transformRoom: Rows = {
  lookupTable: row(() => [["apply", transforms.ToTensor()], ["channels", 3]]),
  ColorJitter: row(() => [], () => [["brightness", 0.5], ["contrast", 0.25], ["saturation", [0.5, 1]], ["hue", 0.125]]),
  Grayscale: row(() => [], () => [["numOutputChannels", 3]]),
  RandomGrayscale: chance,
  GaussianBlur: row(() => [["kernelSize", 3]], () => [["sigma", [1, 2]]]),
  Compose: row(() => [["transforms", flips()]]),
  Lambda: row(() => [["lambd", (input: unknown) => input]]),
  RandomApply: row(() => [["transforms", flips()]], () => [["p", 0.25]]),
  RandomChoice: row(() => [["transforms", flips()], ["p", [1, 3]]]),
  Resize: row(() => [size], () => [["interpolation", "nearest"], ["maxSize", 8]], { antialias: true }),
  CenterCrop: row(() => [size]),
  Pad: row(() => [["padding", 2]], () => [fill, ["paddingMode", "edge"]]),
  RandomCrop: row(() => [size], () => [["padding", 1], ["padIfNeeded", true], fill, ["paddingMode", "edge"]]),
  RandomResizedCrop: row(() => [size], () => [["scale", [0.5, 1]], ["ratio", [1, 2]], ["interpolation", "nearest"]], { antialias: true }),
  RandomHorizontalFlip: chance,
  RandomVerticalFlip: chance,
  RandomRotation: row(() => [["degrees", 30]], () => [["interpolation", "bilinear"], ["expand", true], center, fill]),
  RandomAffine: row(() => [["degrees", 30]], () => [["translate", [0.5, 0.5]], ["scale", [1, 2]], ["shear", 10], ["interpolation", "bilinear"], fill, center]),
  MixUp: mixing,
  CutMix: mixing,
  mixUp: row(() => [["batch", images()], ["share", 0.25]]),
  cutMix: row(() => [["images", images()], ["target", shares()], ["share", 0.5], ["x", 1], ["y", 2]]),
  rebuild: row(() => [["description", { name: "CenterCrop", args: [4] }]]),
  Normalize: row(() => [["mean", 0.5], ["std", 0.25], ["inplace", true]]), // inplace says nothing about the result
  PILToTensor: row(() => []),
  ToTensor: row(() => []),
  RandomErasing: row(() => [], () => [["p", 0.25], ["scale", [0.5, 0.75]], ["ratio", [1, 2]], ["value", "random"], ["inplace", true]]),
};

const image = (): Values[number] => ["image", picture()];
const factor = row(() => [image(), ["factor", 0.25]]);
const rectangle: Values = [["top", 1], ["left", 2], ["height", 3], ["width", 2]];
export const functionalRoom: Rows = {
  rotate: row(() => [image(), ["angle", 30]], () => [["interpolation", "bilinear"], ["expand", true], center, fill]),
  affine: row(() => [image(), ["angle", 30], ["translate", [1, 2]], ["scale", 2], ["shear", 10]], () => [["interpolation", "bilinear"], fill, center]),
  gaussianBlur: row(() => [image(), ["kernelSize", 3]], () => [["sigma", 2]]),
  adjustBrightness: factor,
  adjustContrast: factor,
  adjustSaturation: factor,
  adjustHue: factor,
  rgbToGrayscale: row(() => [image()], () => [["numOutputChannels", 3]]),
  centerCrop: row(() => [image(), size]),
  crop: row(() => [image(), ...rectangle]),
  hflip: row(() => [image()]),
  vflip: row(() => [image()]),
  pad: row(() => [image(), ["padding", 2]], () => [fill, ["paddingMode", "edge"]]),
  erase: row(() => [["image", values()], ...rectangle, ["value", 3]]),
  resize: row(() => [image(), size], () => [["interpolation", "nearest"], ["maxSize", 8]], { antialias: true }),
  resizedCrop: row(() => [image(), ...rectangle, size], () => [["interpolation", "nearest"]], { antialias: true }),
};
