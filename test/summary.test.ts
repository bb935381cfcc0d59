// nn.summary: output shapes, parameters and multiply-adds as PyTorch's hooks count them, memory by definition, and the model as it was.
import { readFileSync } from "node:fs";
import test from "tape";
import { type Device, nn, openDevice, randn, type Tensor, tensor, zeros } from "../index.js";
import { construct } from "./support/classicRuns.js";

type Call = readonly [path: string, type: string, shape: readonly number[], products: number];
interface Row {
  readonly factory: string;
  readonly input: readonly number[];
  readonly parameters: number;
  readonly calls: readonly Call[];
  readonly stateBytes: number;
}
const rows = JSON.parse(readFileSync(new URL("fixtures/summary.json", import.meta.url), "utf8")) as Row[];

test("shapes, parameters and multiply-adds are PyTorch's", (t) => {
  for (const { factory, input, parameters, calls, stateBytes } of rows) {
    const model = construct(factory, { initialize: false });
    const summary = nn.summary(model, input);
    const leaves = new Set(model.namedModules().filter(([, module]) => module.children().length === 0).map(([path]) => path));
    const found = summary.rows
      .filter(({ path, called }) => called && leaves.has(path))
      .map(({ path, type, outputShapes, multiplyAdds }) => [path, type, outputShapes[0], multiplyAdds]);
    // A block's shortcut is taken first here and last there.
    const sorted = (list: readonly unknown[]) => list.map((call) => JSON.stringify(call)).sort();
    t.deepEqual(sorted(found), sorted(calls), `${factory}: ${calls.length} calls`);
    t.equal(summary.parameters, parameters, `${factory}: ${parameters} parameters`);
    t.equal(summary.multiplyAdds, calls.reduce((sum, call) => sum + call[3], 0), `${factory}: ${summary.multiplyAdds} multiply-adds`);
    t.equal(summary.stateBytes, stateBytes, `${factory}: bytes of the state`);
    t.equal(summary.inputBytes, input.reduce((a, b) => a * b, 4), `${factory}: bytes of the input`);
    const idle = summary.rows.filter(({ called }) => !called).map(({ path }) => path);
    t.deepEqual(idle, factory === "googlenet" ? ["aux1", "aux2"] : [], `${factory}: what evaluation does not call`);
    model.parameters().forEach((parameter) => parameter.dispose());
  }
  t.end();
});

class Tower extends nn.Module {
  blocks = new nn.ModuleList([new nn.Linear(4, 6), new nn.Linear(6, 6)]);
  shared = new nn.Linear(6, 6, false);
  flat = new nn.Flatten();
  twice = new nn.Parameter(zeros(6, 6), false);
  forward(x: Tensor): Tensor {
    let y = this.flat(x);
    for (const block of this.blocks) y = block(y);
    return this.shared(this.shared(y)).matmul(this.twice);
  }
}

test("repeated modules, lists, views and parameters of one's own", (t) => {
  const summary = nn.summary(new Tower(), [3, 2, 2]);
  t.deepEqual(summary.rows.map(({ name, depth, multiplyAdds, outputBytes, repeated }) => [name, depth, multiplyAdds, outputBytes, repeated]), [
    ["", 0, 3 * (24 + 36 + 36 + 36 + 36), 4 * 3 * (6 + 6 + 6 + 6 + 6), false], ["flat", 1, 0, 0, false], ["blocks.0", 1, 72, 72, false],
    ["blocks.1", 1, 108, 72, false], ["shared", 1, 108, 72, false], ["shared", 1, 108, 72, true],
  ], "order, places, products and new memory");
  t.equal(summary.parameters, 30 + 42 + 36 + 36, "a shared layer counts once");
  t.equal(summary.trainableParameters, 30 + 42 + 36, "what requires a gradient");
  t.end();
});

