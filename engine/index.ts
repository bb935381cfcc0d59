// The engine's public face.
export { Tensor } from "./tensor/tensor.js";
export { tidy, keep } from "./tensor/tidy.js";
export type { NestedInput, NestedNumbers } from "./tensor/nested.js";
export {
  arange, empty, eye, full, fullLike, linspace, ones, onesLike, rand, randint, randn, randperm, tensor, zeros, zerosLike,
  type ShapedOptions, type TensorOptions,
} from "./factories.js";
export { bool, float, float32, int, int32, int64, long, uint8 } from "./dtype.js";
export { where } from "./tensor/arithmetic.js";
export { cat, stack } from "./tensor/joining.js";
export { oneHot } from "./tensor/oneHot.js";
export * from "./tensor/functions.js";
export { isGradEnabled, noGrad } from "./gradMode.js";
export { getRandomState, manualSeed, setRandomState, type RandomState } from "./random.js";
export { memory, resetPeakMemory, setCollectionThreshold, type MemoryReport } from "./memory.js";
export { type DeviceTarget, type OpenDeviceOptions, isAvailable, openDevice } from "./device.js";
export type { DeviceOpener } from "./deviceKinds.js";
export { deviceKinds, registerDevice } from "./registerDevice.js";
export { type Profile, type ProfileRow, profile } from "./profile/profile.js";
export { type PrintOptions, setPrintoptions } from "./text/options.js";
export * from "../kernels/errors.js";
export type { Device, DeviceBuffer, DeviceCounters, DeviceKind, DType, HostArray, Kernels, RandomKey, Shape, View } from "../kernels/types.js";
