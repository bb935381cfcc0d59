// The entries of the command list, and how they become command buffers: dispatches in one open compute pass, read-backs as copies behind it.
import { AthanorError } from "../errors.js";
import type { DeviceCounters } from "../types.js";
import type { WebGPUBuffer } from "./buffers.js";
import type { KernelTrace } from "./kernelTrace.js";
import type { ParameterTable } from "./parameters.js";
import type { Pipeline } from "./pipelines.js";

export interface DispatchCommand {
  readonly kind: "dispatch";
  /** What the engine called the operation. */
  readonly label: string;
  readonly pipeline: Pipeline;
  readonly group: GPUBindGroup;
  readonly buffers: readonly WebGPUBuffer[];
  readonly params: readonly number[];
  readonly grid: readonly [number, number, number];
}
export interface UploadCommand {
  readonly kind: "upload";
  readonly buffer: WebGPUBuffer;
  readonly values: GPUAllowSharedBufferSource;
}
export interface ReadCommand {
  readonly kind: "read";
  readonly buffer: WebGPUBuffer;
  readonly bytes: number;
  readonly staging: GPUBuffer;
  readonly stagingOffset: number;
}
export type Command = DispatchCommand | UploadCommand | ReadCommand;

/** One compute pass after the other into one command buffer. */
export class Recorder {
  private static submits = 0;
  private encoder: GPUCommandEncoder | null = null;
  private pass: GPUComputePassEncoder | null = null;
  private pipeline: GPUComputePipeline | null = null;
  private number = Recorder.submits++;

  constructor(
    private readonly gpu: GPUDevice, private readonly parameters: ParameterTable, private readonly counters: DeviceCounters,
    private readonly trace: KernelTrace | null,
  ) {}

  dispatch({ pipeline, label, group, buffers, params, grid }: DispatchCommand): void {
    if (!pipeline.compiled) throw new AthanorError(`The kernel ${pipeline.name} was not compiled when it was encoded; this is a bug of Athanor.`);
    if (!this.parameters.fits(params)) this.submit();
    if (this.trace) this.endPass();
    const timestamps = this.trace && { timestampWrites: this.trace.next(pipeline.name, label) };
    const pass = (this.pass ??= this.begin().beginComputePass(timestamps ?? undefined));
    if (this.pipeline !== pipeline.compiled) pass.setPipeline((this.pipeline = pipeline.compiled));
    pass.setBindGroup(0, group, [this.parameters.push(params)]);
    pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    for (const buffer of buffers) buffer.encodedIn = this.number;
  }

  upload({ buffer, values }: UploadCommand): void {
    if (buffer.encodedIn === this.number) this.submit();
    this.gpu.queue.writeBuffer(buffer.gpu, 0, values);
  }

  read({ buffer, bytes, staging, stagingOffset }: ReadCommand): void {
    const encoder = this.begin();
    this.endPass();
    if (bytes > 0) encoder.copyBufferToBuffer(buffer.gpu, 0, staging, stagingOffset, bytes);
    buffer.encodedIn = this.number;
  }

  submit(): void {
    if (!this.encoder) return;
    this.endPass();
    this.parameters.write();
    this.gpu.queue.submit([this.encoder.finish()]);
    this.counters.submits++;
    this.encoder = null;
    this.number = Recorder.submits++;
  }

  private begin(): GPUCommandEncoder {
    return (this.encoder ??= this.gpu.createCommandEncoder());
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = null;
    this.pipeline = null;
  }
}
