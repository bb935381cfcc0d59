// Recurrent layers and cells: values, last states and all gradients are PyTorch's on every device, whatever the layers, directions and layout;
// and what fixtures cannot say: fused steps against their composites, dropout, memory, and the sentences for wrong calls.
import test from "tape";
import { type Device, type Tensor, manualSeed, memory, nn, noGrad, ones, optim, randn, zeros } from "../index.js";
import { ofRow } from "../engine/tensor/core.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { complaint, complaints } from "./support/fixtureRows.js";
import { readFixtures } from "./support/fixtureFiles.js";
import { type Answers, type Stored, backwardFrom } from "./support/fixtures.js";
import { worstMismatch } from "./support/tolerance.js";

const { RNN, LSTM, GRU, RNNCell, LSTMCell, GRUCell } = nn;
const layers = { RNN, LSTM, GRU, RNNCell, LSTMCell, GRUCell };

interface RecurrentRow extends Answers {
  readonly layer: keyof typeof layers;
  readonly arguments: readonly [number, number, nn.RNNOptions];
  /** PyTorch's print(module). */
  readonly text: string;
  readonly state: Readonly<Record<string, Stored>>;
  readonly stateGrads: Readonly<Record<string, Stored | null>>;
}

const fixtures = readFixtures<RecurrentRow>("recurrent");
let devices: Device[] = [];

function build(row: RecurrentRow, device: Device): nn.Module {
  const module = new layers[row.layer](...row.arguments).to(device);
  module.loadStateDict(Object.fromEntries(Object.entries(row.state).map(([name, stored]) => [name, fixtures.tensor(stored)])));
  return module;
}

/** output; [output, hn]; [output, [hn, cn]] or [h, c] as one list. */
function flat(result: unknown): Tensor[] {
  return Array.isArray(result) ? result.flatMap(flat) : [result as Tensor];
}

async function checkRow(row: RecurrentRow, device: Device): Promise<string> {
  const module = build(row, device), { leaves } = fixtures.inputs(row, device);
  const [x, ...states] = leaves;
  const initial = states.length === 0 ? [] : [row.layer.startsWith("LSTM") ? states : states[0]];
  const outputs = flat(Reflect.apply(module, undefined, [x, ...initial]));
  backwardFrom(outputs, row.cotangents.map((stored) => stored && fixtures.tensor(stored, device)));
  const parameters = new Map(module.namedParameters()), none = () => 0;
  return complaints([
    ...row.outputs.map((want, i) => complaint(fixtures, `output ${i}`, outputs[i], want, none)),
    ...row.grads.map((want, i) => complaint(fixtures, `gradient of input ${i}`, leaves[i]?.grad, want, none)),
    ...Object.entries(row.stateGrads).map(([name, want]) => complaint(fixtures, `gradient of ${name}`, parameters.get(name)?.grad, want, none)),
  ]);
}

test("values and gradients are PyTorch's", async (t) => {
  devices = await openDevices();
  for (const row of fixtures.rows) {
    const start = row.inputs.length > 1 ? " from a state" : "";
    const name = `${row.layer}(${JSON.stringify(row.arguments).slice(1, -1)}) of [${row.inputs[0]?.shape}]${start}`;
    for (const device of devices) t.equal(await checkRow(row, device), "", `${name} on ${device.kind}`);
  }
});

test("names, shapes and text are PyTorch's", (t) => {
  for (const row of fixtures.rows) {
    const module = new layers[row.layer](...row.arguments);
    type Named = readonly [string, { readonly shape: readonly number[] }];
    const shapes = (entries: readonly Named[]) => entries.map(([name, { shape }]) => [name, shape]);
    t.deepEqual(shapes(module.namedParameters()), shapes(Object.entries(row.state)));
    t.equal(String(module), row.text);
  }
  t.end();
});

test("positional arguments and options mean the same", (t) => {
  const options = { numLayers: 2, bias: false, batchFirst: true, dropout: 0.5, bidirectional: true };
  t.equal(String(new nn.LSTM(3, 4, 2, false, true, 0.5, true)), String(new nn.LSTM(3, 4, options)));
  t.equal(String(new nn.RNN(3, 4, 2, "relu", false)), String(new nn.RNN(3, 4, 2, { nonlinearity: "relu", bias: false })));
  t.equal(String(new nn.RNNCell(3, 4, true, "relu")), "RNNCell(3, 4, nonlinearity=relu)");
  t.end();
});

