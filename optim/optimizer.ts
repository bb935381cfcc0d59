// Optimizer: parameter groups with options of their own, states by parameter, and a step that updates a whole group in one fused kernel.
// What an optimizer computes is a row of kernels/updates.ts; what its scalars are at a step, its own file says.
import type { UpdateName } from "../kernels/updates.js";
import { Tensor, full, noGrad } from "../engine/index.js";
import { type Call, checkedOptions, Signature, takesNothing, takesOne } from "../engine/arguments.js";
import { aBoolean, aFunction, anObject, finiteNumbers, fromZero, type Kind, kind } from "../engine/kinds.js";
import { isPlainObject, shown } from "../engine/spelling.js";
import { answerMisses, fromSnakeCase } from "../engine/misses.js";
import { argumentError } from "../engine/scope.js";
import { formatShape } from "../engine/shape.js";
import { inspected } from "../engine/text/inspect.js";
import { applyUpdate } from "./applyUpdate.js";
import { type OptimizerStateDict, type ParameterState, checkKept, loadedStates, stateToDict } from "./state.js";
import { optimizerText } from "./text.js";

/** Options by group, and the tensors they hold for. Change an option between steps to schedule it: `paramGroups[0].lr = …`. */
export type ParameterGroup<Options> = Options & Scheduled & { params: Tensor[] };
type Groups<Options> = ParameterGroup<Options>[] & { 0: ParameterGroup<Options> };
/** What a constructor takes for a group: what it leaves out comes from the optimizer's options. */
export type GroupInput<Options> = Partial<Options> & Scheduled & { readonly params: Tensor | Iterable<Tensor> };
/** Tensors, or groups of them. */
export type ParametersInput<Options> = Iterable<Tensor> | Iterable<GroupInput<Options>>;

/** The first argument of every optimizer. */
export function parametersOf<Options>(): Kind<ParametersInput<Options>> {
  const isWalkable = (value: unknown) => typeof value === "object" && value !== null && !(value instanceof Tensor) && Symbol.iterator in value;
  return kind("parameters, as model.parameters() gives them, or groups { params, … }", isWalkable, {
    hint: (value) => {
      if (value instanceof Tensor) return " (put it in a list: [tensor])";
      if (typeof value !== "function") return "";
      return "parameters" in value ? " (call model.parameters())" : " (call it: model.parameters())";
    },
  });
}
/** What PyTorch chooses an implementation by: here every step is fused, and both are obeyed as they are. */
export const implementationHints = [["foreach", aBoolean, null], ["fused", aBoolean, null]] as const;

/** Decays of two moments. */
export const momentDecays: Kind<readonly [number, number]> = kind(
  "two numbers from 0 to below 1", (value) => finiteNumbers.takes(value) && value.length === 2,
);

/** What a scheduler leaves in a group: the learning rate it started from. Given to a constructor it lets a scheduler start at an epoch. */
interface Scheduled {
  initialLr?: number;
}
/** One fused update: the row, the states it keeps for each parameter (PyTorch's names), and its scalars at this step. */
export interface UpdatePlan {
  readonly row: UpdateName;
  readonly states: readonly string[];
  readonly scalars: readonly number[];
  /** What the step leaves behind besides tensors: numbers that the parameter's next plan gets. */
  readonly numbers?: Readonly<Record<string, number>>;
}
export interface CommonOptions {
  lr: number;
  /** Climb instead of descend. Default false. */
  maximize: boolean;
}
/** setToNone: whether gradients become null or zeros. */
const zeroing = new Signature("zeroGrad", [["setToNone", aBoolean, true]]);
const stepping = new Signature("step", [["closure", aFunction<() => unknown>("a function that computes the loss and its gradients, and returns the loss"), undefined]]);
const restoring = new Signature("loadStateDict", [["stateDict", anObject<OptimizerStateDict>("what stateDict() gave")]]);
/** Parameters of one group that are at the same step with the same numbers: one fused update. */
interface Batch {
  readonly step: number;
  readonly numbers: Readonly<Record<string, number>>;
  readonly members: { readonly param: Tensor; readonly grad: Tensor }[];
}

export abstract class Optimizer<Options extends CommonOptions = CommonOptions> {
  /** There is at least one. */
  readonly paramGroups = [] as ParameterGroup<Options>[] as Groups<Options>;
  /** What is remembered about each parameter, from its first step on. */
  readonly state = new Map<Tensor, ParameterState>();
  readonly #defaults: Options;
  #stepCount = 0;

