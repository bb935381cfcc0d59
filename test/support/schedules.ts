// Schedulers from what a fixture row says of them, as test/fixtures/spelling.py builds PyTorch's.
import { optim } from "../../index.js";

export interface ScheduleSpec {
  readonly name: string;
  readonly args?: readonly unknown[];
  readonly options?: Readonly<Record<string, unknown>>;
  /** For SequentialLR and ChainedScheduler. */
  readonly schedulers?: readonly ScheduleSpec[];
  readonly milestones?: readonly number[];
}
export type Scheduler = optim.LRScheduler | optim.ReduceLROnPlateau;

const functions: Readonly<Record<string, (x: number) => number>> = {
  inverse: (epoch) => 1 / (1 + epoch),
  power: (epoch) => 0.95 ** epoch,
  tenths: (epoch) => (epoch % 10 === 0 ? 0.5 : 1),
  constant: () => 0.97,
  reciprocal: (x) => 1 / x,
};

/** {"function": name} stands for one of the functions, anything else for itself. */
function value(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(value);
  return typeof given === "object" && given !== null && "function" in given ? functions[String(given.function)] : given;
}

/** An exported class by its name, which the fixtures take from PyTorch. */
export function construct(name: string, given: readonly unknown[]): unknown {
  const found: unknown = Reflect.get(optim, name);
  if (typeof found !== "function") throw new Error(`The fixtures have a row for ${name}, which optim does not export.`);
  return Reflect.construct(found, given);
}

export function scheduler(spec: ScheduleSpec, optimizer: optim.Optimizer): Scheduler {
  const built = construct(spec.name, argumentsOf(spec, optimizer));
  if (built instanceof optim.LRScheduler || built instanceof optim.ReduceLROnPlateau) return built;
  throw new Error(`optim.${spec.name} is no scheduler.`);
}
function argumentsOf({ args = [], options = {}, schedulers, milestones }: ScheduleSpec, optimizer: optim.Optimizer): unknown[] {
  if (schedulers) {
    const parts = schedulers.map((part) => scheduler(part, optimizer));
    return milestones ? [optimizer, parts, milestones] : [parts];
  }
  const named = Object.fromEntries(Object.entries(options).map(([name, given]) => [name, value(given)]));
  return [optimizer, ...args.map(value), ...(Object.keys(named).length > 0 ? [named] : [])];
}

export function optimizerOf(name: string, params: unknown, options: object): optim.Optimizer {
  const optimizer = construct(name, [params, options]);
  if (!(optimizer instanceof optim.Optimizer)) throw new Error(`optim.${name} is not an Optimizer.`);
  return optimizer;
}
