// tidy: for those who want memory back at a known place. Every handle made while fn runs is disposed of, except what it returns and what
// was kept.
export interface Disposable {
  dispose(): void;
}

let open: Set<Disposable> | null = null;

export function trackForTidy(handle: Disposable): void {
  open?.add(handle);
}
/** Exempts a handle from the tidy that is running: state that outlives a step. */
export function keep<T extends Disposable>(handle: T): T {
  open?.delete(handle);
  return handle;
}

/** Runs fn and disposes of every tensor it made but the ones it returns (in arrays and plain objects too). fn must not be async. */
export function tidy<R>(fn: () => R): R {
  const outer = open;
  const made = new Set<Disposable>();
  open = made;
  try {
    const result = fn();
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
  if (typeof value !== "object" || value === null) return [];
  if ("dispose" in value && typeof value.dispose === "function") return [value as Disposable];
  return Object.values(value).flatMap(handlesIn);
}
