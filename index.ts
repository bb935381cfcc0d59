// Athanor: tensors, autograd and neural networks on any GPU (WebGPU) and on the CPU (WebAssembly SIMD), in PyTorch's API.
export * from "./engine/index.js";
export * from "./serialization/index.js";
export { pad } from "./nn/functional/padding.js";
export * as nn from "./nn/index.js";
export * as optim from "./optim/index.js";
export * as data from "./data/index.js";
export * as training from "./training/index.js";
