// The WebGPU runtime: kernels append dispatches to a command list; a flush awaits the pipelines that are still compiling, encodes the list in
// one compute pass and submits it. Uploads and read-backs are entries of the same list, because `queue.writeBuffer` would otherwise overtake
// the commands that were issued before it.
import type { DeviceCounters, DType, KernelTime, View } from "../types.js";
import { AthanorError, DeviceLimitError, DeviceUnavailableError } from "../errors.js";
import { BindGroupCache } from "./bindGroups.js";
import { BufferPool, type WebGPUBuffer, webgpuBuffer } from "./buffers.js";
import { elementBytes } from "./constants.js";
import { flagWords, LabelTable } from "./errorFlag.js";
import { FailureLog } from "./failures.js";
import { KernelTrace } from "./kernelTrace.js";
import { ParameterTable } from "./parameters.js";
import { type Pipeline, PipelineCache } from "./pipelines.js";
import { Polling } from "./polling.js";
import { StagingPool } from "./readback.js";
import { type Command, Recorder } from "./recorder.js";

export { floatBits } from "./parameters.js";
export { errorFlagCode } from "./errorFlag.js";

export interface Binding {
  readonly view: View;
  /** write: var<storage, read_write>; a kernel may read it too. */
  readonly access: "read" | "write";
}

export interface Dispatch {
  /** The kernel's name: pipeline label, errors. */
  readonly name: string;
  /** WGSL with the entry point `main`. @group(0) @binding(i) is bindings[i]; the uniform parameters are the last binding. */
  readonly code: string;
  /** Whole buffers are bound; offsets of views travel as parameters. A buffer that is written may appear only once. */
  readonly bindings: readonly Binding[];
  /** 32-bit words of the uniform struct: u32 as they are, i32 with `>>> 0`, floats through floatBits. At most 256. */
  readonly params: readonly number[];
  /** A plain number folds past 65,535: the kernel's index is workgroup_id.x + workgroup_id.y · num_workgroups.x, and it checks its bounds. */
  readonly workgroups: number | readonly [number, number, number];
}

/** Dispatches after which a list is flushed unasked: enough to hide the 10 µs of a submit, few enough to start the GPU early. */
const flushEvery = 48;
const maxGrid = 65_535;

export interface RuntimeOptions {
  /** The adapter is a rasteriser on the CPU. */
  readonly isSoftware?: boolean;
  /** "hardware": the kernels of hardware GPUs, whatever the adapter. */
  readonly kernelsOf?: "adapter" | "hardware";
  /** Whether 3×3 convolutions may take Winograd's way on hardware (default: where it pays), or must wherever they can. */
  readonly winograd?: boolean | "everywhere";
  /** Lanes of a subgroup where the device offers subgroups and they all have one width, else 0. */
  readonly subgroupWidth?: number;
  /** Parameter blocks in the ring. */
  readonly parameterSlots?: number;
}

export class WebGPURuntime {
  readonly counters: DeviceCounters = { dispatches: 0, submits: 0, newBuffers: 0, newPipelines: 0, bindGroupHits: 0, bindGroupMisses: 0 };
  readonly limits: GPUSupportedLimits;
  readonly failures: FailureLog;
  readonly pool: BufferPool;
  /** Bind it with access "write" in a kernel that can meet a bad index; see errorFlag.ts. */
  readonly errorFlag: Binding;
  /** Names what follows in errors: the operation and its module's path. */
  label = "";
  /** Number of the last command that was handed to the queue. */
  submitted = 0;

  private readonly pipelines: PipelineCache;
  private readonly parameters: ParameterTable;
  private readonly bindGroups: BindGroupCache;
  private readonly staging: StagingPool;
  private readonly polling: Polling;
  private readonly labels = new LabelTable();
  private readonly flagBuffer: WebGPUBuffer;
  private readonly texts = new Map<string, string>();

  private issued = 0;
  private pending: Command[] = [];
  private pendingDispatches = 0;
  private readonly missing = new Set<Pipeline>();
  /** Batches that wait for pipelines are encoded one after the other along this chain. */
  private chain: Promise<void> = Promise.resolve();
  private waiting = 0;
  /** Commands up to this number had their flag reported; a read-back issued before it carries a stale one. */
  private flagRaisedAt = 0;
  private flagInUse = false;
  private openTrace: KernelTrace | null = null;

  /** Kernels choose their tiles by it: those for a rasteriser on the CPU, or those for a hardware GPU. */
  readonly isSoftware: boolean;
  readonly subgroupWidth: number;
  /** Whether 3×3 convolutions may take Winograd's way. */
  readonly winograd: boolean | "everywhere";
  /** Bytes that a kernel which works in slices may take at a time. */
  scratchBytes = 256 * 2 ** 20;
  /** Steps of an inner loop that a text writes out: a rasteriser's compiler takes seconds over a long text. */
  readonly unrolledSteps: number;

