// The CPU device's runtime: one WebAssembly memory, its heap, the kernels' instance and the threads. Kernel families (elementwise.ts,
// matmul.ts, …) turn a call into addresses and numbers and hand them to `run`.
import { ArgumentError } from "../errors.js";
import type { DeviceBuffer, DType, HostArray, View } from "../types.js";
import { Allocator } from "./allocator.js";
import { pageBytes, parametersAddress, parametersBytes, scratchBytes, scratchStart } from "./layout.js";
import { type KernelFunction, compileSync, createMemory, instantiate, kernelIndex, kernelNames, supportsRelaxedSimd } from "./module.js";
import { availableThreads, canShareMemory, startWorker, unsharedReason } from "./platform.js";
import { ThreadPool } from "./threads.js";

const maximumThreads = 16;
/** How long an idle worker polls: longer than the gap between two kernels of a training step, shorter than anyone notices. */
const spinMicroseconds = 50;

export class CpuBuffer implements DeviceBuffer {
  released = false;
  constructor(readonly owner: CpuRuntime, readonly address: number, readonly byteLength: number) {}
}

export interface CpuOptions {
  /** Threads that work on a kernel, the caller's own included; default: the available parallelism, at most 16. */
  readonly threads?: number;
}

export class CpuRuntime {
  /** Whether 3×3 convolutions may take Winograd's way. */
  winograd = true;
  /** Bytes of each thread's own working memory: the address arrives as a kernel's third parameter. */
  readonly scratchBytes = scratchBytes;
  readonly counters = { dispatches: 0, submits: 0, newBuffers: 0, newPipelines: 0, bindGroupHits: 0, bindGroupMisses: 0 };
  private readonly memory: WebAssembly.Memory;
  private readonly module: WebAssembly.Module;
  private readonly kernels: readonly KernelFunction[];
  private pool: ThreadPool | null = null;
  /** Working memory of the threads beyond the caller's. */
  private workerScratch: number[] = [];
  /** Changes of the number of threads, one after the other. */
  private changing: Promise<void> = Promise.resolve();
  private readonly heap: Allocator;
  private closed = false;
  /** Why there is one thread where more were to be had, or "". */
  alone = canShareMemory() ? "" : unsharedReason;
  // Views of the whole memory; made anew whenever it grew.
  private wholeInt32: Int32Array;
  private wholeFloat32: Float32Array;

  /** One thread, ready at once, in a memory that threads can come to share. relaxedSimd: fused multiply-add, where the engine has it. */
  constructor(readonly relaxedSimd = supportsRelaxedSimd()) {
    const shared = canShareMemory();
    const { memory, maximumBytes } = createMemory(heapStart, shared);
    this.memory = memory;
    this.module = compileSync(this.relaxedSimd, shared);
    this.kernels = instantiate(this.module, memory);
    this.wholeInt32 = new Int32Array(memory.buffer);
    this.wholeFloat32 = new Float32Array(memory.buffer);
    // The last bytes are never handed out: a vector load may reach past a block's end.
    this.heap = new Allocator(heapStart, memory.buffer.byteLength, maximumBytes - pageBytes, (bytes) => this.grow(bytes));
  }

  /** Resolves when every thread is ready. */
  static async create(options: CpuOptions = {}): Promise<CpuRuntime> {
    const runtime = new CpuRuntime();
    await runtime.addThreads(options.threads);
    return runtime;
  }

  /** Threads that work on a kernel, the caller's own included. */
  get threads(): number {
    return this.workerScratch.length + 1;
  }

  /** Brings the number of threads up to `wanted` (default: what the machine has); never down. Resolves when they are ready. */
  async addThreads(wanted?: number): Promise<void> {
    const threads = await chooseThreads(wanted);
    return this.change(async () => {
      this.requireOpen();
      if (threads <= this.threads) return;
      await this.endThreads();
      this.workerScratch = Array.from({ length: threads - 1 }, () => this.temporary(scratchBytes));
      const { memory, module } = this;
      const starts = this.workerScratch.map((scratch) => startWorker({ module, memory, kernelNames, scratch, spinMicroseconds }));
      const workers = (await Promise.allSettled(starts)).flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
      if (workers.length < starts.length) {
        // All or none: what started is sent home, and the device works on the caller's thread.
        await Promise.all(workers.map((worker) => worker.terminate()));
        this.releaseScratch();
        this.alone = await reasonOf(Promise.all(starts));
        return;
      }
      this.pool = new ThreadPool(memory, this.kernels, workers, scratchStart);
    });
  }

  /** Back to the caller's thread alone. */
  releaseThreads(): Promise<void> {
    return this.change(() => this.endThreads());
  }

  private async endThreads(): Promise<void> {
    const pool = this.pool;
    this.pool = null;
    await pool?.close();
    this.releaseScratch();
  }
  private releaseScratch(): void {
    for (const scratch of this.workerScratch) this.releaseTemporary(scratch);
    this.workerScratch = [];
  }

  private change(work: () => Promise<void>): Promise<void> {
    const done = this.changing.then(work);
    this.changing = done.catch(() => undefined);
    return done;
  }

