// How transforms are called, and on what: by place, by name, the whole list; images of bytes, values, tensors; torchvision's refusals in sentences.
import test from "tape";
import { DataLoader, type Image, ImageDataset, transforms as T } from "../data/index.js";
import { Tensor, tensor } from "../index.js";
import { drawnImage } from "./support/imageFiles.js";
import { checkRefusals, type RefusedCall } from "./support/refusal.js";

const F = T.functional, image = drawnImage(2), tall: Image = { width: 1, height: 1000, channels: 1, data: new Uint8Array(1000) };
const called = (fn: object, ...given: unknown[]): unknown => Reflect.apply(fn as (...all: unknown[]) => unknown, null, given);

test("by place, by name, the whole list", (t) => {
  const same: [string, { toString(): string }, { toString(): string }][] = [
    ["Resize", T.Resize(8, "nearest", 20), T.Resize({ size: 8, interpolation: "nearest", maxSize: 20 })],
    ["CenterCrop", T.CenterCrop(8), T.CenterCrop({ size: 8 })],
    ["Pad", T.Pad(2, 3, "edge"), T.Pad(2, { fill: 3, paddingMode: "edge" })],
    ["RandomCrop", T.RandomCrop(8, 2), T.RandomCrop({ size: 8, padding: 2 })],
    ["RandomResizedCrop", T.RandomResizedCrop(8, [0.5, 1], [0.7, 1], "bilinear", true), T.RandomResizedCrop({ size: 8, scale: [0.5, 1], ratio: [0.7, 1], antialias: true })],
    ["RandomHorizontalFlip", T.RandomHorizontalFlip(0.3), T.RandomHorizontalFlip({ p: 0.3 })],
    ["RandomRotation", T.RandomRotation(30, "bilinear"), T.RandomRotation({ degrees: 30, interpolation: "bilinear" })],
    ["RandomAffine", T.RandomAffine(30, null, [0.5, 2]), T.RandomAffine({ degrees: 30, scale: [0.5, 2] })],
    ["ColorJitter", T.ColorJitter(0.1, 0.2), T.ColorJitter({ brightness: 0.1, contrast: 0.2 })],
    ["GaussianBlur", T.GaussianBlur(3, 1), T.GaussianBlur({ kernelSize: 3, sigma: 1 })],
    ["Normalize", T.Normalize(0.5, 0.2), T.Normalize({ mean: 0.5, std: 0.2, inplace: true })],
    ["RandomErasing", T.RandomErasing(1, [0.1, 0.2]), T.RandomErasing({ p: 1, scale: [0.1, 0.2] })],
    ["RandomApply", T.RandomApply([T.CenterCrop(8)], 0.3), T.RandomApply({ transforms: [T.CenterCrop(8)], p: 0.3 })],
    ["Compose", T.Compose([T.CenterCrop(8)]), T.Compose({ transforms: [T.CenterCrop(8)] })],
  ];
  for (const [name, byPlace, byName] of same) t.equal(String(byPlace), String(byName), name);
  t.deepEqual(F.resize(image, 8, { interpolation: "nearest" }), F.resize({ image, size: 8, interpolation: "nearest" }), "a function of images");
  t.deepEqual(F.rotate(image, 30, "bilinear", true), F.rotate(image, 30, { interpolation: "bilinear", expand: true }), "torchvision's order");
  t.end();
});

test("tensors: Lambda gets and gives them, Normalize and RandomErasing take them", async (t) => {
  const x = tensor([[[0, 0.5], [1, 0.25]]]);
  t.deepEqual(await T.Normalize(0.5, 0.25)(x).tolist(), [[[-2, 0], [2, -1]]], "torchvision's values, in a tensor");
  t.ok(T.RandomErasing(1)(tensor(new Float32Array(300), { shape: [3, 10, 10] })) instanceof Tensor);
  const steps = T.Compose([T.ToTensor(), T.Lambda((v: Tensor) => v.mul(255)), T.Normalize(1, 2), T.Lambda((v: Tensor) => v.flatten())]);
  const two: Image = { width: 2, height: 1, channels: 1, data: Uint8Array.of(3, 5) };
  const made = steps(two);
  t.deepEqual([made.shape, Array.from(made.data)], [[2], [1, 2]], "a tensor inside, values between");
  const images = { shape: [2, 1, 2], data: Uint8Array.of(3, 5, 7, 9) }, labels = { shape: [2], data: Uint8Array.of(0, 1) };
  for await (const [batch] of new DataLoader(new ImageDataset({ images, labels }, steps), 2)) t.deepEqual(await batch.tolist(), [[1, 2], [3, 4]], "in batches");
});