  constructor(readonly gpu: GPUDevice, options: RuntimeOptions = {}) {
    const { isSoftware = false, kernelsOf = "adapter", winograd = true, subgroupWidth = 0, parameterSlots = 1024 } = options;
    this.isSoftware = isSoftware && kernelsOf === "adapter";
    this.subgroupWidth = subgroupWidth;
    this.winograd = winograd;
    this.unrolledSteps = isSoftware ? 2 : 16;
    this.limits = gpu.limits;
    this.failures = new FailureLog(gpu);
    this.polling = new Polling(isSoftware);
    this.pipelines = new PipelineCache(gpu, this.counters);
    this.parameters = new ParameterTable(gpu, parameterSlots);
    this.bindGroups = new BindGroupCache(gpu, this.parameters, this.counters);
    this.staging = new StagingPool(gpu, () => this.counters.newBuffers++);
    const runtime = this;
    this.pool = new BufferPool({
      gpu,
      get submitted() {
        return runtime.submitted;
      },
      onCreate: () => this.counters.newBuffers++,
      onOutOfMemory: (message) => this.failures.outOfMemory(message),
      onDestroy: (buffers) => this.bindGroups.forget(buffers),
    });
    this.flagBuffer = this.pool.allocate(flagWords);
    this.errorFlag = { view: { buffer: this.flagBuffer, shape: [flagWords], strides: [1], offset: 0, dtype: "int32" }, access: "write" };
  }

