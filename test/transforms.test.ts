// Transforms held to torchvision's results: the same image, the same draws, the same bytes.
import test, { type Test } from "tape";
import { type HostTensor, type Image, isImage, transforms } from "../data/index.js";
import { PlayedDraws, sourceImage, storedValues, transformRows } from "./support/transformRows.js";

const { functional } = transforms;
type Made = Image | HostTensor;

/** How many values differ, and by how much at most. */
function difference(made: Made, expected: ArrayLike<number>): { values: number; differing: number; largest: number } {
  let differing = made.data.length === expected.length ? 0 : Infinity, largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs((made.data[i] ?? NaN) - (expected[i] ?? NaN));
    if (gap !== 0) differing++;
    if (!(gap <= largest)) largest = gap;
  }
  return { values: expected.length, differing, largest };
}

function shapeOf(made: Made): readonly number[] {
  return isImage(made) ? [made.height, made.width, made.channels] : made.shape;
}

test("functional: torchvision's bytes from the same image", (t) => {
  for (const row of transformRows) {
    if (row.kind !== "functional") continue;
    const made = callFunctional(row.name, sourceImage(row.image), row.args);
    const name = `${row.name}(${row.image}, ${JSON.stringify(row.args).slice(1, -1)})`;
    t.deepEqual(shapeOf(made), row.output.shape, `${name}: shape`);
    expectSame(t, name, row.name, made, storedValues(row.output));
  }
  t.end();
});

/** Equal to the byte; a blur may round the other way where torch's float32 sums (of up to 529 products) land within their own error of a half. */
function expectSame(t: Test, title: string, name: string, made: Made, expected: ArrayLike<number>): void {
  const { values, differing, largest } = difference(made, expected);
  const allowed = name.toLowerCase() === "gaussianblur" ? { values: values / 500, largest: 1 } : { values: 0, largest: 0 };
  t.ok(differing <= allowed.values && largest <= allowed.largest, `${title}: ${differing} of ${values} values differ, by at most ${largest}`);
}

function callFunctional(name: string, image: Image, args: readonly unknown[]): Image {
  const entry = Object.entries(functional).find(([key]) => key === name)?.[1];
  if (entry === undefined) throw new Error(`functional has no ${name}`);
  return (entry as (image: Image, ...args: readonly unknown[]) => Image)(image, ...args);
}

test("random transforms: torchvision's images from torch's draws, in its order", (t) => {
  for (const row of transformRows) {
    if (row.kind !== "random") continue;
    const draws = new PlayedDraws(row.draws);
    const transform = transforms.rebuild({ name: row.name, args: row.args });
    const image = sourceImage(row.image);
    const made = transform(row.output.dtype === "float32" ? transforms.ToTensor()(image) : image, draws) as Made;
    t.deepEqual(shapeOf(made), row.output.shape, `${String(transform)}: shape`);
    expectSame(t, String(transform), row.name, made, storedValues(row.output));
    t.equal(draws.left, 0, "every draw was used");
  }
  t.end();
});
