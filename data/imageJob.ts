// The job of image data sets: read a file, decode it, and take it through the transforms that can be described.
import { moduleBeside } from "../engine/platform.js";
import type { Draws } from "./draws.js";
import { readImage } from "./readImage.js";
import { runSteps } from "./transforms/compose.js";
import { rebuild } from "./transforms/rebuild.js";
import type { Transform, TransformDescription } from "./transforms/transform.js";

export interface ImageJobInput {
  readonly file: string;
  readonly channels: 1 | 3 | 4;
  readonly transforms: readonly TransformDescription[];
  /** They are the first steps of a Compose, each of which draws for itself. */
  readonly nested: boolean;
}

let last: { readonly key: string; readonly steps: readonly Transform<unknown, unknown>[] } | undefined;

/** A data set describes the same transforms with every image: they are made once. */
function stepsOf(transforms: readonly TransformDescription[]): readonly Transform<unknown, unknown>[] {
  const key = JSON.stringify(transforms);
  if (last?.key !== key) last = { key, steps: transforms.map((each) => rebuild(each)) };
  return last.steps;
}

export async function imageJob({ file, channels, transforms, nested }: ImageJobInput, draws: Draws): Promise<unknown> {
  const image = await readImage(file, { channels });
  const steps = stepsOf(transforms);
  return nested ? runSteps(steps, image, draws, 0) : steps.reduce<unknown>((value, step) => step(value, draws), image);
}

/** Where worker threads find it; "" in a bundle that knows no URL of itself, which has no worker threads either. */
export const imageJobModule = moduleBeside(import.meta.url, "imageJob")?.href ?? "";
