// The worker thread of data/workers.ts: does jobs as they come and sends what they make. Nothing imports this file; it is started by its URL.
import { parentPort } from "node:worker_threads";
import { StreamDraws } from "./draws.js";
import { type JobReply, type JobRequest, sendable, uncloneable } from "./jobs.js";

async function work({ id, job, key }: JobRequest): Promise<void> {
  try {
    const module = (await import(job.module)) as Record<string, unknown>;
    const action = module[job.name];
    if (typeof action !== "function") throw new Error(`${job.module} exports no function ${job.name}.`);
    const value: unknown = await action(job.input, new StreamDraws(key));
    sendValue(id, job.name, value);
  } catch (error) {
    send({ id, error: sendable(error) }, []);
  }
}

function sendValue(id: number, name: string, value: unknown): void {
  try {
    send({ id, value }, buffersOf(value));
  } catch (error) {
    throw uncloneable("the value of", name, error);
  }
}

function send(reply: JobReply, transfer: ArrayBuffer[]): void {
  parentPort?.postMessage(reply, transfer);
}

/** Images and values move without a copy, where their array is all of its buffer. */
function buffersOf(value: unknown): ArrayBuffer[] {
  if (typeof value !== "object" || value === null || !("data" in value)) return [];
  const { data } = value;
  if (!ArrayBuffer.isView(data) || !(data.buffer instanceof ArrayBuffer) || data.byteLength !== data.buffer.byteLength) return [];
  return [data.buffer];
}

parentPort?.on("message", (request: JobRequest) => void work(request));
