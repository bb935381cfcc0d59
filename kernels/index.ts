// athanor/kernels: what a device from outside this library is made with (docs/devices.md). The interface that it has, and the tables that all
// devices compute alike. Nothing here checks its arguments: the engine, which calls a device, has.
export type * from "./types.js";
export type { Algebra, NumberExpression, TruthExpression } from "./algebra.js";
export { cast } from "./casts.js";
export { elementwiseKernels, elementwiseRows, type DerivativeKernel, type ElementwiseKernel, type ElementwiseKind, type ElementwiseRow } from "./elementwise.js";
export { philoxWords } from "./philox.js";
export { updates, type UpdateName, type UpdateRow } from "./updates.js";
