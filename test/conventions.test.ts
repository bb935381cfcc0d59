// PyTorch's conventions, program for program (test/fixtures/conventions.py): dtypes of results, reductions of nothing, gradients at zero, in-place
// changes on the tape; then the ways of giving options, and the calls that would give a wrong gradient or read memory that is nobody's.
import { readFileSync } from "node:fs";
import test from "tape";
import { type Device, type DType, type Tensor, ArgumentError, cat, noGrad, nn, oneHot, randint, tensor, where, zeros } from "../index.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { describeMismatch, worstMismatch } from "./support/tolerance.js";

interface Stored {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: readonly string[];
}
const file = readFileSync(new URL("./fixtures/conventions.json", import.meta.url), "utf8");
const expected = new Map(Object.entries(JSON.parse(file) as Record<string, Stored | Stored[]>));
const number = (text: string) => Number(text.replace("inf", "Infinity"));

const devices = await openDevices();

function programs(device: Device): Record<string, () => Tensor | (Tensor | null)[]> {
  const vector = (...values: (number | number[])[]) => tensor(values, { device });
  const integers = (...values: number[]) => tensor(Int32Array.from(values), { device });
  const none = (...shape: number[]) => zeros(shape, { device });
  const mask = tensor([true, false], { device }), thirds = vector(1, 2, 4);
  const gradient = (fn: (x: Tensor) => Tensor, ...rows: number[][]) => {
    const x = vector(...rows).requiresGrad_();
    fn(x).sum().backward();
    return [x.grad].flatMap((grad) => grad ?? [])[0] ?? null;
  };
  const inPlace = (change: (y: Tensor, w: Tensor) => void, ...values: number[]) => {
    const x = vector(...values).requiresGrad_(), w = vector(3, 4).requiresGrad_(), y = x.mul(2);
    change(y, w);
    y.sum().backward();
    return [y, x.grad, ...(w.grad === null ? [] : [w.grad])];
  };
  const rows = [[1, 1, 1], [1, 2, 4]], pairs = [[0, 0], [3, -4]];
  return {
    "int32 to the third": () => integers(2, -3, 1291).pow(3),
    "int32 rounded": () => [integers(2, -3).floor(), integers(2, -3).ceil(), integers(2, -3).round()],
    "a mask fills int32 with 1.5": () => integers(4, 5).maskedFill(mask, 1.5),
    "a mask fills bool": () => mask.maskedFill(mask, 0),
    "int32 and a number by a mask": () => [where(mask, integers(4, 5), 0), where(mask, 0.5, integers(4, 5))],
    "means of nothing": () => [none(0).mean(), none(0, 3).mean(0), none(0).std()],
    "an empty list of dimensions": () => [thirds.sum([]), thirds.mean([]), thirds.amax([])],
    "a vector of nothing joins": () => cat([none(0), vector(1, 2).unsqueeze(0)]),
    "pieces of nothing": () => [...none(0, 2).split(2), ...none(0).chunk(3)],
    norms: () => [0, 0.5, 3, Infinity, -Infinity].map((p) => thirds.norm(p)),
    "unbiased or not": () => [thirds.var(false), thirds.std(0, false), thirds.unsqueeze(0).var(1, false, true)],
    "std where nothing varies": () => [gradient((x) => x.std(1), ...rows)],
    "norm 3 of zeros": () => [gradient((x) => x.norm(3, 1), ...pairs)],
    "norm 1/2 with a zero": () => [gradient((x) => x.norm(0.5, 1), [0, 2], [3, -4])],
    "add and sub with alpha": () => [vector(1).add(vector(2), { alpha: 3 }), vector(1).sub(vector(2), { alpha: 3 })],
    "in place: mul_": () => inPlace((y, w) => y.mul_(w), 1, 2),
    "in place: div_": () => inPlace((y, w) => y.div_(w), 1, 2),
    "in place: clamp_": () => inPlace((y) => y.clamp_(-1, 3), 1, -2),
    "in place: pow_": () => inPlace((y) => y.pow_(3), 1, -2),
    "in place: sigmoid_": () => inPlace((y) => y.sigmoid_(), 1, -2),
  };
}

async function complaint(got: Tensor | null | undefined, want: Stored): Promise<string> {
  if (!got) return "got nothing";
  if (got.dtype !== want.dtype || String(got.shape) !== String(want.shape)) return `got ${got.dtype} [${got.shape}], expected ${want.dtype} [${want.shape}]`;
  const mismatch = worstMismatch(await got.data(), want.values.map(number));
  return mismatch ? describeMismatch(mismatch) : "";
}

