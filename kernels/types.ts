// What a device can compute: the one interface that WebGPU, the CPU and the reference implement.
// A kernel knows buffers, shapes, strides and parameters; it has never heard of a Tensor or a gradient.
//
// Conventions, the same on every device:
// - the caller allocates every output; unless a method says otherwise an output is contiguous, starts at offset 0 of its own buffer and
//   is fully overwritten;
// - shapes were checked by the caller: a kernel only refuses what its device cannot do (limits) and what only the data shows (indices);
// - every element takes 4 bytes on webgpu and cpu, whatever the dtype (bool is 0 or 1 as u32/i32, uint8 a widened integer): a GPU cannot
//   write single bytes without races, and one width keeps every kernel simple. The reference holds every dtype in a Float64Array;
// - a zero-sized dimension is legal everywhere: the kernel does nothing, or writes the reduction's neutral element.
import type { ElementwiseKernel } from "./elementwise.js";
import type { UpdateName } from "./updates.js";

export type DType = "float32" | "int32" | "bool" | "uint8";
export type Shape = readonly number[];
/** This library's kinds of devices; a program may register others. */
export type DeviceKind = "webgpu" | "cpu" | "reference" | (string & {});
/** What a read-back gives: float32 → Float32Array (Float64Array on the reference), int32 → Int32Array, bool and uint8 → Uint8Array. */
export type HostArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** A device's memory block. Opaque outside its own device. */
export interface DeviceBuffer {
  readonly byteLength: number;
}

/** A strided window on a buffer. Strides and offset count elements, strides are ≥ 0 (0 = expanded). */
export interface View {
  readonly buffer: DeviceBuffer;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
  readonly dtype: DType;
  /** How often the memory was changed in place, where its owner counts: what a device found in it holds for as long. */
  readonly version?: number;
}

export type ReduceName = "sum" | "mean" | "prod" | "max" | "min" | "any" | "all";
export type ArgReduceName = "argmax" | "argmin";
export type Activation = "none" | "relu";
export type Pair = readonly [number, number]; // height, width

export interface Conv2dParams {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
}
export interface Pool2dParams {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair; // average pooling: always [1, 1]
  /** Average pooling only: whether padded zeros count in the divisor (PyTorch's default: true). */
  readonly countIncludePad: boolean;
}
export interface CrossEntropyParams {
  readonly reduction: "none" | "mean" | "sum";
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
}
/** Key of a counter-based random stream: the same (seed, stream) gives the same bits on every device. See kernels/philox.ts. */
export interface RandomKey {
  readonly seed: number; // uint32
  readonly stream: number; // uint32, one per random operation, counted by the engine
}

export interface Kernels {
  // ── element-wise, movement ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** out = kernel.expression(inputs, scalars). Inputs are any strided views already expanded to out.shape. */
  elementwise(kernel: ElementwiseKernel, out: View, inputs: readonly View[], scalars: readonly number[]): void;
  /** out ← x, both any strided views of equal shape (out may be a window of a larger buffer, never overlapping x); converts the dtype:
   *  the table is casts.ts. */
  copy(out: View, x: View): void;
  /** Every element of the (possibly strided) view becomes value. */
  fill(out: View, value: number): void;

  // ── reductions ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Reduces x (any strides) over dims; out has x's shape without them (keepdim makes no difference to memory). bool and int inputs sum into
   *  an int32 out. any/all give bool. NaN propagates through max and min. The mean (float32 alone) of equal numbers is that number, of
   *  nothing NaN: the sum carries more digits than float32, and is divided, not multiplied by a rounded 1/n. */
  reduce(op: ReduceName, out: View, x: View, dims: readonly number[]): void;
  /** Two-pass Σ(x−mean)²/(n−correction) over dims; never E[x²]−E[x]². n ≤ correction divides by 0, as in PyTorch. */
  variance(out: View, x: View, dims: readonly number[], correction: number): void;
  /** int32 index of the first extreme element along dim (the caller flattens for "all"); NaN counts as extreme, as in PyTorch. */
  argReduce(op: ArgReduceName, out: View, x: View, dim: number): void;
  /** x contiguous; out contiguous; a row of −inf gives NaN, −inf beside finite values gives 0. log: log-softmax. */
  softmax(out: View, x: View, dim: number, log: boolean): void;
  /** gradX = y·(g − Σ g·y) (softmax) or g − exp(y)·Σ g (log). All contiguous. */
  softmaxBackward(gradX: View, grad: View, y: View, dim: number, log: boolean): void;

