// Bind groups by (layout, buffers): creating one costs 9 to 15 µs, more than the dispatch it serves, and a training step that meets the same
// buffers again finds its groups here.
import type { DeviceCounters } from "../types.js";
import type { WebGPUBuffer } from "./buffers.js";
import type { BindingLayout } from "./pipelines.js";
import type { ParameterTable } from "./parameters.js";

interface Entry {
  readonly group: GPUBindGroup;
  readonly buffers: readonly WebGPUBuffer[];
}

export class BindGroupCache {
  /** A Map keeps insertion order; a hit re-inserts its entry, so the first is the least recently used. */
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly gpu: GPUDevice,
    private readonly parameters: ParameterTable,
    private readonly counters: DeviceCounters,
    private readonly capacity = 8192,
  ) {}

  get(name: string, layout: BindingLayout, buffers: readonly WebGPUBuffer[]): GPUBindGroup {
    let key = layout.pattern;
    for (const buffer of buffers) key += `,${buffer.id}`;
    const found = this.entries.get(key);
    if (found) {
      this.counters.bindGroupHits++;
      this.entries.delete(key);
      this.entries.set(key, found);
      return found.group;
    }
    this.counters.bindGroupMisses++;
    const entries: GPUBindGroupEntry[] = buffers.map((buffer, binding) => ({ binding, resource: { buffer: buffer.gpu } }));
    entries.push({ binding: buffers.length, resource: this.parameters.binding });
    const group = this.gpu.createBindGroup({ label: name, layout: layout.group, entries });
    this.entries.set(key, { group, buffers });
    if (this.entries.size > this.capacity) this.dropOldest();
    return group;
  }

  /** Drops the groups of buffers that no longer exist: a group keeps its buffers' memory alive. */
  forget(destroyed: readonly WebGPUBuffer[]): void {
    if (destroyed.length === 0) return;
    const gone = new Set(destroyed);
    for (const [key, entry] of this.entries) if (entry.buffers.some((buffer) => gone.has(buffer))) this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }

  private dropOldest(): void {
    for (const key of this.entries.keys()) {
      this.entries.delete(key);
      return;
    }
  }
}
