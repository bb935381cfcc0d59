// The methods of a tensor, of a module and of an optimizer, as rows.
import { type Tensor, nn, optim, tensor } from "../../index.js";
import { type ElementwiseRow, elementwiseRows } from "../../kernels/elementwise.js";
import type { CallCase, Row, Rows } from "./cases.js";

const x = () => tensor([[0.5, -1, 2], [1, 0.25, -0.5]]), mask = () => x().gt(0), index = () => tensor([[1, 0]], { dtype: "int32" });
type Values = [name: string, value: unknown][];
const row = (needed: Values, rest: Values = [], also?: Record<string, unknown>): Row => (): CallCase => ({
  needed: needed.map(([, value]) => value), rest: rest.map(([, value]) => value), names: [...needed, ...rest].map(([name]) => name), ...(also && { also }),
});
const nothing = row([]);
/** Sizes one by one, as a list, by name. */
const sizes = (name: string, ...values: number[]): Row => row([[name, values]]);
const keepdim: Values[number] = ["keepdim", true], dim: Values[number] = ["dim", 1];
const reduction = row([], [["dim", [0, 1]], keepdim]), place = row([], [dim, keepdim]), along = row([dim], [keepdim]);
const operand = row([["other", 3]]), factor = (): Row => row([["other", x()]]), spread = row([], [dim, ["unbiased", false], keepdim], { correction: null });
const scaled = row([["other", 3]], [], { alpha: 0.5 }), clamp = row([], [["min", -1], ["max", 1]]), leaky = row([], [["negativeSlope", 0.5]]);
const divided = row([["other", 3]], [], { roundingMode: "floor" }), filled = row([["mask", mask()], ["value", 3]]);
const each = (names: string, made: Row): Rows => Object.fromEntries(names.split(" ").map((name) => [name, made]));

/** What the method of a row takes. */
function elementwiseCall({ inputs, kind, method }: ElementwiseRow): Row {
  const others: Values = inputs === 1 ? [] : [["other", kind === "logic" ? x() : 3]];
  return row(others, Object.entries(method?.parameters ?? {}).map(([name, initial]) => [name, initial + 0.5]));
}

/** The tensor whose method is called, where it is not x(). */
const tensors: Readonly<Record<string, () => Tensor>> = {
  matmul: () => tensor([[1, 2], [3, 4]]), mm: () => tensor([[1, 2], [3, 4]]), bmm: () => tensor([[[1, 2], [3, 4]]]), squeeze: () => x().reshape(2, 1, 3, 1), item: () => tensor(3),
  backward: () => new nn.Parameter(x()), retainGrad: () => new nn.Parameter(x()).mul(2), dataSync: x,
};
export const tensorFor = (method: string): Tensor => (tensors[method] ?? x)();

export const tensorMethods: Rows = {
  ...each("dim numel retainGrad detach clone dataSync item tolist cpu contiguous t diag float int bool", nothing),
  ...Object.fromEntries([...elementwiseRows.values()].flatMap((one) => (one.method === null ? [] : [[one.name, elementwiseCall(one)]]))),
  ...each("neg_ abs_ sqrt_ exp_ log_ relu_ sigmoid_ tanh_ silu_ zero_", nothing),
  ...each("sum mean prod any all amax amin", reduction), ...each("argmax argmin", place), ...each("max min", along), ...each("var std", spread),
  ...each("softmax logSoftmax", row([dim])), ...each("mul mul_", operand), ...each("rsub rdiv", row([["other", 2]])),
  ...each("matmul mm expandAs", factor()), ...each("add sub add_ sub_", scaled), ...each("div div_", divided),
  ...each("clamp clamp_", clamp), leakyRelu_: leaky, ...each("maskedFill maskedFill_", filled), ...each("pow pow_", row([["exponent", 2]])),
  ...each("view expand", sizes("size", 2, 3)), bmm: row([["other", x().unsqueeze(0)]]), gather: row([dim, ["index", index()]]), indexSelect: row([dim, ["index", index().flatten()]]), ...each("unbind", row([], [["dim", 1]])),
  size: row([], [["dim", 1]]),
  requiresGrad_: row([], [["requiresGrad", false]]),
  backward: row([], [["gradient", x()], ["retainGraph", true]]),
  to: row([], [["device", "cpu"], ["dtype", "int32"]]),
  reshape: sizes("shape", 3, 2),
  permute: sizes("dims", 1, 0),
  repeat: sizes("repeats", 2, 2),
  transpose: row([["dim0", 0], ["dim1", 1]]),
  flatten: row([], [["startDim", 0], ["endDim", 1]]),
  unflatten: row([dim, ["sizes", [3, 1]]]),
  squeeze: row([], [dim]),
  unsqueeze: row([dim]),
  narrow: row([dim, ["start", 1], ["length", 2]]),
  slice: row([dim], [["start", 1], ["end", 3], ["step", 2]]),
  select: row([dim, ["index", 2]]),
  split: row([["splitSize", [1, 2]]], [dim]),
  chunk: row([["chunks", 2]], [dim]),
  pad: row([["pads", [1, 2]]], [["value", 3]]),
  type: row([["dtype", "int32"]]),
  gelu: row([], [["approximate", "tanh"]]),
  where: row([["condition", mask()], ["other", 3]]),
  norm: row([], [["p", 2], dim, keepdim]),
  copy_: row([["src", x()]]),
  fill_: row([["value", 3]]),
};

const layer = () => new nn.Linear(2, 3);
export const moduleMethods: Rows = {
  ...each("children modules eval cpu stateDict clone", nothing), ...each("namedParameters namedBuffers", row([], [["prefix", "model"], ["recurse", false]])),
  ...each("parameters buffers", row([], [["recurse", false]])),
  namedModules: row([], [["prefix", "model"]]),
  namedChildren: row([], [], { repeated: true }),
  registerBuffer: row([["name", "mask"], ["tensor", x()]], [["persistent", false]], { onHost: true }),
  registerParameter: row([["name", "scale"], ["param", new nn.Parameter(x())]]),
  registerModule: row([["name", "inner"], ["module", layer()]]),
  train: row([], [["mode", false]]),
  apply: row([["fn", () => {}]]),
  to: row([["device", "cpu"]]),
  zeroGrad: row([], [["setToNone", false]]),
  requiresGrad_: row([], [["requiresGrad", false]]),
  loadStateDict: row([["stateDict", layer().stateDict()]], [["strict", false]]),
};
const adam = () => new optim.Adam([new nn.Parameter(x())]), stepLR = () => new optim.StepLR(adam(), 1);
export const optimizerMethods: Rows = { step: row([], [["closure", () => 1]]), stateDict: nothing, loadStateDict: row([["stateDict", adam().stateDict()]]), zeroGrad: row([], [["setToNone", false]]) };
export const schedulerMethods: Rows = { step: row([], [["epoch", 3]]), getLastLr: nothing, stateDict: nothing, loadStateDict: row([["stateDict", stepLR().stateDict()]]) };
export const plateauMethods: Rows = { step: row([["metrics", 0.5]], [["epoch", 3]]), stateDict: nothing };
