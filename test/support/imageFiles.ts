// Folders of small images for the tests of data, drawn by an integer formula.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Image, writeJpegFile, writePngFile } from "../../data/index.js";

/** A smooth coloured image, different for each seed. */
export function drawnImage(seed: number, width = 24, height = 18, channels = 3): Image {
  const data = new Uint8Array(width * height * channels);
  for (let i = 0; i < data.length; i++) {
    const channel = i % channels, pixel = Math.floor(i / channels), x = pixel % width, y = Math.floor(pixel / width);
    data[i] = Math.floor(127 + 60 * Math.sin((x * (seed + 1)) / 7 + channel) + 60 * Math.cos((y * (channel + 2)) / 9 + seed));
  }
  return { width, height, channels, data };
}

/** Files in a new folder: JPEG or PNG by their names, image number i drawn from seed i. */
export async function imageFolder(names: readonly string[]): Promise<{ folder: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), "athanor-images-"));
  for (const [seed, name] of names.entries()) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    if (/\.jpe?g$/i.test(name)) await writeJpegFile(file, drawnImage(seed), { quality: 90 });
    else await writePngFile(file, drawnImage(seed));
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