  /** Calls the kernel's export as (begin, end, scratch, ...args) for disjoint ranges that cover [0, tasks). A task is a fixed piece of work,
   *  so that results do not depend on the number of threads. `parallel` false: too little work to wake anybody. */
  run(kernel: string, tasks: number, args: readonly number[], parallel = tasks > 1): void {
    this.requireOpen();
    if (tasks <= 0) return;
    this.counters.dispatches++;
    const index = kernelIndex(kernel);
    try {
      if (this.pool && parallel && tasks > 1) this.pool.run(index, tasks, args);
      else this.kernels[index]?.(0, tasks, scratchStart, ...args);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      const what = `The cpu kernel "${kernel}" stopped: ${error.message}. Its output is incomplete; this is a mistake in Athanor, please report it.`;
      throw new Error(what, { cause: error });
    }
  }

  /** Byte address of the view's first element. */
  pointer(view: View): number {
    return this.own(view.buffer).address + view.offset * 4;
  }

  /** Memory for the length of one kernel; 64-byte aligned, contents undefined. */
  temporary(bytes: number): number {
    return this.heap.allocate(bytes).address;
  }
  releaseTemporary(pointer: number): void {
    this.heap.release(pointer);
  }

  /** Writes a job's shapes and strides where its kernel finds them, and gives their address. Valid until the next call. */
  parameters(values: readonly number[]): number {
    if (values.length * 4 > parametersBytes) {
      throw new ArgumentError(`A view of so many dimensions does not fit the cpu device (${values.length} numbers).`);
    }
    const words = this.wholeInt32, first = parametersAddress / 4;
    for (let i = 0; i < values.length; i++) words[first + i] = values[i] ?? 0; // a few numbers: set() of a list costs more
    return parametersAddress;
  }

  /** Elements from an address on, for reading and writing on the host. Valid until the next allocation. */
  int32(address: number, length: number): Int32Array {
    return this.wholeInt32.subarray(address / 4, address / 4 + length);
  }
  float32(address: number, length: number): Float32Array {
    return this.wholeFloat32.subarray(address / 4, address / 4 + length);
  }

  allocate(elements: number): CpuBuffer {
    this.requireOpen();
    const { address, fresh } = this.heap.allocate(elements * 4);
    if (fresh) this.counters.newBuffers++;
    return new CpuBuffer(this, address, elements * 4);
  }
  release(buffer: DeviceBuffer): void {
    const own = this.own(buffer);
    own.released = true;
    this.heap.release(own.address);
  }
  get pooledBytes(): number {
    return this.closed ? 0 : this.heap.pooledBytes;
  }
  get liveBytes(): number {
    return this.heap.liveBytes;
  }
  get capacity(): number {
    return this.heap.capacity;
  }

  upload(buffer: DeviceBuffer, values: HostArray, dtype: DType): void {
    const { address, byteLength } = this.own(buffer);
    if (values.length * 4 > byteLength) throw new ArgumentError(`Uploading ${values.length} elements to a buffer of ${byteLength / 4}.`);
    if (dtype === "float32") this.wholeFloat32.set(values, address / 4);
    else this.wholeInt32.set(values, address / 4);
  }
  download(buffer: DeviceBuffer, elements: number, dtype: DType): HostArray {
    const { address } = this.own(buffer);
    if (dtype === "float32") return Float32Array.from(this.float32(address, elements));
    return dtype === "int32" ? Int32Array.from(this.int32(address, elements)) : Uint8Array.from(this.int32(address, elements));
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.releaseThreads();
  }

  private own(buffer: DeviceBuffer): CpuBuffer {
    if (buffer instanceof CpuBuffer && buffer.owner === this) {
      if (buffer.released) throw new ArgumentError("This buffer was released; its tensor was disposed before its last use.");
      return buffer;
    }
    throw new ArgumentError("A buffer of another device reached the cpu device; move the tensor with to(device) first.");
  }

  private requireOpen(): void {
    if (this.closed) throw new ArgumentError("The cpu device was closed; open it again with openDevice(\"cpu\").");
  }

  private grow(bytes: number): boolean {
    const missing = bytes + pageBytes - this.memory.buffer.byteLength; // one page stays past the heap's end
    try {
      if (missing > 0) this.memory.grow(Math.ceil(missing / pageBytes));
    } catch {
      return false;
    }
    this.wholeInt32 = new Int32Array(this.memory.buffer);
    this.wholeFloat32 = new Float32Array(this.memory.buffer);
    return true;
  }
}

const reasonOf = (work: Promise<unknown>): Promise<string> => work.then(() => "", (error: unknown) => (error instanceof Error ? error.message : String(error)));

/** Behind the caller's scratch; the other threads' comes from the heap. */
const heapStart = scratchStart + scratchBytes;

async function chooseThreads(wanted: number | undefined): Promise<number> {
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 1 && wanted <= maximumThreads)) {
    throw new ArgumentError(`threads must be an integer from 1 to ${maximumThreads}, got ${wanted}.`);
  }
  if (!canShareMemory()) return 1; // the description says why
  return wanted ?? Math.min(maximumThreads, await availableThreads());
}
