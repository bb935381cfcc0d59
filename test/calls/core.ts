// athanor itself: tensors, randomness, memory, devices, files
import { tensor, zeros } from "../../index.js";
import { type Row, type Rows, abstractClass, errorClass } from "./cases.js";

const also = { dtype: "int32" };
const x = () => tensor([[0.5, -1, 2], [1, 0.25, -0.5]]);
const sizes = (options: Record<string, unknown>): Row => () => ({ needed: [[2, 3]], also: options, names: ["size"] });
const like = (...value: [name: string, value: unknown][]): Row => () => ({ needed: [x(), ...value.map(([, given]) => given)], also, names: ["input", ...value.map(([name]) => name)] });
const nothing: Row = () => ({ needed: [], names: [] });

export const core: Rows = {
  Tensor: { notCalled: "made by tensor(), zeros() … and by operations" },
  tensor: () => ({ needed: [[1, 0, 1, 1]], also: { shape: [2, 2], ...also }, names: ["data"] }),
  zeros: sizes(also),
  ones: sizes(also),
  empty: { notCalled: "its values are whatever memory held; the reader is that of zeros" },
  rand: sizes({ requiresGrad: true }),
  randn: sizes({ requiresGrad: true }),
  full: () => ({ needed: [[2, 3], 4], also, names: ["size", "fillValue"] }),
  zerosLike: like(),
  onesLike: like(),
  fullLike: like(["fillValue", 4]),
  arange: () => ({ needed: [1, 9], rest: [2], also: { dtype: "float32" }, names: ["start", "end", "step"] }),
  linspace: () => ({ needed: [0, 4, 5], also, names: ["start", "end", "steps"] }),
  eye: () => ({ needed: [2], rest: [3], also, names: ["n", "m"] }),
  randint: () => ({ needed: [2, 9, [2, 3]], also: { dtype: "float32" }, names: ["low", "high", "size"] }),
  randperm: () => ({ needed: [5], also: { dtype: "float32" }, names: ["n"] }),
  cat: () => ({ needed: [[x(), x()]], rest: [1], names: ["tensors", "dim"] }),
  stack: () => ({ needed: [[x(), x()]], rest: [1], names: ["tensors", "dim"] }),
  where: () => ({ needed: [x().gt(0), x(), 7], names: ["condition", "input", "other"] }),
  oneHot: () => ({ needed: [tensor([2, 0], { dtype: "int32" })], rest: [5], names: ["input", "numClasses"] }),
  tidy: () => ({ needed: [() => zeros(2)], names: ["fn"] }),
  keep: () => ({ needed: [x()], names: ["tensor"] }),
  noGrad: () => ({ needed: [() => x()], names: ["fn"] }),
  isGradEnabled: nothing,
  manualSeed: () => ({ needed: [3], names: ["seed"] }),
};
void abstractClass;
void errorClass;