  // ── issuing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  dispatch(d: Dispatch): void {
    if (this.failures.lost) return;
    const grid = typeof d.workgroups === "number" ? foldGrid(d.workgroups) : d.workgroups;
    if (grid[0] === 0 || grid[1] === 0 || grid[2] === 0) return;
    if (grid[0] > maxGrid || grid[1] > maxGrid || grid[2] > maxGrid) throw this.gridTooLarge(d, grid);
    let pattern = "";
    const buffers: WebGPUBuffer[] = [];
    for (const { view, access } of d.bindings) {
      pattern += access === "write" ? "w" : "r";
      buffers.push(webgpuBuffer(view.buffer));
    }
    refuseAliases(d.name, pattern, buffers);
    const pipeline = this.pipelines.get(d.name, d.code, pattern);
    if (!pipeline.compiled) this.missing.add(pipeline);
    this.failures.remember(d.name, this.label, d.bindings);
    const group = this.bindGroups.get(d.name, pipeline.layout, buffers);
    this.issue({ kind: "dispatch", label: this.label, pipeline, group, buffers, params: d.params, grid });
    for (const buffer of buffers) buffer.lastUse = this.issued;
    if (this.flagBuffer.lastUse === this.issued) this.flagInUse = true;
    this.counters.dispatches++;
    if (++this.pendingDispatches >= flushEvery) this.flush();
  }

  /** Scratch of `elements` contiguous float32 elements, contents undefined. */
  temporary(elements: number, dtype: DType = "float32"): View {
    return { buffer: this.pool.allocate(elements), shape: [elements], strides: [1], offset: 0, dtype };
  }

  /** To be called as soon as the last command that uses the scratch was issued. */
  releaseTemporary(view: View): void {
    this.pool.release(webgpuBuffer(view.buffer));
  }

  /** The current label as a parameter for raiseIndexError. */
  labelNumber(): number {
    return this.labels.numberOf(this.label);
  }

  /** Remembers a generated WGSL text, so that a template runs once per variant and not once per dispatch. */
  text(key: string, generate: () => string): string {
    const found = this.texts.get(key);
    if (found !== undefined) return found;
    const code = generate();
    this.texts.set(key, code);
    return code;
  }

  /** Writes the buffer's first bytes after every command issued before. `values` must not change afterwards. */
  upload(buffer: WebGPUBuffer, values: GPUAllowSharedBufferSource): void {
    if (this.failures.lost || values.byteLength === 0) return;
    // The queue's order is enough where every command on the buffer was submitted; otherwise the write waits its turn in the list.
    if (buffer.lastUse <= this.submitted) this.gpu.queue.writeBuffer(buffer.gpu, 0, values);
    else {
      this.issue({ kind: "upload", buffer, values });
      buffer.lastUse = this.issued;
    }
  }

  /** The buffer's first bytes after every command issued before; the error flag comes along in the same submit. */
  async download(buffer: WebGPUBuffer, bytes: number): Promise<ArrayBuffer> {
    if (this.failures.lost) throw this.failures.lost;
    const withFlag = this.flagInUse;
    const flagOffset = Math.ceil(bytes / 16) * 16;
    const staging = this.staging.take(flagOffset + flagWords * elementBytes);
    this.issue({ kind: "read", buffer, bytes, staging, stagingOffset: 0 });
    buffer.lastUse = this.issued;
    if (withFlag) {
      this.issue({ kind: "read", buffer: this.flagBuffer, bytes: flagWords * elementBytes, staging, stagingOffset: flagOffset });
      this.flagBuffer.lastUse = this.issued;
      this.flagInUse = false;
    }
    const issuedAt = this.issued;
    this.flush();
    const copy = await this.polling.during(this.readStaging(staging, flagOffset + flagWords * elementBytes));
    if (withFlag) this.checkFlag(new Int32Array(copy, flagOffset, flagWords), issuedAt);
    return copy.slice(0, bytes);
  }

  // ── handing to the hardware ────────────────────────────────────────────────────────────────────────────────────────────────────────

  flush(): void {
    if (this.pending.length === 0) return;
    const batch = this.pending, last = this.issued;
    this.pending = [];
    this.pendingDispatches = 0;
    const compiling = [...this.missing].filter((pipeline) => !pipeline.compiled && !pipeline.failed);
    this.missing.clear();
    if (this.waiting === 0 && compiling.length === 0) {
      this.encode(batch, last);
      return;
    }
    this.waiting++;
    this.chain = this.chain.then(async () => {
      await Promise.all(compiling.map((pipeline) => pipeline.done));
      this.encode(batch, last);
      this.waiting--;
    });
  }

  async synchronize(): Promise<void> {
    if (this.flagInUse) await this.download(this.flagBuffer, 0);
    this.flush();
    await this.polling.during(this.chain);
    await this.polling.during(this.failures.guard(this.gpu.queue.onSubmittedWorkDone()));
  }

  /** The GPU's time for each kernel that `work` issues. */
  async trace(work: () => Promise<void>): Promise<KernelTime[]> {
    if (!this.gpu.features.has("timestamp-query")) throw new DeviceUnavailableError("This adapter has no time stamps (the feature timestamp-query).");
    await this.synchronize();
    const trace = (this.openTrace = new KernelTrace(this.gpu));
    try {
      await work();
      await this.synchronize();
    } finally {
      this.openTrace = null;
    }
    return this.polling.during(trace.finish());
  }

  trim(): void {
    this.flush();
    this.pool.trim();
    this.staging.trim();
  }

  async close(): Promise<void> {
    this.flush();
    await this.chain;
    if (!this.failures.lost) await this.gpu.queue.onSubmittedWorkDone().catch(() => undefined);
    this.failures.close();
    this.bindGroups.clear();
    this.pool.close();
    this.staging.close();
    this.parameters.close();
    this.gpu.destroy();
  }

  private async readStaging(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    if (this.waiting > 0) await this.chain;
    return this.failures.guard(this.staging.read(staging, bytes));
  }

  private issue(command: Command): void {
    this.issued++;
    this.pending.push(command);
  }

  /** Encodes a batch, in one submit unless an upload has to come between two commands on its buffer or the parameters do not fit. */
  private encode(batch: readonly Command[], last: number): void {
    try {
      const recorder = new Recorder(this.gpu, this.parameters, this.counters, this.openTrace);
      for (const command of batch) {
        if (command.kind === "dispatch") {
          if (command.pipeline.failed) this.failures.report(command.pipeline.name, command.pipeline.failed.message);
          else recorder.dispatch(command);
        } else if (command.kind === "upload") recorder.upload(command);
        else recorder.read(command);
      }
      recorder.submit();
    } catch (error) {
      this.failures.report("", error instanceof Error ? error.message : String(error));
    }
    this.submitted = last;
  }

  private checkFlag(flag: Int32Array, issuedAt: number): void {
    const error = this.labels.decode(flag);
    if (!error || issuedAt <= this.flagRaisedAt) return;
    // Reset for what is encoded from now on; reads issued so far may still carry the old flag, which was thrown already.
    this.flagRaisedAt = this.issued;
    this.upload(this.flagBuffer, new Int32Array(flagWords));
    throw error;
  }

  private gridTooLarge(d: Dispatch, grid: readonly number[]): DeviceLimitError {
    return new DeviceLimitError(
      `${this.label || d.name}: got a grid of ${grid.join(" × ")} workgroups for the kernel ${d.name}, expected at most ${maxGrid} in each ` +
        "dimension; use a smaller batch.",
    );
  }
}

function foldGrid(workgroups: number): readonly [number, number, number] {
  if (workgroups <= maxGrid) return [workgroups, 1, 1];
  const rows = Math.ceil(workgroups / maxGrid);
  return [Math.ceil(workgroups / rows), rows, 1];
}

/** WebGPU refuses a whole submit in which one buffer is bound both for reading and for writing in one dispatch. */
function refuseAliases(name: string, pattern: string, buffers: readonly WebGPUBuffer[]): void {
  for (let i = 0; i < buffers.length; i++) {
    if (pattern[i] !== "w") continue;
    for (let j = 0; j < buffers.length; j++) {
      if (i !== j && buffers[i] === buffers[j]) {
        throw new AthanorError(`The kernel ${name} was given one buffer as bindings ${i} and ${j} and writes it; copy it to a temporary first.`);
      }
    }
  }
}
