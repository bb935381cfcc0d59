// What worker threads are asked to do. A thread cannot be given a closure: a job is the name of an exported function, the module it is in, and
// plain data for it.
import { DataFileError, MissingFileError } from "./idx.js";
import { argumentError } from "../engine/scope.js";
import { shown } from "../engine/spelling.js";
import { ArgumentError } from "../kernels/errors.js";
import type { RandomKey } from "../kernels/types.js";
import type { Draws } from "./draws.js";

export interface Job {
  /** The module's URL, such as `new URL("./decode.js", import.meta.url).href`. */
  readonly module: string;
  /** A function it exports: (input, draws) => value or promise. The value must be one that can be sent between threads. */
  readonly name: string;
  readonly input: unknown;
}

/** A sample in two halves: what a worker thread makes, and what is done with it here. `get` must give the same as both together. */
export interface WorkerRecipe<Sample> {
  job(index: number): Job;
  /** On the main thread, with the same draws as the job got: there are closures, labels, whatever cannot be sent. */
  finish(index: number, made: unknown, draws: Draws): Sample | Promise<Sample>;
}

const like = '{ module: new URL("./samples.js", import.meta.url).href, name: "makeSample", input }';
/** Refuses what no thread can find: a path, for one, has no place to start from there. */
export function checkedJob(job: unknown): Job {
  const { module, name } = typeof job === "object" && job !== null ? (job as Partial<Record<"module" | "name", unknown>>) : {};
  if (typeof module !== "string" || typeof name !== "string") throw argumentError("recipe.job", `gave ${shown(job)}; expected ${like}.`);
  if (!/^[a-z][a-z+.-]+:/i.test(module)) throw argumentError("recipe.job", `gave the module ${shown(module)}; expected its whole URL: ${like}.`);
  return job as Job;
}
export function checkRecipe(callee: string, recipe: unknown): void {
  const { job, finish } = typeof recipe === "object" && recipe !== null ? (recipe as Partial<Record<"job" | "finish", unknown>>) : {};
  if (typeof job === "function" && typeof finish === "function") return;
  throw argumentError(callee, `got the recipe ${shown(recipe)}; expected { job: (index) => (${like}), finish: (index, made) => made }.`);
}

export interface JobRequest {
  readonly id: number;
  readonly job: Job;
  readonly key: RandomKey;
}
export type JobReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: SentError };

/** What structured cloning refuses, functions and instances with private parts for example, in a sentence. */
export function uncloneable(what: string, name: string, cause: unknown): ArgumentError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ArgumentError(
    `${what} the job ${name} cannot be sent to or from a worker thread (${reason}); expected plain data: numbers, strings, typed arrays, lists and ` +
      "records of them.",
    { cause },
  );
}

/** An error as plain data: an instance would arrive without its class. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

export function sendable(error: unknown): SentError {
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack };
  return { name: "Error", message: String(error), stack: undefined };
}

/** The error with its class again, where it is one of ours. */
export function received({ name, message, stack }: SentError): Error {
  const classes: Readonly<Record<string, new (message: string) => Error>> = { DataFileError, MissingFileError, ArgumentError };
  const error = new (classes[name] ?? Error)(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