test("the table", (t) => {
  const model = new nn.Sequential(new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.ReLU()), new nn.Flatten(), new nn.Linear(8, 3));
  t.equal(String(nn.summary(model, [1, 1, 4, 4])), `
──────────────────────────────────────────────────────────
Layer              Output shape  Params  Mult-adds  Memory
──────────────────────────────────────────────────────────
Sequential         [1, 3]            47         96    76 B
├─ 0 (Sequential)  [1, 2, 2, 2]      20         72    64 B
│  ├─ 0 (Conv2d)   [1, 2, 2, 2]      20         72    32 B
│  └─ 1 (ReLU)     [1, 2, 2, 2]       –          –    32 B
├─ 1 (Flatten)     [1, 8]             –          –       –
└─ 2 (Linear)      [1, 3]            27         24    12 B
──────────────────────────────────────────────────────────
Parameters: 47, 47 trainable, 0 not
Mult-adds: 96
Memory: input 64 B, activations 76 B, parameters and buffers 188 B, together 328 B
──────────────────────────────────────────────────────────`.slice(1));
  const lines = String(nn.summary(construct("resnet18", { initialize: false }), [1, 3, 32, 32], { depth: 1 })).split("\n");
  t.equal(lines.length, 3 + 11 + 1 + 3 + 1, "depth 1: the model, its ten parts, the totals");
  const googlenet = String(nn.summary(construct("googlenet", { initialize: false }), [1, 3, 32, 32], { depth: 1 }));
  t.match(googlenet, /aux1 \(InceptionAux\) +not called/, "what was not called is named");
  t.end();
});

test("the model is as it was, whatever happens, on every device", async (t) => {
  const devices: Device[] = [await openDevice("cpu"), await openDevice("webgpu")];
  for (const device of devices) {
    const model = construct("resnet18", { numClasses: 3 }).to(device);
    const [norm, second] = model.modules().filter((module) => module instanceof nn.BatchNorm2d);
    second?.eval();
    const before = await Promise.all(model.buffers().map((buffer) => buffer.data()));
    t.equal(nn.summary(model, [1, 3, 32, 32]).rows[0]?.outputShapes.join(), "1,3", `${device.kind}: a summary`);
    t.deepEqual([model.training, norm?.training, second?.training], [true, true, false], `${device.kind}: the modes`);
    t.deepEqual(await Promise.all(model.buffers().map((buffer) => buffer.data())), before, `${device.kind}: the running statistics`);
    t.notOk(model.modules().some((module) => module.hasHooks), `${device.kind}: no hook is left`);
    const sentence = /conv1 \(Conv2d\): conv2d: got/;
    t.throws(() => nn.summary(model, [1, 1, 32, 32]), sentence, `${device.kind}: an input that does not fit is the layer's own sentence`);
    t.deepEqual([model.training, second?.training, model.modules().some((module) => module.hasHooks)], [true, false, false], "and changes nothing");
  }
  for (const device of devices) await device.close();
});

test("several inputs, inputs of one's own, and what is refused", (t) => {
  class Two extends nn.Module {
    forward(a: Tensor, b: Tensor): Tensor {
      return a.matmul(b);
    }
  }
  t.deepEqual(nn.summary(new Two(), [[2, 3], [3, 5]]).rows[0]?.outputShapes, [[2, 5]], "two shapes");
  class Picks extends nn.Module {
    forward(x: Tensor, index: Tensor): { picked: Tensor; all: Tensor } {
      return { picked: x.indexSelect(0, index), all: x };
    }
  }
  const given = [randn(4, 3), tensor(Int32Array.of(1, 2, 3))];
  const [row] = nn.summary(new Picks(), [], { inputs: given }).rows;
  t.deepEqual([row?.outputShapes, row?.outputBytes], [[[3, 3], [4, 3]], 36], "labels for an input, a record for an output");
  t.notOk(given[0]?.disposed, "given inputs stay");
  t.throws(() => nn.summary(new Two(), [2, -3]), /summary: got the input shape \[2,-3\]; expected the shape of a batch/);
  t.throws(() => nn.summary(new Two(), [[]]), /summary: got the input shape \[\[\]\]/);
  t.throws(() => nn.summary(new Two(), [[2, 3], [3, 5]], { dept: 3 } as object), /summary: got the option "dept"; expected one of inputs, depth/);
  t.end();
});