test("initial parameters are uniform within ±1/√hiddenSize", async (t) => {
  manualSeed(0);
  for (const parameter of new nn.GRU(20, 25).parameters()) {
    const values = await parameter.data(), largest = Math.max(...Array.from(values, Math.abs));
    t.ok(largest <= 0.2 && largest > 0.18, `largest magnitude ${largest.toFixed(3)} of [${parameter.shape}]`);
  }
});

type Step = (a: Tensor, b: Tensor, c: Tensor, d: Tensor) => Tensor;
const composites: readonly (readonly [row: string, inputs: number, composite: Step])[] = [
  ["lstmCell", 4, (i, f, g, c) => f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()))],
  ["lstmHidden", 2, (o, c) => o.sigmoid().mul(c.tanh())],
  ["gruCandidate", 3, (r, xn, hn) => xn.add(r.sigmoid().mul(hn)).tanh()],
  ["gruHidden", 3, (z, n, h) => z.sigmoid().rsub(1).mul(n).add(z.sigmoid().mul(h))],
];

test("fused steps are their composites of ordinary operations", async (t) => {
  for (const device of devices) {
    for (const [name, inputs, composite] of composites) {
      const fused: Step = (...given) => ofRow(name, given.slice(0, inputs));
      manualSeed(3);
      const values = [0, 1, 2, 3].map(() => randn(17, 33).mul(3)), cotangent = randn(17, 33).to(device);
      const [found, wanted] = await Promise.all([fused, composite].map(async (step) => {
        const [a, b, c, d] = values.map((value) => value.clone().to(device).requiresGrad_());
        if (!a || !b || !c || !d) throw new Error("four operands");
        const output = step(a, b, c, d);
        output.backward(cotangent);
        return Promise.all([output, ...[a, b, c, d].flatMap((leaf) => leaf.grad ?? [])].map((tensor) => tensor.data()));
      }));
      t.equal(found?.length, wanted?.length, `${name} on ${device.kind}: as many gradients`);
      wanted?.forEach((want, i) => {
        t.equal(worstMismatch(found?.[i] ?? [], want), null, `${name} on ${device.kind}: ${i === 0 ? "value" : `gradient ${i - 1}`}`);
      });
    }
  }
});

test("dropout stands between the layers, in training only", async (t) => {
  for (const device of devices) {
    manualSeed(1);
    const x = randn(4, 2, 3).to(device);
    const [once, twice] = [1, 2].map((numLayers) => new nn.LSTM(3, 8, { numLayers, dropout: 0.5 }).to(device));
    if (!once || !twice) throw new Error("two networks");
    const read = async (net: nn.LSTM) => (await net(x)[0].data()).join();
    t.notEqual(await read(twice), await read(twice), `${device.kind}: two masks differ`);
    t.equal(await read(once), await read(once), `${device.kind}: the last layer's output is left alone`);
    twice.eval();
    t.equal(await read(twice), await read(twice), `${device.kind}: nothing is dropped in evaluation`);
  }
});

test("a forward leaves nothing behind but its results", (t) => {
  for (const device of devices) {
    const layer = new nn.GRU(3, 5, { numLayers: 2, bidirectional: true }).to(device), x = ones(6, 2, 3).to(device);
    const before = memory(device).liveTensors;
    const [output, hn] = noGrad(() => layer(x));
    t.equal(memory(device).liveTensors - before, 2, `${device.kind}: output and hn`);
    output.dispose();
    hn.dispose();
    const [trained] = layer(x);
    trained.sum().backward();
    t.ok(layer.parameters().every((parameter) => parameter.grad !== null), `${device.kind}: the tape outlives the handles`);
  }
  t.end();
});