for (const device of devices) {
  test(`conventions are PyTorch's [${device.kind}]`, async (t) => {
    const ours = programs(device);
    t.deepEqual(Object.keys(ours), [...expected.keys()], "the same programs");
    for (const [name, program] of Object.entries(ours)) {
      const got = [program()].flat(), want = [expected.get(name) ?? []].flat();
      const found = await Promise.all(want.map((stored, i) => complaint(got[i], stored)));
      t.deepEqual(found.filter((text) => text !== ""), [], name);
    }
  });

  test(`options in place of any optional tail [${device.kind}]`, async (t) => {
    const x = tensor([[1, 2, 4]], { device });
    t.deepEqual(x.sum(1, { keepdim: false }).shape, [1], "an options object is not taken for true");
    t.deepEqual([x.sum({ dim: 1, keepdim: true }).shape, x.argmax({ dim: 1 }).shape, x.norm({ dim: 1 }).shape], [[1, 1], [1], [1]]);
    t.deepEqual(await x.clamp({ min: 2 }).tolist(), [[2, 2, 4]]);
    t.deepEqual([cat([x, x], { dim: 1 }).shape, randint(3, [2, 2]).shape], [[1, 6], [2, 2]]);
    const leaf = tensor(2, { device, requiresGrad: true }), y = leaf.mul(leaf);
    y.backward({ retainGraph: true });
    y.backward(null, true);
    y.backward();
    t.equal(await leaf.grad?.item(), 12, "retainGraph by name and by place");
  });

  test(`what would be wrong in silence is a sentence [${device.kind}]`, async (t) => {
    const w = () => tensor([1, 2], { device, requiresGrad: true });
    const base = () => w().mul(2);
    const refused: [string, () => unknown, RegExp][] = [
      ["a base whose view changed", () => { const y = base(); y.view(2, 1).mul_(3); return y.sum(); }, /another view of its memory/],
      ["a view whose base changed", () => { const y = base(), v = y.view(2, 1); y.mul_(3); return v.sum(); }, /another view of its memory/],
      ["backward from a stale scalar", () => { const y = w().sum(), v = y.view(1); v.mul_(3); y.backward(); }, /another view of its memory/],
      ["a buffer whose view took a gradient", () => { const b = zeros(2, { device }); b.view(2, 1).add_(w().view(2, 1)); return b.sum(); }, /another view/],
      ["a leaf changed through its view", () => w().view(2, 1).add_(1), /view of a leaf/],
      ["an expanded tensor changed in place", () => zeros(1, { device }).expand(3).add_(1), /share one place/],
      ["a fraction into int32", () => tensor(Int32Array.of(1), { device }).add_(1.5), /float32, which a int32 tensor cannot hold/],
      ["a cotangent of integers", () => base().backward(tensor(Int32Array.of(1, 1), { device })), /dtype int32; expected float32/],
      ["a grad of integers", () => { w().grad = tensor(Int32Array.of(1, 1), { device }); }, /dtype int32/],
      ["a slice from 0.5 on", () => zeros(3, { device }).slice(0, 0.5), /start 0.5/],
      ["an expansion to 1.5", () => zeros(1, { device }).expand(1.5), /1.5/],
      ["3e9 as int32", () => tensor([3e9], { dtype: "int32", device }), /3000000000 .* expected numbers from -2147483648/],
      ["NaN as int32", () => tensor([NaN], { dtype: "int32", device }), /NaN/],
      ["null among the values", () => tensor(JSON.parse("[1, null]"), { device }), /null among the values/],
      ["a label past the classes", () => oneHot(tensor(Int32Array.of(5), { device }), 3).data(), /5/],
      ["clamp without a limit", () => zeros(1, { device }).clamp(), /neither min nor max/],
      ["int32 to a negative power", () => tensor(Int32Array.of(2), { device }).pow(-1), /exponent -1/],
    ];
    for (const [what, call, says] of refused) {
      let message = "it went well";
      try {
        await call();
      } catch (error) {
        message = error instanceof Error ? error.message : String(error);
        if (!(error instanceof ArgumentError) && what !== "a label past the classes") message = `no ArgumentError: ${message}`;
      }
      t.ok(says.test(message), `${what}: ${message}`);
    }
    const h = new nn.Linear(2, 2).to(device)(zeros(1, 3, 2, { device })); // a reshaped product: a view that nobody else looks at
    h.add_(1).sum().backward();
    noGrad(() => w().view(2, 1).add_(1));
    t.pass("a residual sum on a layer's output, and a leaf's view under noGrad, may change in place");
  });
}

test.onFinish(() => void closeDevices(devices));
