// A pool of worker threads that do jobs (data/jobs.ts). Threads keep the process alive only while a job is under way.
import { moduleBeside } from "../engine/platform.js";
import { importNode, isNode } from "../kernels/platform.js";
import { argumentError } from "../engine/scope.js";
import { AthanorError } from "../kernels/errors.js";
import type { RandomKey } from "../kernels/types.js";
import { checkedJob, type Job, type JobReply, type JobRequest, received, uncloneable } from "./jobs.js";

type Worker = import("node:worker_threads").Worker;
interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}
interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
}

/** Flags that load code before ours; the rest (an evaluated script's, say) does not fit a worker. */
function loaderFlags(): string[] {
  const names = ["--import", "--require", "-r", "--loader", "--experimental-loader", "-C", "--conditions"];
  return process.execArgv.flatMap((flag, i, all) => {
    if (names.includes(flag)) return [flag, all[i + 1] ?? ""];
    return names.some((name) => flag.startsWith(`${name}=`)) ? [flag] : [];
  });
}

let told = false;

/** The threads' script, which is a file of the package; null, and said once, where it is not there: in a page, in a bundle. */
async function threadScript(): Promise<URL | null> {
  const script = isNode ? moduleBeside(import.meta.url, "jobThread") : null;
  if (script?.protocol === "file:") {
    const { existsSync } = await importNode<typeof import("node:fs")>("fs");
    if (existsSync(script)) return script;
  }
  if (!told) {
    told = true;
    console.warn(
      `DataLoader: worker threads need Node and the package's own files, which ${isNode ? "this bundle or origin" : "a browser"} has not; the main thread ` +
        `does their work, with the same result. ${isNode ? "Leave athanor out of the bundle (external), or set numWorkers: 0." : "Set numWorkers: 0."}`,
    );
  }
  return null;
}

/** By which a thread knows what it is. A job whose module is the program itself runs the program again in the thread, loaders and all. */
const loaderThread = "athanor: a worker thread of a DataLoader";
const threadInThread = "got worker threads inside a worker thread: the module of its job runs a DataLoader of its own, as the program itself does; " +
  "put the job's function into a file of its own that does nothing but export it.";

/** The loader tsx (TypeScript without a build) sleeps in workers unless it is called there: under it a line of code does so first. */
function startThread(script: URL, Worker: new (script: string | URL, options: import("node:worker_threads").WorkerOptions) => Worker): Worker {
  const execArgv = loaderFlags();
  const underTsx = [...execArgv, process.env.NODE_OPTIONS ?? ""].some((flag) => /\btsx\b/.test(flag));
  if (!underTsx) return new Worker(script, { execArgv, workerData: loaderThread });
  const installed = execArgv.map((flag) => /^(?:.*=)?(.*\/tsx\/dist\/)/.exec(flag)?.[1]).find((path) => path !== undefined);
  const api = installed === undefined ? "tsx/esm/api" : `${installed.startsWith("/") ? "file://" : ""}${installed}esm/api/index.mjs`; // npx keeps it elsewhere
  const code = `import(${JSON.stringify(api)}).then(({ register }) => { register(); return import(${JSON.stringify(script.href)}); })`;
  return new Worker(code, { eval: true, execArgv: [], workerData: loaderThread });
}

export class WorkerPool {
  #threads: Promise<Thread[]> | undefined;
  #failure: Error | null = null;
  #nextId = 0;

  constructor(readonly size: number) {}

  /** The pool does no more jobs: it was closed, or a thread died. */
  get ended(): boolean {
    return this.#failure !== null;
  }

  /** Does the job in the thread that has the least to do; null where threads cannot be had. */
  async run(job: () => Job, key: RandomKey): Promise<{ readonly made: unknown } | null> {
    this.#threads ??= this.#start();
    const threads = await this.#threads;
    if (this.#failure !== null) throw this.#failure;
    return threads.length === 0 ? null : { made: await this.#send(threads, checkedJob(job()), key) };
  }

  #send(threads: readonly Thread[], job: Job, key: RandomKey): Promise<unknown> {
    const thread = threads.reduce((least, other) => (other.pending.size < least.pending.size ? other : least));
    const request: JobRequest = { id: this.#nextId++, job, key };
    return new Promise((resolve, reject) => {
      try {
        thread.worker.postMessage(request);
      } catch (error) {
        reject(uncloneable("the input of", job.name, error)); // nothing was sent: the thread stays idle and holds no process
        return;
      }
      if (thread.pending.size === 0) thread.worker.ref();
      thread.pending.set(request.id, { resolve, reject });
    });
  }

  /** Ends the threads; jobs under way are given up. */
  async close(): Promise<void> {
    const threads = await this.#threads?.catch(() => []);
    this.#fail(new AthanorError("The worker threads of the DataLoader were closed."), threads ?? []);
    await Promise.all((threads ?? []).map(({ worker }) => {
      worker.ref(); // whoever awaits the end must see it: with nothing but threads it does not wait for, the process would end first
      return worker.terminate();
    }));
  }

  async #start(): Promise<Thread[]> {
    const script = await threadScript();
    if (script === null) return [];
    const { Worker, workerData } = await importNode<typeof import("node:worker_threads")>("worker_threads");
    if (workerData === loaderThread) throw argumentError("DataLoader", threadInThread);
    const threads: Thread[] = [];
    for (let i = 0; i < this.size; i++) {
      const thread: Thread = { worker: startThread(script, Worker), pending: new Map() };
      thread.worker.on("message", (reply: JobReply) => settle(thread, reply));
      thread.worker.on("error", (error) => this.#fail(deathOf(error.message), threads));
      thread.worker.on("exit", (code) => this.#fail(deathOf(`it exited with code ${code}`), threads));
      thread.worker.unref();
      threads.push(thread);
    }
    return threads;
  }

  /** Jobs under way and to come fail with the first reason. */
  #fail(error: Error, threads: readonly Thread[]): void {
    this.#failure ??= error;
    for (const { pending, worker } of threads) {
      if (pending.size > 0) worker.unref(); // not the idle ones: one that is being terminated must keep the process until it ended
      for (const { reject } of pending.values()) reject(this.#failure);
      pending.clear();
    }
  }
}

function settle({ worker, pending }: Thread, reply: JobReply): void {
  const waiting = pending.get(reply.id);
  if (waiting === undefined) return; // a reply that came after the pool was closed: the thread is being terminated, and must stay referenced
  pending.delete(reply.id);
  if (pending.size === 0) worker.unref();
  if ("error" in reply) waiting.reject(received(reply.error));
  else waiting.resolve(reply.value);
}

function deathOf(reason: string): AthanorError {
  return new AthanorError(`A worker thread of the DataLoader died: ${reason}. Try numWorkers: 0, which runs the same work on the main thread.`);
}
