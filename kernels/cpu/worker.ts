// What a worker thread runs, as text: it is started from memory (eval in Node, a Blob in a page), so that no bundler has to find a file.
// It sleeps on the generation word, joins the open job, takes chunks of tasks until none is left, and leaves.
import { argumentsAddress, control, errorTextAddress, maximumErrorLength } from "./layout.js";

/** What a worker is given at start. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly kernelNames: readonly string[];
  readonly scratch: number;
  /** How long to poll for the next job before sleeping. */
  readonly spinMicroseconds: number;
}

const body = `
const c = ${JSON.stringify(control)};
function start(data, ready) {
  const { memory, scratch } = data;
  const { exports } = new WebAssembly.Instance(data.module, { env: { memory } });
  const kernels = data.kernelNames.map((name) => exports[name]);
  const words = new Int32Array(memory.buffer, 0, 256);
  const values = new Float64Array(memory.buffer, ${argumentsAddress}, 64);
  const text = new Uint16Array(memory.buffer, ${errorTextAddress}, ${maximumErrorLength});
  const spin = data.spinMicroseconds / 1000;

  function awaitJob(seen) {
    const until = performance.now() + spin;
    do {
      for (let i = 0; i < 200; i++) if (Atomics.load(words, c.generation) !== seen) return;
    } while (performance.now() < until);
    Atomics.add(words, c.sleepers, 1);
    Atomics.wait(words, c.generation, seen);
    Atomics.sub(words, c.sleepers, 1);
  }
  /** False when the job is closed: it was finished without this thread. */
  function join() {
    for (;;) {
      const now = Atomics.load(words, c.participants);
      if (now < 0) return false;
      if (Atomics.compareExchange(words, c.participants, now, now + 1) === now) return true;
    }
  }
  function work() {
    const kernel = kernels[words[c.kernel]], tasks = words[c.tasks], chunk = words[c.chunk];
    const args = Array.from(values.subarray(0, words[c.argumentCount]));
    for (;;) {
      const begin = Atomics.add(words, c.nextTask, chunk);
      if (begin >= tasks) return;
      kernel(begin, Math.min(begin + chunk, tasks), scratch, ...args);
      Atomics.add(words, c.progress, 1);
    }
  }
  function report(error) {
    const message = String(error && error.message || error).slice(0, ${maximumErrorLength});
    for (let i = 0; i < message.length; i++) text[i] = message.charCodeAt(i);
    Atomics.store(words, c.errorLength, Math.max(1, message.length));
    Atomics.store(words, c.nextTask, 0x40000000);
  }
  ready();
  let seen = 0;
  for (;;) {
    awaitJob(seen);
    seen = Atomics.load(words, c.generation);
    if (Atomics.load(words, c.stop) === 1) return;
    if (!join()) continue;
    try { work(); } catch (error) { report(error); }
    Atomics.sub(words, c.participants, 1);
    Atomics.notify(words, c.participants);
  }
}
`;

/** For node:worker_threads. Whoever starts the thread says what it is: what is global in one differs between Node, Deno and Bun. */
export const nodeWorkerSource = `${body}
const { workerData, parentPort } = require("node:worker_threads");
start(workerData, () => parentPort.postMessage("ready"));
`;

/** For a page's Worker. */
export const webWorkerSource = `${body}
self.onmessage = (event) => { start(event.data, () => self.postMessage("ready")); self.close(); };
`;