  // ── matrix products and convolutions ───────────────────────────────────────────────────────────────────────────────────────────────
  /** out[…, m, n] = act(Σ_k a[…, m, k]·b[…, k, n] + bias[n]). Batch dimensions were expanded to equal shapes (stride 0 where broadcast).
   *  Each of a and b has unit stride in one of its last two dimensions and the other stride ≥ that dimension's length (NN, NT, TN, TT);
   *  bias is a contiguous [n] or null. k = 0 gives bias or zeros. */
  matmul(out: View, a: View, b: View, bias: View | null, activation: Activation): void;
  /** x [N, C, H, W], w [O, C/groups, R, S], bias [O] | null, out [N, O, P, Q]; all contiguous. */
  conv2d(out: View, x: View, w: View, bias: View | null, params: Conv2dParams, activation: Activation): void;
  conv2dInputGrad(gradX: View, grad: View, w: View, params: Conv2dParams): void;
  conv2dWeightGrad(gradW: View, grad: View, x: View, params: Conv2dParams): void;
  /** For y = relu(z + bias[channel]) with y, grad [N, C, inner]: gradZ = grad except where y ≤ 0, there 0, and gradBias[c] = Σ gradZ; either output may be null.
   *  y null: no activation, gradBias is the plain channel sum (then gradZ must be null). All contiguous, passed as 3-d views. */
  biasActivationGrad(gradZ: View | null, gradBias: View | null, grad: View, y: View | null): void;

  // ── pooling, resampling: [N, C, H, W] contiguous ───────────────────────────────────────────────────────────────────────────────────
  /** indices (int32, shape of out): h·W + w of the first maximum in its plane; NaN wins, as in PyTorch. Padding counts as −inf. */
  maxPool2d(out: View, indices: View, x: View, params: Pool2dParams): void;
  /** Gathers: each input sums the outputs whose index names it, in ascending output order (deterministic). */
  maxPool2dBackward(gradX: View, grad: View, indices: View, params: Pool2dParams): void;
  avgPool2d(out: View, x: View, params: Pool2dParams): void;
  avgPool2dBackward(gradX: View, grad: View, params: Pool2dParams): void;
  /** Output cell i averages the inputs ⌊i·H/P⌋ … ⌈(i+1)·H/P⌉−1. */
  adaptiveAvgPool2d(out: View, x: View): void;
  adaptiveAvgPool2dBackward(gradX: View, grad: View): void;
  /** out[p, q] = x[min(⌊p·steps[0]⌋, H−1), min(⌊q·steps[1]⌋, W−1)], the products rounded to float32, as in PyTorch; steps are float32. */
  upsampleNearest2d(out: View, x: View, steps: Pair): void;
  upsampleNearest2dBackward(gradX: View, grad: View, steps: Pair): void;

  // ── normalisation and losses ───────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Training mode on x viewed as [N, C, inner]. Writes mean and invStd = 1/√(biased var + eps), both [C]; out = act((x−mean)·invStd·w + b).
   *  runningMean/runningVar (or null) are updated in place: r ← (1−momentum)·r + momentum·(mean | unbiased var). w, b may be null. */
  batchNorm(
    out: View, mean: View, invStd: View, x: View, w: View | null, b: View | null,
    runningMean: View | null, runningVar: View | null, momentum: number, eps: number, activation: Activation,
  ): void;
  /** gradX = w·invStd·(g − Σg/n − x̂·Σ(g·x̂)/n), gradW = Σ g·x̂, gradB = Σ g; g = grad, 0 where y ≤ 0 if y (the fused ReLU's output)
   *  is given. Any output may be null. */
  batchNormBackward(
    gradX: View | null, gradW: View | null, gradB: View | null, grad: View, x: View, w: View | null, mean: View, invStd: View, y: View | null,
  ): void;
  /** Softmax cross-entropy of x [N, C, inner] (contiguous) against labels int32 [N, inner], optional weight [C]. out is [] for mean and sum,
   *  [N, inner] for none; totalWeight [] receives Σ w[label] over rows that are not ignored (the mean's divisor; for sum and none too).
   *  A label outside [0, C) that is not ignoreIndex is an error (CPU, reference: thrown at once; webgpu: the flag word). */
  crossEntropy(out: View, totalWeight: View, x: View, labels: View, weight: View | null, params: CrossEntropyParams): void;
  /** gradX of the above; grad is the cotangent of out. */
  crossEntropyBackward(gradX: View, grad: View, totalWeight: View, x: View, labels: View, weight: View | null, params: CrossEntropyParams): void;

