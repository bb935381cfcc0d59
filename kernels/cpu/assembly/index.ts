// The WebAssembly module's entry: every exported function is a kernel (begin, end, scratch, ...args) that works on the tasks
// [begin, end). A kernel allocates nothing, keeps no state and has no static data: all threads' instances share one memory.
export * from "./fill";
export * from "./generated/elementwise";
export * from "./generated/update";
export * from "./matmul";
export * from "./sumPieces";
