// The uniform parameters of all dispatches of one submit, in one buffer addressed by dynamic offsets. `queue.writeBuffer` takes effect before
// everything that is not submitted yet, so a slot may be written again only after the submit that used it: the table starts anew with each
// submit, is written once just before it, and a submit that would need more slots than there are is split.
import { AthanorError } from "../errors.js";
import { bufferUsage } from "./constants.js";

/** Bytes between slots: WebGPU's largest possible minUniformBufferOffsetAlignment. */
const slotBytes = 256;
const slotWords = slotBytes / 4;
/** Bytes a kernel may bind: its parameters may fill up to four slots. */
const boundBytes = 1024;

const floatView = new Float32Array(1);
const wordView = new Uint32Array(floatView.buffer);

/** The 32 bits of x rounded to float32, as a number that travels among the parameters. */
export function floatBits(x: number): number {
  floatView[0] = x;
  return wordView[0] ?? 0;
}

export class ParameterTable {
  private readonly buffer: GPUBuffer;
  private readonly words: Uint32Array<ArrayBuffer>;
  private used = 0;
  readonly binding: GPUBufferBinding;

  constructor(private readonly gpu: GPUDevice, private readonly slots: number) {
    const size = slots * slotBytes + boundBytes;
    this.buffer = gpu.createBuffer({ label: "parameters", size, usage: bufferUsage.uniform | bufferUsage.copyDestination });
    this.words = new Uint32Array(slots * slotWords);
    this.binding = { buffer: this.buffer, offset: 0, size: boundBytes };
  }

  /** Whether the current submit still has room for these parameters. */
  fits(params: readonly number[]): boolean {
    return this.used + slotsFor(params) <= this.slots;
  }

  /** Puts the words in the next slot and gives its byte offset. */
  push(params: readonly number[]): number {
    const start = this.used * slotWords;
    for (let i = 0; i < params.length; i++) this.words[start + i] = params[i] ?? 0;
    this.used += slotsFor(params);
    return start * 4;
  }

  /** Writes the used slots and starts anew; called just before a submit. */
  write(): void {
    if (this.used > 0) this.gpu.queue.writeBuffer(this.buffer, 0, this.words, 0, this.used * slotWords);
    this.used = 0;
  }

  close(): void {
    this.buffer.destroy();
  }
}

function slotsFor(params: readonly number[]): number {
  if (params.length * 4 > boundBytes) {
    throw new AthanorError(`Got ${params.length} words of kernel parameters, expected at most ${boundBytes / 4}; pass the rest in a buffer.`);
  }
  return Math.max(1, Math.ceil(params.length / slotWords));
}
