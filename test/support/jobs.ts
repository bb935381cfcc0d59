// Jobs for the loader's tests: what worker threads are asked to do there.
import { setTimeout as wait } from "node:timers/promises";
import { DataLoader, type Draws } from "../../data/index.js";

export interface NumberJob {
  readonly index: number;
  /** Milliseconds to wait first. */
  readonly wait?: number;
  readonly fault?: "throw" | "exit";
}

/** [the index, a random number of the sample's]. */
export async function numberJob({ index, wait: milliseconds = 0, fault }: NumberJob, draws: Draws): Promise<[number, number]> {
  if (milliseconds > 0) await wait(milliseconds);
  if (fault === "throw") throw new RangeError(`job ${index} does not like its input`);
  if (fault === "exit") process.exit(7);
  return [index, draws.uniform(0, 1)];
}

/** What no thread can send. */
export function closureJob(): () => number {
  return () => 1;
}

/** What a program does whose job is in the program itself. */
export async function loaderJob(): Promise<void> {
  const job = () => ({ module: import.meta.resolve("./jobs.js"), name: "numberJob", input: { index: 0 } });
  for await (const _ of new DataLoader({ length: 1, get: () => 0, recipe: { job, finish: () => 0 } }, { numWorkers: 1 })) break;
}
