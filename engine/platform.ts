// What differs between Node and a browser: files, asking for a garbage collection and yielding so that finalizers run. Node's modules are loaded
// dynamically, so that a browser bundle takes this file as it is.

import { AthanorError } from "../kernels/errors.js";
import { importNode, isNode } from "../kernels/platform.js";

/** Throws this sentence, which says what needs Node and what to do instead, where there is no Node. */
export function needNode(sentence: string): void {
  if (!isNode) throw new AthanorError(sentence);
}

/** Node's file functions; the sentence where there is no Node. */
export async function fileSystem(sentence: string): Promise<typeof import("node:fs/promises")> {
  needNode(sentence);
  return importNode<typeof import("node:fs/promises")>("fs/promises");
}

/** A value that follows a task through its awaits and reaches no other. */
export interface TaskLocal<Value> {
  getStore(): Value | undefined;
  run<Result>(value: Value, fn: () => Result): Result;
}

/** Hands over AsyncLocalStorage: at once in Node from 20.16 on, in Deno and in Bun; in an older Node a moment later; never in a page. */
export function withTaskLocal<Value>(found: (local: TaskLocal<Value>) => void): void {
  if (!isNode) return;
  const { getBuiltinModule } = process as { getBuiltinModule?: (name: string) => typeof import("node:async_hooks") };
  if (getBuiltinModule !== undefined) found(new (getBuiltinModule("node:async_hooks").AsyncLocalStorage)<Value>());
  else void importNode<typeof import("node:async_hooks")>("async_hooks").then(({ AsyncLocalStorage }) => found(new AsyncLocalStorage<Value>()));
}

/** The URL of a module of ours beside the one at `url`; null where that has none: a bundle in CommonJS or for a script tag knows no URL of itself. */
export function moduleBeside(url: string | undefined, name: string): URL | null {
  return url === undefined ? null : new URL(`./${name}${url.endsWith(".ts") ? ".ts" : ".js"}`, url);
}

/** Finds a package's file as seen from the module at `url`, or, without one, from the folder the program was started in. Node only. */
export async function packageResolver(url: string | undefined): Promise<(file: string) => string> {
  const { createRequire } = await importNode<typeof import("node:module")>("module");
  return createRequire(url ?? `${process.cwd()}/program.js`).resolve;
}

let collector: Promise<(() => void) | null> | undefined;

/** The engine's own gc() where it can be had (Node: about 2 ms on a training loop's heap), else null. */
function findCollector(): Promise<(() => void) | null> {
  collector ??= isNode ? exposedCollector().catch(() => null) : Promise.resolve(null);
  return collector;
}

async function exposedCollector(): Promise<(() => void) | null> {
  const { Bun } = globalThis as { readonly Bun?: { gc(synchronously: boolean): void } };
  if (Bun !== undefined) return () => Bun.gc(true);
  const v8 = await importNode<typeof import("node:v8")>("v8");
  const vm = await importNode<typeof import("node:vm")>("vm");
  v8.setFlagsFromString("--expose-gc");
  const gc: unknown = vm.runInNewContext("gc");
  return typeof gc === "function" ? () => void gc() : null;
}

/** One turn of the event loop's task queue: finalizers run after it, not after microtasks. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => atNextTurn(resolve));
}

/** Calls back at the next turn; a process that has nothing else to do does not wait for it. In a page not through a timer: those of a hidden
 *  page are held back for a second and more. */
export function atNextTurn(callback: () => void, keepsProcess = true): void {
  if (typeof setImmediate === "function") {
    const turn = setImmediate(callback);
    if (!keepsProcess) turn.unref();
    return;
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(null);
}

/** Collects garbage and lets the finalizers run. After one turn the finalizers' own task may still be queued behind it (seen: the first
 *  collection freed nothing), after two it has run. Where no collection can be asked for (a page) the turns alone let go of what the
 *  collector found unasked: a loop that awaits nothing but settled promises takes none by itself. */
export async function collectGarbage(): Promise<void> {
  (await findCollector())?.();
  await nextTurn();
  await nextTurn();
}

/** Unpacks deflate's raw form at once, to at most `size` bytes; null where the platform cannot (a browser, an old Node). */
export function inflateNow(packed: Uint8Array, size: number): Uint8Array | null {
  if (!isNode || typeof process.getBuiltinModule !== "function") return null;
  return size === 0 ? new Uint8Array(0) : process.getBuiltinModule("node:zlib").inflateRawSync(packed, { maxOutputLength: size });
}
