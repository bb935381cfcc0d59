// ConvTranspose2d beyond its fixtures (layers.py): the size that a caller asks for, its start, its text and its refusals. Values are PyTorch 1.13's.
import test from "tape";
import { type Tensor, manualSeed, nn, ones, tensor, zeros } from "../index.js";
import * as F from "../nn/functional.js";

async function filled(layer: nn.ConvTranspose2d, weight: number[], bias: number): Promise<nn.ConvTranspose2d> {
  layer.loadStateDict({ weight: tensor(weight).reshape(layer.weight.shape), bias: tensor([bias]) });
  return layer;
}

test("outputSize chooses among the sizes that a stride makes one", async (t) => {
  const layer = await filled(new nn.ConvTranspose2d(1, 1, 3, 2, 1), [1, 2, 3, 4, 5, 6, 7, 8, 9], 10), x = tensor([[[[1, 2], [3, 4]]]]);
  const three = [[15, 24, 20], [24, 46, 34], [25, 44, 30]];
  t.deepEqual(await layer(x).tolist(), [[three]]);
  t.deepEqual(await layer(x, [4, 3]).tolist(), [[[...three, [34, 65, 42]]]]);
  t.deepEqual(layer(x, [1, 1, 3, 4]).shape, [1, 1, 3, 4], "the whole shape");
  t.deepEqual(layer(x.squeeze(0), [1, 4, 4]).shape, [1, 4, 4], "of one image");
  t.deepEqual(layer(x, null).shape, [1, 1, 3, 3]);
  t.throws(() => layer(x, [5, 3]), /convTranspose2d: got outputSize \[5, 3\] for an input of shape \[1, 1, 2, 2\]; expected whole numbers from \[3, 3\] to \[4, 4\]/);
  for (const size of [[2, 3], [3.5, 3], [3], [1, 3, 3], [1, 1, 1, 3, 3]]) t.throws(() => layer(x, size), /got outputSize \[.*expected/, String(size));
  t.throws(() => Reflect.apply(layer, undefined, [x, 4]), /got outputSize 4 .*expected \[height, width\]/);
  t.throws(() => Reflect.apply(layer, undefined, [x, [4, 4], 1]), /got 3 inputs; expected at most 2/);
  const down = new nn.Conv2d(2, 2, 3, { stride: 2, padding: 1 }), up = new nn.ConvTranspose2d(2, 2, 3, { stride: 2, padding: 1 }), image = ones(1, 2, 12, 11);
  t.deepEqual(up(down(image), image.shape).shape, image.shape, "back to where a convolution came from");
});

test("where the dilation is above the stride, outputPadding may be too", (t) => {
  const wide = { dilation: 2, outputPadding: 1 };
  t.deepEqual(F.convTranspose2d(ones(0, 2, 3, 3), ones(2, 3, 2, 2), null, wide).shape, [0, 3, 6, 6], "of no images");
  t.deepEqual(F.convTranspose2d(ones(2, 3, 3), ones(2, 3, 2, 2), null, { ...wide, stride: [1, 2], dilation: [2, 1] }).shape, [3, 6, 7], "of one");
  t.throws(() => F.convTranspose2d(ones(1, 2, 0, 3), ones(2, 3, 2, 2), null, wide), /images of at least 1×1/);
  t.throws(() => F.convTranspose2d(ones(3, 3), ones(2, 3, 2, 2), null, wide), /convTranspose2d: .*\[N, C, H, W\]/);
  t.end();
});

test("used twice in a Sequential", async (t) => {
  const layer = await filled(new nn.ConvTranspose2d(1, 1, 2), [1, 2, 3, 4], 1), x = tensor([[[[1, -1]]]]).requiresGrad_();
  const y = new nn.Sequential(layer, new nn.ReLU(), layer)(x);
  t.deepEqual(await y.tolist(), [[[[3, 7, 5, 1], [11, 25, 13, 1], [13, 23, 9, 1]]]]);
  y.sum().backward();
  t.deepEqual(await x.grad?.tolist(), [[[[100, 40]]]]);
  t.deepEqual(await layer.weight.grad?.tolist(), [[[[10, 20], [10, 20]]]]);
  t.deepEqual(await layer.bias?.grad?.tolist(), [52]);
  t.match(String(layer(x)), /grad_fn=<ConvolutionBackward0>/);
});

test("weights start as PyTorch's, by the fan of [in, out/groups, R, S]", async (t) => {
  manualSeed(0);
  const layer = new nn.ConvTranspose2d(8, 64, [3, 5], { groups: 2 }), bound = 1 / Math.sqrt(32 * 15);
  t.deepEqual(layer.stateDict().weight?.shape, [8, 32, 3, 5]);
  for (const [name, parameter] of layer.namedParameters()) {
    const most = await parameter.abs().max().item();
    t.ok(most <= bound && most > 0.9 * bound, `${name}: ${most}`);
  }
});

test("its text and its products", (t) => {
  const layer = new nn.ConvTranspose2d(4, 6, [3, 5], { stride: [2, 1], padding: [1, 0], outputPadding: [1, 0], groups: 2, bias: false, dilation: [1, 2] });
  t.equal(String(layer), "ConvTranspose2d(4, 6, kernel_size=(3, 5), stride=(2, 1), padding=(1, 0), dilation=(1, 2), output_padding=(1, 0), groups=2, bias=False)");
  t.equal(nn.summary(layer, [2, 4, 7, 9]).multiplyAdds, 2 * 7 * 9 * (4 * 3 * 3 * 5), "each place of the input meets each weight");
  t.end();
});

const x = () => ones(1, 2, 3, 3), w = () => ones(2, 3, 2, 2);
const refusals: readonly (readonly [string, () => Tensor, RegExp])[] = [
  ["as much outputPadding as stride", () => F.convTranspose2d(x(), w(), null, { stride: 2, outputPadding: 2 }), /got outputPadding 2×2 with stride 2×2 and dilation 1×1; expected less/],
  ["outputPadding of one side", () => F.convTranspose2d(x(), w(), null, { stride: [2, 1], outputPadding: 1 }), /outputPadding 1×1 with stride 2×1/],
  ["negative outputPadding", () => F.convTranspose2d(x(), w(), null, { outputPadding: -1 }), /got outputPadding -1; expected a whole number of at least 0/],
  ["half a stride", () => F.convTranspose2d(x(), w(), null, 1.5), /got stride 1.5/],
  ["other channels", () => F.convTranspose2d(x(), ones(3, 2, 2, 2)), /weight \[3, 2, 2, 2\].*expected 3 input channels, got 2/],
  ["channels last", () => F.convTranspose2d(ones(1, 4, 4, 3), ones(3, 2, 2, 2)), /permute\(0, 3, 1, 2\)/],
  ["groups that do not divide", () => F.convTranspose2d(ones(1, 3, 2, 2), ones(3, 2, 2, 2), null, { groups: 2 }), /groups 2; expected input channels that the groups divide/],
  ["no groups", () => F.convTranspose2d(x(), w(), null, { groups: 0 }), /got groups 0; expected a whole number of at least 1/],
  ["a bias of the input's channels", () => F.convTranspose2d(x(), w(), ones(2)), /bias \[2\].*expected a bias of shape \[3\]/],
  ["a bias of integers", () => F.convTranspose2d(x(), w(), ones(3).int()), /convTranspose2d: got bias int32/],
  ["bytes", () => F.convTranspose2d(zeros(1, 2, 3, 3, { dtype: "uint8" }), w()), /uint8.*float/],
  ["a matrix", () => F.convTranspose2d(ones(3, 3), w()), /\[N, C, H, W\]/],
  ["no kernel", () => F.convTranspose2d(x(), ones(2, 3, 0, 2)), /at least 1×1/],
  ["no rows", () => F.convTranspose2d(ones(1, 2, 0, 3), w()), /images of at least 1×1/],
  ["padding that eats the output", () => F.convTranspose2d(ones(1, 2, 1, 1), w(), null, { padding: 1 }), /padding 1×1 leaves an output of 0×0/],
  ["output channels that the groups do not divide", () => new nn.ConvTranspose2d(4, 3, 2, { groups: 2 })(x()), /4 input and 3 output channels with 2 groups/],
  ["a padding mode", () => Reflect.construct(nn.ConvTranspose2d, [2, 3, 2, { paddingMode: "reflect" }]), /got paddingMode "reflect"; expected "zeros"/],
];
test("a wrong call is a sentence", (t) => {
  for (const [name, run, sentence] of refusals) t.throws(run, sentence, name);
  t.end();
});
