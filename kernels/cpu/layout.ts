// Where things lie in the one memory that all threads share: a first page for the runtime's own words, then each thread's scratch, then the
// heap (allocator.ts). Addresses are bytes.

/** Words of the thread pool, as indices into an Int32Array at address 0. Each sits on its own cache line: they are polled. */
export const control = {
  /** The sleeping threads' futex: counts the jobs. */
  generation: 16,
  /** Threads at work on the open job; the top bit says that the job takes no more. */
  participants: 32,
  /** The next task nobody has taken. */
  nextTask: 48,
  /** Threads that sleep or are about to. */
  sleepers: 64,
  /** Chunks finished since the start: a thread that died stops counting. */
  progress: 80,
  /** Length of a failed worker's message at errorText; 0 while all is well. */
  errorLength: 96,
  /** The job: kernel's index, number of tasks, tasks taken at a time, number of arguments. */
  kernel: 112,
  tasks: 113,
  chunk: 114,
  argumentCount: 115,
  /** 1: the threads shall end. */
  stop: 116,
} as const;

export const closedBit = -0x80000000;
export const argumentsAddress = 1024; // f64 values
export const maximumArguments = 64;
export const errorTextAddress = 2048; // UTF-16 code units
export const maximumErrorLength = 512;
/** Shapes and strides of the job at hand, written by the caller's thread before a run. */
export const parametersAddress = 4096;
export const parametersBytes = 32768;
export const scratchStart = 65536;
export const scratchBytes = 2 * 1024 * 1024;
export const pageBytes = 65536;