test("an LSTM learns to answer with the first element of its sequence", async (t) => {
  for (const device of devices.filter(({ kind }) => kind !== "reference")) {
    manualSeed(2);
    const layer = new nn.LSTM(1, 8, { batchFirst: true }).to(device), head = new nn.Linear(8, 1).to(device);
    const optimizer = new optim.Adam([...layer.parameters(), ...head.parameters()], { lr: 0.02 });
    const x = randn(16, 5, 1).to(device), wanted = x.select(1, 0);
    const losses: number[] = [];
    for (let step = 0; step < 60; step++) {
      const loss = nn.functional.mseLoss(head(layer(x)[0].select(1, -1)), wanted);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      losses.push(await loss.item());
    }
    const [first = NaN] = losses, last = losses.at(-1) ?? NaN;
    t.ok(last < first / 5, `${device.kind}: the loss falls from ${first.toFixed(3)} to ${last.toFixed(3)}`);
  }
});

test("a wrong call is a sentence", (t) => {
  const lstm = new nn.LSTM(4, 5, { numLayers: 2 });
  const rows: [string, () => unknown, RegExp][] = [
    ["features", () => lstm(ones(3, 2, 5)),
      /LSTM: got an input of shape \[3, 2, 5\]; expected \[L, N, in\], or \[L, in\] without a batch, with in = 4/],
    ["dimensions", () => lstm(ones(4)), /got an input of shape \[4\]/],
    ["no steps", () => lstm(zeros(0, 2, 4)), /expected a sequence of at least one step/],
    ["h0", () => lstm(ones(3, 2, 4), [zeros(1, 2, 5), zeros(2, 2, 5)]), /got shape \[1, 2, 5\] for h0; expected \[2, 2, 5\]: \[D·numLayers, N, H\]/],
    ["c0", () => lstm(ones(3, 4), [zeros(2, 5), zeros(2, 2, 5)]), /got shape \[2, 2, 5\] for c0; expected \[2, 5\]: \[D·numLayers, H\]/],
    ["layers", () => new nn.GRU(4, 5, 0), /GRU: got numLayers 0; expected a whole number of at least 1/],
    ["hidden size", () => new nn.GRU(4, 0), /GRU: got hiddenSize 0/],
    ["dropout", () => new nn.GRU(4, 5, { dropout: 2 }), /GRU: got dropout 2; expected a number from 0 to 1/],
    ["nonlinearity", () => Reflect.construct(nn.RNN, [4, 5, 1, "gelu"]), /RNN: got nonlinearity "gelu"; expected "tanh" or "relu"/],
    ["a misspelt option", () => Reflect.construct(nn.LSTM, [4, 5, { layers: 2 }]), /got the option "layers"; expected one of numLayers/],
    ["a cell's input", () => new nn.GRUCell(4, 5)(ones(3, 2, 4)), /GRUCell: got an input of shape \[3, 2, 4\]; expected \[N, in\]/],
    ["a cell's state", () => new nn.LSTMCell(4, 5)(ones(2, 4), [zeros(2, 5), zeros(5)]), /LSTMCell: got a state of shape \[5\]; expected \[2, 5\]/],
    ["an LSTM's state without a list", () => Reflect.apply(new nn.LSTMCell(3, 2), null, [ones(2, 3), ones(2, 2)]), /LSTMCell: got a Tensor as the initial state; expected a list of two tensors/],
    ["a GRU's state in a list", () => Reflect.apply(new nn.GRU(3, 2), null, [ones(4, 2, 3), [ones(1, 2, 2)]]), /GRU: got \[a Tensor\] as the initial state; expected a tensor/],
    ["a state of numbers", () => Reflect.apply(new nn.LSTM(3, 2), null, [ones(4, 2, 3), [1, 2]]), /LSTM: got \[1, 2\] as the initial state/],
    ["a state that is a number", () => Reflect.apply(new nn.RNNCell(3, 2), null, [ones(2, 3), 1]), /RNNCell: got 1 as the initial state; expected a tensor/],
    ["pieces of a split", () => ones(5).split([7, -2]), /split: got sizes \[7, -2\]/],
  ];
  for (const [name, wrong, sentence] of rows) t.throws(wrong, sentence, name);
  t.end();
});

test("the devices close", async (t) => {
  await closeDevices(devices);
  t.pass("closed");
});
