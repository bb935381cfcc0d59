// Sequential, and how it runs its modules. Nobody sees what passes between two layers of this library without hooks, so that a ReLU can join
// the layer before it (one kernel less, one activation less in memory), and the handle between them is let go of at once.
import type { Tensor } from "../engine/index.js";
import { aTensor } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { isPlainObject, shown } from "../engine/spelling.js";
import { takesOne } from "./arguments.js";
import { runAs } from "./calls.js";
import { checkedModule, entryAt } from "./entries.js";
import { ReLU } from "./layers/activations.js";
import { Module, type Unnamed } from "./module.js";
import { canActivate, isPrivate } from "./passing.js";

/** Chains modules: each one's output is the next one's input. From a list, an object or a Map of named modules. */
export class Sequential extends Module {
  /** @internal */
  static readonly keeps = "as its modules";
  private readonly entries: Map<string, Module>;

  constructor(named: Readonly<Record<string, Module>> | ReadonlyMap<string, Module>);
  constructor(...modules: readonly Module[]);
  constructor(...given: readonly (Module | Readonly<Record<string, Module>> | ReadonlyMap<string, Module>)[]) {
    super();
    const [first] = given;
    const named = given.length === 1 && (Array.isArray(first) || first instanceof Map || isPlainObject(first)) ? (first as Readonly<Record<string, Module>> | ReadonlyMap<string, Module>) : null;
    const listed = given.map((module, i) => [String(i), module] as const);
    const entries = named === null ? listed : named instanceof Map ? [...named] : Object.entries(named);
    this.entries = new Map(entries.map(([name, module]) => [name, checkedModule("Sequential", module as Module)]));
  }
  protected override members(): Iterable<readonly [string, unknown]> {
    return [...this.entries, ...super.members()];
  }
  override get length(): number {
    return this.entries.size;
  }
  [Symbol.iterator](): Iterator<Module> {
    return this.entries.values();
  }
  /** By place (negative: from the end) or by name. Which class it is, the caller knows: `model.at(0).weight`, or checked, `model.at<nn.Linear>(0)`. */
  at<M extends Module = Unnamed>(index: number | string, ...none: []): M;
  at(index: number | string, ...none: []): Module {
    takesOne("Sequential.at", none);
    const module = typeof index === "string" ? this.entries.get(index) : entryAt("Sequential.at", [...this.entries.values()], index);
    if (module === undefined) throw argumentError("Sequential.at", `got "${index}"; expected one of ${[...this.entries.keys()].join(", ")}.`);
    return module;
  }
  /** @internal */
  override entry(index: number): Module {
    return this.at(index);
  }
  /** @internal model[3] = module takes the place of the one that is there. */
  override setEntry(index: number, module: unknown): void {
    const name = entryAt("Sequential", [...this.entries.keys()], index);
    this.entries.set(name, checkedModule(`Sequential[${index}] = …`, module as Module));
  }
  push(module: Module, ...none: []): this {
    takesOne("Sequential.push", none);
    this.entries.set(String(this.length), checkedModule("Sequential.push", module));
    return this;
  }
  forward(x: Tensor): Tensor {
    return runChain([...this.entries.values()], x);
  }
}
/** model[0] is model.at(0). */
export interface Sequential {
  [index: number]: Unnamed;
}

function isPlainReLU(module: Module | undefined): boolean {
  return module !== undefined && module.constructor === ReLU && isPrivate(module);
}

/** The chain's calls, a layer and the ReLU behind it as one. */
function* steps(modules: readonly Module[]): Generator<{ readonly hidden: boolean; readonly run: (x: Tensor) => Tensor }> {
  for (let i = 0; i < modules.length; i++) {
    const module = modules[i];
    if (module === undefined) continue;
    if (canActivate(module) && isPlainReLU(modules[i + 1])) {
      i++;
      yield { hidden: true, run: (x) => runAs(module, () => module.activated(x, "relu")) };
    } else {
      yield { hidden: isPrivate(module), run: (x) => module(x) };
    }
  }
}

function notOneTensor(value: unknown): Error {
  return argumentError(
    "Sequential", `a module gave ${shown(value)}, which the layer after it cannot take; expected one tensor ` +
      "(an LSTM, GRU or RNN gives [output, state]: put a module behind it whose forward takes the pair and gives output).",
  );
}

/** @internal Feeds x through the modules. An intermediate is disposed of when it was made here and both its maker and its reader are private; a layer
 *  that gives back its input (Identity, Dropout in evaluation) makes nothing. `owned` says that x was made by the caller, who needs it no longer. */
export function runChain(modules: readonly Module[], x: Tensor, owned = false): Tensor {
  let value = x, disposable = owned;
  for (const { hidden, run } of steps(modules)) {
    if (hidden && !aTensor.takes(value)) throw notOneTensor(value);
    const next = run(value);
    if (next === value) {
      disposable &&= hidden;
      continue;
    }
    if (disposable && hidden) value.dispose();
    disposable = hidden;
    value = next;
  }
  return value;
}
