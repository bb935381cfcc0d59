// States at their edges: what a checkpoint would lose, confuse or not read again is refused when it is saved; a state dict of another optimizer is
// refused when it is loaded; a block without recording does not let what it was given run outside of it.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "tape";
import { decodeSafetensors, encodeSafetensors, nn, noGrad, ones, optim, tensor, tidy, zeros } from "../index.js";
import { Checkpoint } from "../training/index.js";
import { checkRefusals, type RefusedCall } from "./support/refusal.js";

const holder = (state: unknown) => ({ state, stateDict() { return this.state; }, loadStateDict(given: unknown) { this.state = given; } });

test("Checkpoint: a state that could not be read again is refused, names that look alike are kept apart", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-states-"));
  const endless: Record<string, unknown> = {}, hole = new Array<number>(3).fill(1);
  endless["self"] = endless;
  Reflect.deleteProperty(hole, "1");
  const saved = (state: unknown, epoch = 1) => () => new Checkpoint(folder, { part: holder(state) }).save(epoch);
  await checkRefusals(t, [
    ["a state that holds itself", saved(endless), /Checkpoint: got a state nested more than 900 deep at part\.self\.self.*does it hold itself/],
    ["a list with a hole", saved(hole), /got a value of type undefined at part\.1/],
    ["the mark of a tensor", saved({ a: { $tensor: "x" } }), /got the key \$tensor at part\.a; expected another name/],
    ["the mark of a number", saved({ $number: "5" }), /got the key \$number at part;/],
    ["an epoch past counting", saved({}, 1e300), /Checkpoint\.save: got epoch 1e\+300/],
  ] satisfies RefusedCall[]);
  const part = holder({ "a.b": tensor([1]), a: { b: tensor([2]), "": 3 } }), checkpoint = new Checkpoint(folder, { part }), path = await checkpoint.save(1);
  await checkpoint.load(path);
  const state = part.state as { "a.b": typeof zeros1; a: { b: typeof zeros1 } };
  t.deepEqual([await state["a.b"].tolist(), await state.a.b.tolist()], [[1], [2]], "a.b is not a: { b }");
  const { tensors, metadata } = decodeSafetensors(await readFile(path)), key = Object.keys(metadata).find((name) => name.endsWith(".part.part")) ?? "";
  await writeFile(path, await encodeSafetensors(tensors, { ...metadata, [key]: "[".repeat(50_000) + "]".repeat(50_000) }));
  await checkRefusals(t, [["lists 50,000 deep in a file", () => checkpoint.load(path), /holds text nested more than 900 deep; the file is damaged/]]);
  await rm(folder, { recursive: true });
});
const zeros1 = zeros(1);

test("an optimizer refuses another's state, whose names it does not keep", async (t) => {
  const stepped = <Made extends optim.Optimizer>(make: (parameters: nn.Parameter[]) => Made): Made => {
    const model = new nn.Linear(2, 1), optimizer = make(model.parameters());
    model(ones(1, 2)).sum().backward();
    optimizer.step();
    return optimizer;
  };
  const sgd = stepped((parameters) => new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 })), adam = stepped((parameters) => new optim.Adam(parameters));
  await checkRefusals(t, [
    ["SGD's by Adam", () => adam.loadStateDict(sgd.stateDict()), /optim\.Adam: got a state dict of another optimizer: its parameters keep momentum_buffer, this one's exp_avg, exp_avg_sq\. Nothing was loaded/],
    ["Adam's by SGD", () => sgd.loadStateDict(adam.stateDict()), /optim\.SGD: got a state dict of another optimizer/],
    ["SGD's by RMSprop", () => stepped((parameters) => new optim.RMSprop(parameters)).loadStateDict(sgd.stateDict()), /optim\.RMSprop: got a state dict of another/],
  ]);
  const before = await Promise.all(Object.values(adam.stateDict().state[0]?.tensors ?? {}).map((kept) => kept.tolist()));
  const adamW = stepped((parameters) => new optim.AdamW(parameters));
  adamW.loadStateDict(adam.stateDict());
  t.deepEqual(await Promise.all(Object.values(adamW.stateDict().state[0]?.tensors ?? {}).map((kept) => kept.tolist())), before, "Adam's moments are AdamW's");
  const plain = stepped((parameters) => new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 }));
  plain.paramGroups[0].momentum = 0;
  plain.loadStateDict(plain.stateDict());
  t.equal(plain.paramGroups[0].momentum, 0, "its own, after momentum was turned off");
});

test("a generator's body would run outside the block that it is given to", async (t) => {
  await checkRefusals(t, [
    ["noGrad", () => noGrad(function* () { yield 1; }), /noGrad: got a generator function, whose body runs when it is walked/],
    ["noGrad of an async one", () => noGrad(async function* () { yield await Promise.resolve(1); }), /noGrad: got a generator function/],
    ["tidy", () => tidy(function* () { yield 1; }), /tidy: got a generator function/],
  ]);
});