  // ── indices: int32, contiguous; an index outside its range is an error as above; negative indices were not translated ──────────────
  /** out[i…] = x[.., index[i…], ..] along dim; out and index have one shape, x (contiguous) agrees or exceeds it in the other dimensions. */
  gather(out: View, x: View, index: View, dim: number): void;
  /** out (already holding its base values; contiguous) [.., index[i…], ..] += src[i…], adding in ascending order of i (deterministic). */
  scatterAdd(out: View, index: View, src: View, dim: number): void;
  /** out = x's slices index[j] along dim; x contiguous; index [J]. */
  indexSelect(out: View, x: View, index: View, dim: number): void;
  /** out's slice index[j] along dim += src's slice j, in ascending j (deterministic). */
  indexAdd(out: View, index: View, src: View, dim: number): void;

  // ── random numbers, optimizers ─────────────────────────────────────────────────────────────────────────────────────────────────────
  /** out[i] = the i-th uniform number in [0, 1) of the stream: (bits >>> 8)·2⁻²⁴. float32. */
  uniform(out: View, key: RandomKey): void;
  /** out[i] = bits_i ≥ p·2³² ? x[i]·scale : 0, bits_i the i-th word of the stream. x contiguous, float32. */
  dropout(out: View, x: View, p: number, scale: number, key: RandomKey): void;
  /** One fused optimizer step. Each group lists [parameter, gradient, ...states] of one parameter, contiguous and of one length; parameter
   *  and states are updated in place by the row `updates[name]` of kernels/updates.ts with these scalars. */
  update(name: UpdateName, groups: readonly (readonly View[])[], scalars: readonly number[]): void;
}

export interface KernelTime {
  /** The dispatch's name: an operation may take several. */
  readonly kernel: string;
  /** What the engine called the operation, with its module's path. */
  readonly label: string;
  /** Since the first of the trace, on the device's clock. */
  readonly start: number;
  readonly nanoseconds: number;
}

export interface DeviceCounters {
  dispatches: number; // kernels started
  submits: number; // command buffers submitted (webgpu)
  newBuffers: number; // buffers created, not taken from the pool
  newPipelines: number;
  bindGroupHits: number;
  bindGroupMisses: number;
}

export interface Device {
  readonly kind: DeviceKind;
  /** One line for people: "webgpu (NVIDIA H200, vulkan)", "cpu (2 threads, WebAssembly SIMD)". */
  readonly description: string;
  /** Another table of the same kernels stands here while a profile is taken. */
  kernels: Kernels;
  /** In what it holds a float32 tensor, and what uploads bring of one: float64 on the reference alone. */
  readonly precision: "float32" | "float64";
  /** Running totals since the device was opened. */
  readonly counters: DeviceCounters;
  /** Bytes held for reuse, not in use by any storage. */
  readonly pooledBytes: number;
  /** Bytes beyond which the device is expected to run out; Infinity if unknown. */
  readonly capacity: number;
  /** Reads need `await` (true on webgpu); false: downloadSync works. */
  readonly asynchronous: boolean;

  /** A buffer for `elements` elements, contents undefined. Throws OutOfMemoryError or DeviceLimitError (kernels/errors.ts). */
  allocate(elements: number): DeviceBuffer;
  /** Gives a buffer back to the pool. The kernels already issued still see its contents. */
  release(buffer: DeviceBuffer): void;
  /** Gives pooled memory back to the system where the device can. */
  trim(): void;

  /** Writes values (already of the dtype's kind, one per element) to the buffer's start, after every kernel issued before it. */
  upload(buffer: DeviceBuffer, values: HostArray, dtype: DType): void;
  /** The first `elements` elements, after every kernel issued before it. Rejects with the first error that happened on the way. */
  download(buffer: DeviceBuffer, elements: number, dtype: DType): Promise<HostArray>;
  downloadSync(buffer: DeviceBuffer, elements: number, dtype: DType): HostArray; // throws on an asynchronous device

  /** Names what follows in profiles and errors: "conv2d" or "features.3 (Conv2d): conv2d". Cheap; set by the engine before each operation. */
  label: string;
  /** Hands what was issued to the hardware, without waiting (webgpu: submit; elsewhere nothing). */
  flush(): void;
  /** Resolves when everything issued is done; rejects with the errors met. */
  synchronize(): Promise<void>;
  /** How long the device itself takes for each dispatch of `work`, in their order; a device whose kernels are done when they return has none. */
  traceKernels?(work: () => Promise<void>): Promise<readonly KernelTime[]>;
  /** Waits for running work, releases memory, threads and the adapter. Idempotent. */
  close(): Promise<void>;
}
