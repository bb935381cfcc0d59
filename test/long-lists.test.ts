// Lists longer than a call's arguments may be, images larger than a machine, and what a data set throws that is no error.
import test from "tape";
import { data } from "../index.js";
import { diagnose } from "../training/index.js";
import { checkRefusals } from "./support/refusal.js";

const { functional: F, Normalize } = data.transforms;
const pixel = { width: 1, height: 1, channels: 1, data: Uint8Array.of(77) };

test("an image's side may be longer than a call's arguments", (t) => {
  const wide = F.resize(pixel, [1, 200_000], "bilinear");
  t.ok(wide.width === 200_000 && wide.data.every((value) => value === 77), "one pixel, stretched, is itself everywhere");
  t.end();
});

test("curves of 200,000 epochs are diagnosed", (t) => {
  const epochs = Array.from({ length: 200_000 }, (_, i) => ({ epoch: i + 1, trainLoss: 1 / (1 + i / 1000), validLoss: 1.1 / (1 + i / 1000) }));
  t.equal(typeof diagnose(epochs).case, "string");
  t.end();
});

test("what no machine holds, and numbers that float32 does not, are sentences", async (t) => {
  const big = 1_000_000;
  await checkRefusals(t, [
    ["resize", () => F.resize(pixel, [big, big]), /resize: got 1000000×1000000 pixels to make; expected at most 268435456/],
    ["nearest", () => F.resize(pixel, [big, big], "nearest"), /resize: got 1000000×1000000 pixels/],
    ["crop", () => F.crop(pixel, 0, 0, big, big), /crop: got 1000000×1000000 pixels/],
    ["pad", () => F.pad(pixel, big), /pad: got 2000001×2000001 pixels/],
    ["a mean past float32", () => Normalize([1e39], [1]), /Normalize: got mean 1e\+39; expected numbers that float32 holds/],
    ["a deviation past float32", () => Normalize([0], [1e39]), /Normalize: got the standard deviation 1e\+39/],
  ]);
});

test("a thrown record is shown", async (t) => {
  const thrower: data.Dataset<number> = { length: 1, get: () => { throw Object.assign(Object.create(null), { code: 7 }); } };
  await checkRefusals(t, [["a record", async () => { for await (const _ of new data.DataLoader(thrower)); }, /sample 0 of 1 could not be loaded: an object \{ code \}/]]);
});
