// Compute pipelines by WGSL text, compiled asynchronously (all that a flush misses in parallel), and the bind group layouts they share.
import { AthanorError } from "../errors.js";
import type { DeviceCounters } from "../types.js";
import { computeStage } from "./constants.js";

/** Bindings 0 … n−1 are storage buffers, one letter each in the pattern (r: read, w: read and write), binding n the uniform parameters. */
export interface BindingLayout {
  readonly pattern: string;
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

export interface Pipeline {
  readonly name: string;
  readonly layout: BindingLayout;
  /** null while it compiles, and for good if it failed. */
  compiled: GPUComputePipeline | null;
  failed: AthanorError | null;
  /** Resolves (never rejects) when the compiler is done. */
  readonly done: Promise<void>;
}

export class PipelineCache {
  private readonly pipelines = new Map<string, Pipeline>();
  private readonly layouts = new Map<string, BindingLayout>();

  constructor(private readonly gpu: GPUDevice, private readonly counters: DeviceCounters) {}

  /** The pipeline of this text; starts compiling it where it is new. The pattern belongs to the text: one text, one pattern. */
  get(name: string, code: string, pattern: string): Pipeline {
    const found = this.pipelines.get(code);
    if (found) return found;
    this.counters.newPipelines++;
    const pipeline = this.compile(name, code, this.layout(pattern));
    this.pipelines.set(code, pipeline);
    return pipeline;
  }

  private compile(name: string, code: string, layout: BindingLayout): Pipeline {
    // The scope takes the error of a text that does not parse; without it the same mistake would be reported twice.
    this.gpu.pushErrorScope("validation");
    const module = this.gpu.createShaderModule({ label: name, code });
    const parsed = this.gpu.popErrorScope();
    const compiling = this.gpu.createComputePipelineAsync({ label: name, layout: layout.pipeline, compute: { module, entryPoint: "main" } });
    const pipeline: Pipeline = {
      name, layout, compiled: null, failed: null,
      done: Promise.allSettled([parsed, compiling]).then(([scope, result]) => {
        if (result.status === "fulfilled") {
          pipeline.compiled = result.value;
          return;
        }
        const reason = scope.status === "fulfilled" && scope.value ? scope.value.message : String(result.reason);
        pipeline.failed = new AthanorError(`The GPU driver could not compile the kernel ${name}: ${reason}`);
      }),
    };
    return pipeline;
  }

  private layout(pattern: string): BindingLayout {
    const found = this.layouts.get(pattern);
    if (found) return found;
    const entries: GPUBindGroupLayoutEntry[] = [...pattern].map((access, binding) => ({
      binding, visibility: computeStage, buffer: { type: access === "w" ? "storage" : "read-only-storage" },
    }));
    entries.push({ binding: pattern.length, visibility: computeStage, buffer: { type: "uniform", hasDynamicOffset: true } });
    const group = this.gpu.createBindGroupLayout({ label: pattern, entries });
    const layout = { pattern, group, pipeline: this.gpu.createPipelineLayout({ label: pattern, bindGroupLayouts: [group] }) };
    this.layouts.set(pattern, layout);
    return layout;
  }
}
