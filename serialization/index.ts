// Files: tensors and state dicts to safetensors and PyTorch's own format, and back. What the root exports of this folder; the other folders take from
// its files what they need (bytes, checksums, a file written whole or not at all).
export { load, loadPyTorch, loadWithMetadata, save, type LoadOptions, type Saveable, type SaveableValue } from "./files.js";
export type { FilePath } from "./atomicFile.js";
export { decodeSafetensors, encodeSafetensors, SafetensorsError, type SafetensorsContents } from "./safetensors.js";
export { decodePyTorch, PyTorchFileError, type PyTorchValue } from "./pytorch.js";
