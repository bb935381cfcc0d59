// What differs between Node and a browser for the engine: asking for a garbage collection and yielding so that finalizers run. Node's
// modules are loaded dynamically, so that a browser bundle takes this file as it is.

import { importNode } from "../kernels/platform.js";

export { importNode };
export const isNode = typeof process !== "undefined" && typeof process.versions?.node === "string";

let collector: Promise<(() => void) | null> | undefined;

/** V8's gc() where it can be had (Node: about 2 ms on a training loop's heap), else null. */
function findCollector(): Promise<(() => void) | null> {
  collector ??= (async () => {
    if (!isNode) return null;
    const v8 = await importNode<typeof import("node:v8")>("v8");
    const vm = await importNode<typeof import("node:vm")>("vm");
    v8.setFlagsFromString("--expose-gc");
    const gc: unknown = vm.runInNewContext("gc");
    return typeof gc === "function" ? () => void gc() : null;
  })();
  return collector;
}

/** One turn of the event loop's task queue: finalizers run after it, not after microtasks. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => (typeof setImmediate === "function" ? setImmediate(resolve) : setTimeout(resolve, 0)));
}

/** Collects garbage and lets the finalizers run; resolves to false where that cannot be asked for. After one turn the finalizers' own task may
 *  still be queued behind it (seen: the first collection freed nothing), after two it has run. */
export async function collectGarbage(): Promise<boolean> {
  const gc = await findCollector();
  if (gc === null) return false;
  gc();
  await nextTurn();
  await nextTurn();
  return true;
}
