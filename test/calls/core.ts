// athanor itself: tensors, randomness, memory, devices, files
import { readFileSync } from "node:fs";
import { encodeSafetensors, tensor, zeros } from "../../index.js";
import * as functions from "../../engine/tensor/functions.js";
import { type Row, type Rows, errorClass } from "./cases.js";
import { functional } from "./functional.js";
import { tensorFor, tensorMethods } from "./methods.js";

const also = { dtype: "int32" };
const x = () => tensor([[0.5, -1, 2], [1, 0.25, -0.5]]);
const sizes = (options: Record<string, unknown>): Row => () => ({ needed: [[2, 3]], also: options, names: ["size"] });
const like = (...value: [name: string, value: unknown][]): Row => () => ({ needed: [x(), ...value.map(([, given]) => given)], also, names: ["input", ...value.map(([name]) => name)] });
const nothing: Row = () => ({ needed: [] });
const bytes = await encodeSafetensors({ x: x() });
const fixtures = new URL("../fixtures/", import.meta.url);
/** A state dict of PyTorch's. */
const pytorchFile = () => new URL("weights/small-legacy.pth", fixtures);
const pytorchBytes = () => new Uint8Array(readFileSync(pytorchFile()));
const file: Row = () => ({ needed: [pytorchFile()], rest: ["cpu"], names: ["path", "device"], silent: "tensors go to the CPU in any case" });
const errors = [
  "ArgumentError", "AthanorError", "DeviceLimitError", "DeviceLostError", "DeviceUnavailableError", "IndexError", "OutOfMemoryError", "PyTorchFileError", "SafetensorsError",
];

/** A method's row with the tensor in front. */
function asFunction(name: string): Row {
  const row = tensorMethods[name];
  if (typeof row !== "function") throw new Error(`test/calls/methods.ts has no row of ${name}`);
  return () => {
    const { needed, names, ...others } = row();
    return { needed: [tensorFor(name), ...needed], ...(names && { names: ["input", ...names] }), ...(name === "flatten" && { silent: "a matrix has no other dimensions to keep" }), ...others };
  };
}

export const core: Rows = {
  ...Object.fromEntries(Object.keys(functions).map((name) => [name, asFunction(name)])),
  pad: functional.pad ?? nothing,
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
  tidy: () => ({ needed: [() => zeros(2)] }),
  keep: () => ({ needed: [x()] }),
  noGrad: () => ({ needed: [() => x()] }),
  isGradEnabled: nothing,
  manualSeed: () => ({ needed: [3], names: ["seed"] }),
  getRandomState: nothing,
  setRandomState: () => ({ needed: [{ seed: 1, stream: 2 }], names: ["newState"] }),
  memory: { notCalled: "how much is held changes from call to call; refusals are tried in arguments.test.ts" },
  profile: { notCalled: "the times that it finds change from call to call; refusals are tried in profile.test.ts" },
  resetPeakMemory: nothing,
  setCollectionThreshold: () => ({ needed: [64 * 2 ** 20, 512], names: ["bytes", "tensors"] }),
  isAvailable: () => ({ needed: ["cpu"], also: { allowSoftware: false }, names: ["kind"], silent: "software adapters are WebGPU's" }),
  openDevice: () => ({ needed: ["cpu"], also: { allowSoftware: true }, names: ["kind"], silent: "software adapters are WebGPU's" }),
  registerDevice: { notCalled: "a kind stays registered; refusals are tried in register-device.test.ts" },
  deviceKinds: nothing,
  setPrintoptions: () => ({ needed: [], rest: [4, 1000, 3, 80, "default", null], names: ["precision", "threshold", "edgeitems", "linewidth", "profile", "sciMode"], silent: "seen in what is printed" }),
  load: file,
  loadWithMetadata: file,
  loadPyTorch: file,
  save: { notCalled: "its order of arguments is its own; refusals are tried in arguments.test.ts" },
  encodeSafetensors: () => ({ needed: [{ x: x() }], rest: [{ made: "today" }], names: ["tensors", "metadata"] }),
  decodeSafetensors: () => ({ needed: [bytes], rest: ["a file"], names: ["bytes", "source"], silent: "the source's name is for sentences" }),
  decodePyTorch: () => ({ needed: [pytorchBytes()], rest: ["a file"], names: ["bytes", "source"], silent: "the source's name is for sentences" }),
  ...Object.fromEntries(errors.map((name) => [name, errorClass])),
};

const called = { notCalled: "what devices are made with, and the engine's own, checks nothing a second time" };
export const kernelsRoom: Rows = { cast: called, elementwiseKernels: called, philoxWords: called };
