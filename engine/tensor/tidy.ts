// tidy: for those who want memory back at a known place. Every handle made while fn runs is disposed of, except what it returns and what
// was kept.
import { takesFunction } from "../arguments.js";
import { argumentError } from "../scope.js";
import { shown } from "../spelling.js";

export interface Disposable {
  dispose(): void;
}

let open: Set<Disposable> | null = null;

export function trackForTidy(handle: Disposable): void {
  open?.add(handle);
}
/** Exempts a handle from the tidy that is running: state that outlives a step. */
export function keep<T extends Disposable>(handle: T, ...none: []): T {
  if (typeof handle?.dispose !== "function" || none.length > 0) {
    throw argumentError("keep", `got ${[handle, ...none].map(shown).join(", ")}; expected one tensor${(handle as unknown) instanceof Promise ? " (await it first)" : ""}.`);
  }
  open?.delete(handle);
  return handle;
}

/** Runs fn and disposes of every tensor it made but the ones it returns (in arrays, plain objects, maps and sets too). fn must not be async. */
export function tidy<R>(fn: () => R, ...none: []): R {
  takesFunction("tidy", fn, none);
  const outer = open;
  const made = new Set<Disposable>();
  open = made;
  try {
    const result = fn();
    if (result instanceof Promise) {
      result.catch(() => undefined); // the sentence below is the error to report
      throw argumentError("tidy", "got an async function, whose tensors would be disposed of at its first await; expected one that returns at once (tidy what stands between two awaits).");
    }
    for (const handle of handlesIn(result)) {
      if (made.delete(handle)) outer?.add(handle);
    }
    return result;
  } finally {
    open = outer;
    for (const handle of made) handle.dispose();
  }
}

function handlesIn(value: unknown): Disposable[] {
  // x.data is a function that stands for a tensor; other functions hold nothing that this scope made.
  if (typeof value === "function") return "self" in value && typeof value.self === "object" ? handlesIn(value.self) : [];
  if (typeof value !== "object" || value === null) return [];
  if ("dispose" in value && typeof value.dispose === "function") return [value as Disposable];
  return (value instanceof Map || value instanceof Set ? [...value.values()] : Object.values(value)).flatMap(handlesIn);
}
