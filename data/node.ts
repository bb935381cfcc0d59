// Data sets from files: what needs a file system. Node's modules are loaded when a function is called, so that browsers can import this room.
import { importNode } from "../engine/platform.js";
import { fileSystem, readBytes } from "./files.js";
import { MissingFileError, readIdx } from "./idx.js";
import type { HostTensor, Image } from "./image.js";
import { encodeJpeg } from "./jpeg.js";
import { checkPair, ImageDataset, mnistFiles } from "./mnist.js";
import { decodePng, encodePng } from "./png.js";
import { ToTensor, type Transform } from "./transforms.js";

export interface MnistOptions {
  readonly transform?: Transform<Image, HostTensor>;
}

/** The training and the test set of a folder with MNIST's four files, gzipped or not. */
export async function loadMnist(folder: string, options: MnistOptions = {}): Promise<{ train: ImageDataset; test: ImageDataset }> {
  const { transform = ToTensor() } = options;
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

/** Reads one IDX file, gzipped or not. */
export async function readIdxFile(file: string): Promise<HostTensor> {
  return readIdx(await readBytes(file), file);
}

export async function readPngFile(file: string, options: { channels?: 1 | 3 | 4 } = {}): Promise<Image> {
  return decodePng(await readBytes(file), { ...options, fileName: file });
}

/** `quality` is 1 to 100 (75). */
export async function writeJpegFile(file: string, image: Image, options: { quality?: number } = {}): Promise<void> {
  const bytes = await encodeJpeg(image, options);
  await (await fileSystem()).writeFile(file, bytes);
}

export async function writePngFile(file: string, image: Image): Promise<void> {
  const bytes = await encodePng(image);
  await (await fileSystem()).writeFile(file, bytes);
}

async function filesOf(folder: string): Promise<Set<string>> {
  const { readdir } = await fileSystem();
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
