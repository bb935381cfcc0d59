// What differs between Node and a browser for the CPU device: how many cores there are, how a worker is started, and whether the main
// thread may sleep. Node's modules are loaded only when threads are asked for.
import { importNode, isNode } from "../platform.js";
import { type WorkerStart, nodeWorkerSource, webWorkerSource } from "./worker.js";

/** A page's main thread must not block in Atomics.wait; Node's may, and so may a worker. */
export const mayBlock = isNode || typeof window === "undefined";

/** Whether threads can share memory here: a page needs cross-origin isolation for it. */
export function canShareMemory(): boolean {
  return typeof SharedArrayBuffer !== "undefined" && (isNode || (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true);
}

const isolatingHeaders = "with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp for more threads";
/** What a page lacks where canShareMemory() says no. */
export const unsharedReason = (globalThis as { isSecureContext?: boolean }).isSecureContext === false
  ? `the page is not a secure context; serve it over HTTPS or from localhost, ${isolatingHeaders}`
  : `the page is not cross-origin isolated; serve it ${isolatingHeaders}`;

export async function availableThreads(): Promise<number> {
  if (!isNode) return navigator.hardwareConcurrency || 1;
  const os = await importNode<typeof import("node:os")>("os");
  return os.availableParallelism();
}

export interface WorkerHandle {
  /** Ends the thread, whatever it does. */
  terminate(): Promise<void>;
}

/** Resolves once the worker has instantiated the module and waits for jobs. */
export function startWorker(start: WorkerStart): Promise<WorkerHandle> {
  return isNode ? startNodeWorker(start) : startWebWorker(start);
}

async function startNodeWorker(start: WorkerStart): Promise<WorkerHandle> {
  const { Worker } = await importNode<typeof import("node:worker_threads")>("worker_threads");
  // No flags of the process: --input-type=module would make the text an ES module, --import would load a program's hooks in every thread.
  const worker = new Worker(nodeWorkerSource, { eval: true, workerData: start, execArgv: [] });
  await new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`A worker thread of the cpu device ended with code ${code} before it was ready.`)));
  });
  worker.removeAllListeners();
  // A worker that dies later is found by the job it leaves unfinished; without a listener its error would end the process.
  worker.on("error", () => undefined);
  worker.unref();
  return { terminate: async () => void (await worker.terminate()) };
}

async function startWebWorker(start: WorkerStart): Promise<WorkerHandle> {
  const url = URL.createObjectURL(new Blob([webWorkerSource], { type: "text/javascript" }));
  try {
    const worker = new Worker(url);
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = (event) => {
        worker.terminate();
        // Without a message no line of it ran: the page's policy refused its address.
        reject(new Error(event.message ? `a worker did not start: ${event.message}` : forbiddenWorkers));
      };
      worker.postMessage(start);
    });
    return { terminate: async () => worker.terminate() };
  } finally {
    URL.revokeObjectURL(url);
  }
}

const forbiddenWorkers = "the page's Content-Security-Policy forbids workers from memory; allow worker-src blob: for more threads";
