// V8's flags for our own commands; a library must not change them behind its user's back. Node 20 knows WebAssembly's relaxed SIMD (fused
// multiply-add, about three quarters of a matrix product's time), but only behind a flag; Node 22 and newer have it without one.
const major = Number(process.versions.node.split(".")[0]);

export const v8Flags = major < 22 ? ["--experimental-wasm-relaxed-simd"] : [];
