// Athanor: tensors, autograd and neural networks on any GPU (WebGPU) and on the CPU (WebAssembly SIMD), in PyTorch's API.
export * from "./engine/index.js";
export { load, loadPyTorch, loadWithMetadata, save, type FilePath, type LoadOptions, type Saveable, type SaveableValue } from "./engine/files.js";
export { decodeSafetensors, encodeSafetensors, SafetensorsError, type SafetensorsContents } from "./engine/safetensors.js";
export { decodePyTorch, PyTorchFileError, type PyTorchValue } from "./engine/pytorch.js";
export * as nn from "./nn/index.js";
export * as optim from "./optim/index.js";
export * as data from "./data/index.js";
export * as training from "./training/index.js";