  /** `defaults` are the options of groups that do not say otherwise. */
  constructor(params: ParametersInput<Options>, defaults: Options) {
    this.#defaults = defaults;
    const items = [...params];
    if (items.length === 0) {
      throw argumentError(this.#name, "got no parameters; expected model.parameters() of a model that has some, or groups of them.");
    }
    const odd = items.find((item) => !(item instanceof Tensor || (isPlainObject(item) && "params" in item)));
    if (odd !== undefined) throw argumentError(this.#name, `got ${shown(odd)} among the parameters; expected tensors, or groups { params, … }.`);
    const groups = items.filter((item): item is GroupInput<Options> => !(item instanceof Tensor));
    const tensors = items.filter((item): item is Tensor => item instanceof Tensor);
    if (groups.length > 0 && tensors.length > 0) {
      throw argumentError(this.#name, "got tensors and groups mixed; expected all tensors, or all { params, ... }.");
    }
    if (tensors.length > 0) this.#addGroup(tensors, {});
    for (const group of groups) this.addParamGroup(group);
  }
  get #name(): string {
    return `optim.${this.constructor.name}`;
  }
  /** How many times step() was called. */
  get stepCount(): number {
    return this.#stepCount;
  }

  /** Throws a sentence where a group's options cannot be. */
  protected abstract check(group: ParameterGroup<Options>): void;
  /** The update of a group's parameters at their step number `step`, counted from 1, with the numbers that the step before it left. */
  protected abstract plan(group: ParameterGroup<Options>, step: number, numbers: Readonly<Record<string, number>>): UpdatePlan;
  /** What a state holds before the first step. */
  protected initialState(_group: ParameterGroup<Options>): number {
    return 0;
  }
  /** A sentence about an option of this optimizer. */
  protected refuse(condition: boolean, option: string, got: unknown, expected: string): void {
    if (condition) {
      throw argumentError(this.#name, `got ${option} ${typeof got === "object" ? JSON.stringify(got) : String(got)}; expected ${expected}.`);
    }
  }
  protected refuseBetas(betas: unknown): void {
    const fits = Array.isArray(betas) && betas.length === 2 && betas.every((beta) => beta >= 0 && beta < 1);
    this.refuse(!fits, "betas", betas, "two numbers from 0 to below 1");
  }
  protected refuseNegative<Name extends keyof Options & string>(group: ParameterGroup<Options>, ...names: readonly Name[]): void {
    for (const name of names) this.refuse(!fromZero.takes(group[name]), name, group[name], fromZero.says);
  }

  /** Adds parameters with options of their own, a layer that is unfrozen later for example. */
  addParamGroup(group: GroupInput<Options>, ...none: []): void {
    takesOne(`${this.#name}.addParamGroup`, none);
    if (!isPlainObject(group) || !("params" in group)) throw argumentError(`${this.#name}.addParamGroup`, `got ${shown(group)}; expected { params, … }${(group as unknown) instanceof Promise ? " (await it first)" : ""}.`);
    const { params, ...options } = group;
    const list = parametersOf<Options>();
    if (!(params instanceof Tensor) && !list.takes(params)) {
      throw argumentError(this.#name, `got params ${shown(params)} in a group; expected tensors${list.hint?.(params) ?? ""}.`);
    }
    this.#addGroup(params instanceof Tensor ? [params] : [...params], options);
  }
  #addGroup(params: Tensor[], options: object): void {
    // A misspelt option would be ignored in silence.
    const given = checkedOptions(this.#name, [...optionNames(this.#defaults), "initialLr"], options);
    for (const [name, value] of Object.entries(given)) this.#checkKind(name, value);
    const group: ParameterGroup<Options> = { ...this.#defaults, ...given, params };
    const known = new Set(this.paramGroups.flatMap((g) => g.params));
    for (const param of params) {
      if (!(param instanceof Tensor)) throw argumentError(this.#name, `got ${shown(param)} among the parameters of a group; expected tensors.`);
      if (param.disposed) throw argumentError(this.#name, `got a tensor that was disposed of among the parameters; expected tensors that are in use.`);
      if (known.has(param)) {
        throw argumentError(this.#name, `a parameter of shape ${formatShape(param.shape)} appears twice; give each to one group, once.`);
      }
      if (!param.isLeaf) {
        throw argumentError(
          this.#name,
          `got the result of an operation, of shape ${formatShape(param.shape)}; only leaves (parameters) can be optimized.`,
        );
      }
      if (!param.isContiguous || param.dtype !== "float32") {
        throw argumentError(
          this.#name,
          `got a ${param.dtype} tensor of shape ${formatShape(param.shape)}${param.isContiguous ? "" : " that is a strided view"}; ` +
            "expected contiguous float32.",
        );
      }
      known.add(param);
    }
    this.check(group);
    this.paramGroups.push(group);
  }

  /** A group's options are of the kinds that the optimizer's own are. */
  #checkKind(name: string, value: unknown): void {
    const own = Object.entries(this.#defaults).find(([option]) => option === name)?.[1];
    const fits = typeof value === typeof own && Array.isArray(value) === Array.isArray(own);
    if (own === undefined || fits) return;
    throw argumentError(this.#name, `got ${name} ${shown(value)} in a group; expected ${Array.isArray(own) ? "a list of numbers" : `a ${typeof own}`}.`);
  }

  /** Forgets all gradients; with setToNone false they become zeros. */
  zeroGrad(...given: Call<typeof zeroing>): void {
    const [setToNone] = zeroing.read(given);
    for (const { params } of this.paramGroups) {
      for (const param of params) {
        if (setToNone) param.clearGrad();
        else param.ownGrad?.zero_();
      }
    }
  }

  /** Updates every parameter that has a gradient. A closure, if given, runs first and its result is given back. */
  step(): void;
  step<R>(closure: (() => R) | { readonly closure: () => R }): R;
  step<R>(...given: unknown[]): R | void {
    const [closure] = stepping.read(given) as [(() => R) | undefined];
    const result = closure?.();
    if (result instanceof Promise) {
      result.catch(() => undefined); // the sentence below is the error to report
      throw argumentError(`${this.#name}.step`, "got an async closure, whose gradients are not there yet; expected one that returns at once (await the loss after step()).");
    }
    noGrad(() => this.paramGroups.forEach((group) => this.#stepGroup(group)));
    this.#stepCount++;
    return result;
  }
  #stepGroup(group: ParameterGroup<Options>): void {
    this.check(group); // options may have changed since the last step
    const batches: Batch[] = []; // nearly always one
    for (const param of group.params) {
      const grad = param.ownGrad;
      if (grad === null) continue;
      const { step, numbers = noNumbers } = this.state.get(param) ?? { step: 0 };
      let batch = batches.find((other) => other.step === step + 1 && sameNumbers(other.numbers, numbers));
      if (batch === undefined) batches.push((batch = { step: step + 1, numbers, members: [] }));
      batch.members.push({ param, grad });
    }
    for (const batch of batches) this.#update(group, batch);
  }
  #update(group: ParameterGroup<Options>, { step, numbers, members }: Batch): void {
    const plan = this.plan(group, step, numbers);
    const passing: Tensor[] = [];
    const rows = members.map(({ param, grad }) => {
      const direction = (group.maximize ? grad.neg() : grad).contiguous();
      if (direction !== grad) passing.push(direction);
      return [param, direction, ...this.#states(group, param, plan.states)];
    });
    applyUpdate(plan.row, rows, plan.scalars);
    for (const temporary of passing) temporary.dispose();
    // A row without states (plain gradient descent) has nothing that depends on the step.
    if (plan.states.length === 0) return;
    for (const { param } of members) {
      const state = this.state.get(param);
      if (!state) continue;
      state.step = step;
      if (plan.numbers) state.numbers = plan.numbers;
    }
  }
  #states(group: ParameterGroup<Options>, param: Tensor, names: readonly string[]): Tensor[] {
    if (names.length === 0) return [];
    const state = this.state.get(param) ?? { step: 0, tensors: {} };
    this.state.set(param, state);
    return names.map((name) => {
      const known = state.tensors[name];
      if (known?.device === param.device) return known;
      const current = known ? known.to(param.device) : full(param.shape, this.initialState(group), { device: param.device });
      return (state.tensors[name] = current);
    });
  }

  /** PyTorch's print(optimizer). */
  toString(): string {
    return optimizerText(this.constructor.name, this.paramGroups);
  }
  /** console.log(optimizer) in Node. */
  [inspected](): string {
    return this.toString();
  }

  /** States and options by the parameters' places, for a checkpoint; see packState in optim/state.ts for files. */
  stateDict(...none: []): OptimizerStateDict {
    takesNothing("stateDict", none);
    return stateToDict(this.paramGroups, this.state);
  }
  /** Takes over a state dict of an optimizer with the same groups, all or nothing. */
  loadStateDict(...given: Call<typeof restoring>): void {
    const [dict] = restoring.read(given, `${this.#name}.loadStateDict`), { states, options } = loadedStates(this.#name, this.paramGroups, dict);
    const byParam = new Map(states);
    options.forEach((given, i) => {
      const group = this.paramGroups[i];
      if (!group) return;
      for (const [name, value] of Object.entries(given)) this.#checkKind(name, value);
      this.check({ ...group, ...given });
      checkKept(this.#name, group, byParam, this.plan({ ...group, ...given }, 1, noNumbers).states);
    });
    this.state.clear();
    for (const [param, state] of states) this.state.set(param, state);
    options.forEach((given, i) => Object.assign(this.paramGroups[i] ?? {}, given));
  }
}

const noNumbers: Readonly<Record<string, number>> = {};

function sameNumbers(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  if (a === b) return true;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.is(a[name], b[name]));
}

function optionNames<Options extends object>(defaults: Options): (keyof Options & string)[] {
  const names: (keyof Options & string)[] = [];
  for (const name in defaults) names.push(name);
  return names;
}

answerMisses(Optimizer, {
  read: (optimizer, name) => refuseOption(optimizer, name),
  assign: (optimizer, name) => {
    refuseOption(optimizer, name);
    return false;
  },
});
/** optimizer.lr is PyTorch's group["lr"]: what is set on the optimizer itself would change nothing. */
function refuseOption(optimizer: Optimizer, name: string): void {
  const meant = fromSnakeCase(name);
  if (optimizer.paramGroups.length > 0 && meant in optimizer.paramGroups[0] && meant !== "params") throw argumentError(`optimizer.${name}`, `options belong to groups of parameters; write optimizer.paramGroups[0].${meant}, or a scheduler.`);
}
