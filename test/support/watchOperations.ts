// Which of the engine's operations have run, who asked for them, and which kernels they started: for the tests that hold the records to what
// they say of themselves, and that fail where an operation has no fixture.
import type { Device } from "../../index.js";
import { operations } from "../../engine/op.js";

export interface Watched {
  /** What ran forward, or made its views. */
  readonly seen: Set<string>;
  /** What a function, a method or a layer ran, and not the formula of another operation. */
  readonly called: Set<string>;
  /** The kernels that an operation started on the watched devices, those of the operations inside it included. */
  readonly kernels: Map<string, Set<string>>;
  /** Counts the kernels of a device. */
  watch(device: Device): void;
}

/** Watches every operation from now on. */
export function watchOperations(): Watched {
  const seen = new Set<string>(), called = new Set<string>(), kernels = new Map<string, Set<string>>();
  /** The operations that are running, outermost first; null for a backward. */
  const running: (string | null)[] = [];
  const within = (name: string | null, run: () => unknown): unknown => {
    running.push(name);
    try {
      return run();
    } finally {
      running.pop();
    }
  };
  for (const [name, operation] of operations) {
    for (const method of ["forward", "views", "viewOrCopy", "backward"] as const) {
      wrap(operation, method, (run) => {
        if (method === "backward") return within(null, run);
        seen.add(name);
        if (running.length === 0) called.add(name);
        return within(name, run);
      });
    }
  }
  const started = (kernel: string) => {
    for (const name of running) if (name !== null) kernels.set(name, (kernels.get(name) ?? new Set()).add(kernel));
  };
  const watch = (device: Device) => {
    for (const kernel of Object.keys(device.kernels)) {
      wrap(device.kernels, kernel, (run) => {
        started(kernel);
        return run();
      });
    }
  };
  return { seen, called, kernels, watch };
}

/** Puts `around` around a method, if there is one of that name. */
function wrap(owner: object, method: string, around: (run: () => unknown) => unknown): void {
  const original: unknown = Reflect.get(owner, method);
  if (typeof original !== "function") return;
  Reflect.set(owner, method, (...given: unknown[]): unknown => around(() => Reflect.apply(original, owner, given)));
}
