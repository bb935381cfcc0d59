// Looking at tensors in JavaScript's own ways: brackets, loops, JSON, operators, PyTorch's other names. Each works as in PyTorch, or says what to
// write; what JavaScript would answer by itself (undefined, "[object Promise]1", false) never comes out.
import test from "tape";
import { type Device, type Tensor, nn, noGrad, ones, tensor, zeros } from "../index.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { checkRefusals } from "./support/refusal.js";

const devices = await openDevices();

/** A tensor as JavaScript without types sees it. */
type Loose = Tensor & Record<string, unknown>;
const loose = (x: Tensor): Loose => x as Loose;
const counted = (device: Device) => tensor([[1, 2, 3], [4, 5, 6]], { device });

for (const device of devices) {
  test(`brackets, loops and PyTorch's names [${device.kind}]`, async (t) => {
    const x = counted(device);
    t.deepEqual([await x[0]?.tolist(), await x[-1]?.tolist(), await x[1]?.[2]?.item()], [[1, 2, 3], [4, 5, 6], 6], "x[0], x[-1], x[1][2]");
    t.equal(x.length, 2, "len(x)");
    t.deepEqual(await Promise.all([...x].map((row) => row.tolist())), [[1, 2, 3], [4, 5, 6]], "for row in x");
    const [first, second] = x;
    t.deepEqual([await first?.tolist(), second?.shape], [[1, 2, 3], [3]], "first, second = x");
    t.deepEqual([await x.T.tolist(), ones(2, 3, 4, { device }).mT.shape, ones(2, 3, 4, { device }).T.shape], [[[1, 4], [2, 5], [3, 6]], [2, 4, 3], [4, 3, 2]], "x.T and x.mT");

    const { values, indices } = x.max(1), [v, i] = x.min({ dim: 0, keepdim: true });
    t.deepEqual([await values.tolist(), await indices.tolist()], [[3, 6], [2, 2]], "x.max(1).values and .indices");
    t.deepEqual([await v.tolist(), await i.tolist(), x.min({ dim: 0, keepdim: true }).values.shape], [[[1, 2, 3]], [[0, 0, 0]], [1, 3]], "and as a pair");

    Reflect.set(x, 0, 7);
    x[1] = tensor([1, 2, 3], { device });
    t.deepEqual(await x.tolist(), [[7, 7, 7], [1, 2, 3]], "x[0] = 7, x[1] = tensor");

    const w = ones(2, 3, { device, requiresGrad: true });
    for (const row of w) row.square().sum().backward();
    t.deepEqual(await w.grad?.tolist(), [[2, 2, 2], [2, 2, 2]], "gradients flow through rows");

    const snake = loose(ones(2, { device, requiresGrad: true }));
    t.equal(snake["requires_grad"], true, "p.requires_grad");
    snake["requires_grad"] = false;
    t.equal(snake.requiresGrad, false, "p.requires_grad = False");
    const filled = snake["masked_fill"];
    t.deepEqual(typeof filled === "function" && await Reflect.apply(filled, snake, [snake.gt(0), 3]).tolist(), [3, 3], "x.masked_fill");
    t.equal(snake["then"], undefined, "an awaited tensor is itself");
    snake["note"] = "mine";
    t.equal(snake["note"], "mine", "a property of one's own");
  });

  test(`x.data is the tensor without its history, and reads when called [${device.kind}]`, async (t) => {
    const p = new nn.Parameter(tensor([1, 2], { device }));
    p.data.add_(1);
    p.data.mul_(p.data);
    t.deepEqual([...await p.data()], [4, 9], "p.data.add_(1), and await p.data()");
    t.deepEqual([p.data.requiresGrad, p.data.shape, String(p.data.dtype)], [false, [2], "float32"]);
    Reflect.set(p.data, 0, 5);
    t.deepEqual(await p.data.tolist(), [5, 9], "p.data[0] = 5");
    t.deepEqual(await p.sub(p.data).tolist(), [0, 0], "as an operand");
    t.deepEqual(await nn.functional.linear(ones(1, 2, { device }), p.data.unsqueeze(0)).tolist(), [[14]]);
    const other = tensor([[0.5, 0.5], [1, 1]], { device });
    p.data = other;
    p.square().sum().backward();
    t.deepEqual([p.requiresGrad, p.isLeaf, p.shape, await p.grad?.tolist()], [true, true, [2, 2], [[1, 1], [2, 2]]], "p.data = tensor");
    other.fill_(3);
    t.deepEqual(await p.tolist(), [[3, 3], [3, 3]], "which shares its memory");
    const row: Tensor = p.data;
    t.ok(row instanceof Object.getPrototypeOf(nn.Parameter), "is a Tensor");
    await checkRefusals(t, [
      ["p.data = another dtype", () => { p.data = zeros(2, 2, { device, dtype: "int32" }); }, /data: got int32 for a float32 tensor/],
      ["p.data = another shape under a gradient", () => { p.data = zeros(3, { device }); }, /got shape \[3\] for a tensor of shape \[2, 2\] that has a gradient/],
      ["y.data = …", () => { const y = p.mul(2); y.data = other; }, /only a leaf/],
    ]);
  });

  test(`what JavaScript would answer with nonsense is a sentence [${device.kind}]`, async (t) => {
    const x = loose(counted(device)), one = loose(zeros([], { device })), mask = x.gt(1);
    const value = (text: string, given: object) => Reflect.apply(new Function("x", "mask", `return ${text}`), null, [given, mask]) as unknown;
    const operators = /operators know no tensors; write x\.add\(1\) for x \+ 1/, promise = /gives a promise, .* expected await/;
    await checkRefusals(t, [
      ["x + 1", () => value("x + 1", x), operators],
      ["x > 0", () => value("x > 0", x), operators],
      ["-x", () => value("-x", x), operators],
      ["x == 1", () => value("x == 1", x), operators],
      ["Math.sqrt(x)", () => value("Math.sqrt(x)", x), operators],
      ["x.data -= 1", () => value("x.data -= 1", x), operators],
      ["x.item() > 0", () => value("x.item() > 0", one), promise],
      ["sum + x.item()", () => value("0 + x.item()", one), promise],
      ["`${x.item()}`", () => value("`${x.item()}`", one), promise],
      ["x.item().toFixed(4)", () => value("x.item().toFixed(4)", one), /item: gives a promise, and \.toFixed needs the value; expected await, in parentheses .* \(await x\.item\(\)\)/],
      ["x.tolist()[0]", () => value("x.tolist()[0]", x), promise],
      ["x.data().length", () => value("x.data().length", x), promise],
      ["JSON.stringify(x.item())", () => JSON.stringify({ loss: one.item() }), promise],
      ["x[mask]", () => value("x[mask]", x), /brackets cannot hold a tensor .*maskedFill/],
      ["x[[0, 1]]", () => value("x[[0, 1]]", x), /brackets take one whole number; .*x\.indexSelect/],
      ["x['0:2']", () => value("x['0:2']", x), /x\.slice\(dim, start, end, step\) for a range/],
      ["x[2]", () => x[2], /select: index 2 is outside dimension 0 of shape \[2, 3\]/],
      ["x[0] of a number", () => one[0], /no entries; expected await x\.item\(\)/],
      ["x[0] = 'a'", () => { Reflect.set(x, 0, "a"); }, /got "a"; expected a number or a tensor/],
      ["x[2] = 1", () => { Reflect.set(x, 2, 1); }, /index 2 is outside/],
      ["len of a number", () => one.length, /length: a tensor without dimensions has none/],
      ["for row in a number", () => [...one], /cannot be walked/],
      ["mT of a vector", () => zeros(3, { device }).mT, /at least two dimensions/],
      ["x.numpy()", () => x["numpy"], /x\.numpy: is not there; write await x\.data\(\)/],
      ["x.long()", () => x["long"], /x\.int\(\): integers are int32/],
      ["x.requireGrad = true", () => { x["requireGrad"] = true; }, /a tensor has no requireGrad; did you mean requiresGrad\?/],
    ]);
    t.throws(() => structuredClone(x), /write x\.clone\(\)/, "structuredClone");
    t.equal(await x.sum().item(), 21, "what is awaited is a number");
    t.ok(x.sum().item() instanceof Promise && x.data() instanceof Promise && x instanceof Object, "and what is not is a promise");
    await checkRefusals(t, [["item of six", () => x.item(), /has 6 elements/]]);
  });
}

test("JSON.stringify", async (t) => {
  for (const device of devices) {
    const x = tensor([[1, 2.5], [3, 4]], { device }), mask = tensor([true, false], { device });
    if (device.asynchronous) await checkRefusals(t, [["on a GPU", () => JSON.stringify(x), /JSON\.stringify\(await x\.tolist\(\)\)/]]);
    else t.equal(JSON.stringify({ x, mask }), '{"x":[[1,2.5],[3,4]],"mask":[true,false]}', device.kind);
  }
});

test("a view made of a row is written through", async (t) => {
  const x = zeros(2, 2);
  noGrad(() => x[1]?.add_(1));
  t.deepEqual(await x.tolist(), [[0, 0], [1, 1]]);
});

test.onFinish(() => void closeDevices(devices));
