// A data set for examples/food11.ts where there is none: real digits and blanks in colour on textured backgrounds, 160 × 120, as JPEG and PNG
// files whose names begin with the class. Class 10 is a background without a digit.
import { writeJpegFile, writePngFile } from "athanor/data";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { drawColourDigits, separateImages } from "./colourDigits.js";
import { say } from "./program.js";

const width = 160, height = 120, classes = 11;
/** Every third image is a PNG file. */
const pngEvery = 3;

/** Draws folder/train, folder/valid (a quarter as many) and folder/test (as many again, without labels) unless they are there; gives the folder.
 *  A run that was ended while drawing leaves no folder that looks whole. */
export async function drawFood(folder: string, { train, seed }: { readonly train: number; readonly seed: number }): Promise<string> {
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  const counts = { train, valid: Math.ceil(train / 4), test: Math.ceil(train / 4) };
  say(`Drawing ${counts.train} + ${counts.valid} + ${counts.test} images into ${folder}.`);
  for (const [i, part] of (["train", "valid", "test"] as const).entries()) {
    const count = counts[part];
    await mkdir(join(partial, part), { recursive: true });
    const drawn = await drawColourDigits({ count, width, height, classes, seed: seed * 3 + i, split: part === "train" ? "train" : "test" });
    for (const [number, image] of separateImages(drawn).entries()) {
      const name = part === "test" ? String(number).padStart(4, "0") : `${drawn.labels.data[number]}_${number}`;
      const path = join(partial, part, name);
      await (number % pngEvery === 0 ? writePngFile(`${path}.png`, image) : writeJpegFile(`${path}.jpg`, image, { quality: 90 }));
    }
  }
  await rename(partial, folder);
  return folder;
}
