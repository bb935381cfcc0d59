// What goes wrong behind the commands: uncaptured validation and out-of-memory errors, kernels that do not compile, a lost device. WebGPU tells
// of them asynchronously; they are kept here and reject the next await, with the operation and the shapes that met them.
import { AthanorError, DeviceLostError, OutOfMemoryError } from "../errors.js";
import type { Binding } from "./runtime.js";

/** The last dispatch of a kernel: what an error that names the kernel is blamed on. */
interface Remembered {
  label: string;
  bindings: readonly Binding[];
}

export class FailureLog {
  /** Set once the device is gone; from then on every await rejects with it and dispatches do nothing. */
  lost: DeviceLostError | null = null;
  /** Resolves when `lost` is set. */
  readonly whenLost: Promise<void>;
  private first: AthanorError | null = null;
  private closed = false;
  private readonly lastDispatches = new Map<string, Remembered>();

  constructor(private readonly gpu: GPUDevice) {
    gpu.addEventListener("uncapturederror", this.onUncaptured);
    this.whenLost = gpu.lost.then((info) => {
      const reason = this.closed ? "it was closed" : info.message || info.reason || "no reason was given";
      this.lost = new DeviceLostError(
        `The GPU device was lost (${reason.trim()}); open a new device with openDevice("webgpu") and carry on from the last checkpoint.`,
      );
    });
  }

  /** Remembers under which label and with which shapes a kernel was last dispatched. */
  remember(kernel: string, label: string, bindings: readonly Binding[]): void {
    const known = this.lastDispatches.get(kernel);
    if (known) {
      known.label = label;
      known.bindings = bindings;
    } else this.lastDispatches.set(kernel, { label, bindings });
  }

  /** Keeps an error for the next await; the first one is the cause, the rest its consequences. */
  report(kernel: string, message: string): void {
    this.first ??= new AthanorError(`${this.describe(kernel)}: ${message}`);
  }

  /** Goes before what it led to: commands on a buffer that has no memory are errors of their own, and told sooner. */
  outOfMemory(message: string): void {
    if (!(this.first instanceof OutOfMemoryError)) this.first = new OutOfMemoryError(message);
  }

  /** Throws what went wrong since the last check. */
  check(): void {
    if (this.lost) throw this.lost;
    const error = this.first;
    this.first = null;
    if (error) throw error;
  }

  /** Awaits the GPU, and turns whatever happened meanwhile into the error of that await. */
  async guard<T>(work: Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await work;
    } catch (error) {
      // A lost device aborts what waits on it, sometimes before it says that it is lost.
      await Promise.race([this.whenLost, new Promise((resolve) => setTimeout(resolve, 100))]);
      this.check();
      throw new AthanorError(`Reading back from the GPU failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.check();
    return result;
  }

  close(): void {
    this.closed = true;
    this.gpu.removeEventListener("uncapturederror", this.onUncaptured);
  }

  private readonly onUncaptured = (event: GPUUncapturedErrorEvent): void => {
    event.preventDefault();
    const { message } = event.error;
    // WebGPU's text quotes the labels of the objects at fault; kernels label theirs with their name.
    const kernel = [...this.lastDispatches.keys()].find((name) => message.includes(`"${name}"`)) ?? "";
    this.report(kernel, message);
  };

  private describe(kernel: string): string {
    const known = this.lastDispatches.get(kernel);
    if (!known) return "The GPU reported an error";
    const shapes = known.bindings.map(({ view }) => `${view.dtype} [${view.shape.join(", ")}]`).join(", ");
    return `The GPU reported an error in ${known.label || kernel} (kernel ${kernel} on ${shapes})`;
  }
}