test("what cannot be obeyed is a sentence", async (t) => {
  const values = T.ToTensor()(image), x = tensor([[[0.5]]]);
  const cases: RefusedCall[] = [
    ["RandomRotation of a tensor", () => called(T.RandomRotation(4), x), /RandomRotation: got a Tensor of float32 \[1, 1, 1\]; expected an image of bytes .*: put it before ToTensor\(\)/],
    ["GaussianBlur of values", () => called(T.GaussianBlur(3), values), /GaussianBlur: got values of \[3, 18, 24\] in a Float32Array; .*before ToTensor/],
    ["Resize of a row", () => called(T.Resize(4), tensor([1, 2])), /Resize: got a Tensor of float32 \[2\]; expected an image of bytes .*, or a tensor \[\.\.\., height, width\]/],
    ["Resize of a path", () => called(T.Resize(4), "cat.png"), /Resize: got a string; expected an image of bytes/],
    ["Grayscale of two channels", () => called(T.Grayscale(), tensor([[[1]], [[2]]])), /rgbToGrayscale: got a tensor of \[2, 1, 1\]; expected \[\.\.\., 1 or 3, height, width\]/],
    ["a colour around a tensor", () => called(T.Pad(1, [1, 2, 3]), values), /pad: got the fill \[1,2,3\] for a tensor; expected one number/],
    ["antialias by nearest", () => called(T.Resize(2, "nearest", null, true), values), /got antialias with "nearest"/],
    ["ToTensor of a tensor", () => called(T.ToTensor(), x), /ToTensor: got a Tensor of float32 \[1, 1, 1\]; .*it is values already, leave ToTensor out/],
    ["ToTensor of a path", () => called(T.ToTensor(), "cat.png"), /ToTensor: got a string; expected an image of bytes/],
    ["Normalize of an image", () => called(T.Normalize(0.5, 0.5), image), /Normalize: got an image of bytes; expected values .*put ToTensor\(\) before it/],
    ["Normalize of nothing", () => called(T.Normalize), /Normalize: got no mean; expected Normalize\(mean, std, inplace = false\)/],
    ["a deviation that is 0 in float32", () => T.Normalize([0], [1e-46]), /got the standard deviation 1e-46, which is 0 in float32/],
    ["an unknown interpolation", () => called(T.Resize, 4, { interpolation: "lanczos" }), /Resize: got interpolation "lanczos"; expected "bilinear", "nearest" or "bicubic"/],
    ["maxSize beside both sides", () => T.Resize([5, 6], { maxSize: 9 }), /got maxSize = 9 beside the size \[5,6\]; expected it with one number alone/],
    ["maxSize that leaves nothing", () => F.resize(tall, 1, "bilinear", 50), /got maxSize = 50 for an image of 1×1000, which leaves 0×50/],
    ["maxSize below the size", () => T.Resize(9, { maxSize: 9 }), /maxSize = 9 for a shorter side of 9; expected more/],
    ["max_size", () => called(T.Resize, 4, { max_size: 9 }), /did you mean maxSize\?/],
    ["pad_if_needed", () => called(T.RandomCrop, 4, { pad_if_needed: true }), /did you mean padIfNeeded\?/],
    ["a surplus argument", () => called(T.ToTensor, true), /ToTensor: got 1 argument; expected none/],
    ["a probability of text", () => called(T.RandomHorizontalFlip, "0.5"), /got p "0\.5"; expected a number/],
    ["three scales", () => called(T.RandomResizedCrop, 8, [1, 2, 3]), /got scale \[1, 2, 3\]; expected two finite numbers/],
    ["transforms one by one", () => called(T.Compose, T.ToTensor(), T.ToTensor()), /Compose: got 2 arguments; expected at most 1/],
    ["something else in Compose", () => called(T.Compose, [3]), /Compose: got transforms \[3\]; expected a list of transforms/],
    ["no function", () => called(T.Lambda, 3), /Lambda: got lambd 3; expected a function/],
    ["MixUp with another name", () => called(T.MixUp, { num_classes: 3 }), /did you mean numClasses\?/],
    ["a tensor for a function of images", () => called(F.rotate, x, 30), /rotate: got image a Tensor; expected an image/],
    ["a row for a function of pictures", () => called(F.hflip, tensor([1, 2])), /hflip: got image a Tensor; expected an image .*, or a tensor \[\.\.\., height, width\], not a Tensor of float32 \[2\]/],
    ["an unknown padding mode", () => called(F.pad, image, 1, 0, "wrap"), /got paddingMode "wrap"; expected "constant", "edge", "reflect" or "symmetric"/],
  ];
  await checkRefusals(t, cases);
});
