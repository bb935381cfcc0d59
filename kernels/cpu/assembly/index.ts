// The WebAssembly module's entry: every exported function is a kernel (begin, end, scratch, ...args) that works on the tasks
// [begin, end). A kernel allocates nothing, keeps no state and has no static data: all threads' instances share one memory.
export * from "./adaptivePool";
export * from "./argReduce";
export * from "./averagePool";
export * from "./batchNorm";
export * from "./biasActivation";
export * from "./copy";
export * from "./crossEntropy";
export * from "./generated/elementwise";
export * from "./generated/update";
export * from "./indexing";
export * from "./matmul";
export * from "./maxPool";
export * from "./means";
export * from "./random";
export * from "./reduce";
export * from "./softmax";
export * from "./sumPieces";
export * from "./survey";
export * from "./upsample";
export * from "./conv2d";
export * from "./conv2dWeightGrad";
export * from "./winograd";
export * from "./winogradWeightGrad";
