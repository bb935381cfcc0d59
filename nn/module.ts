// Module: what every layer and model is. It finds its parameters, buffers and submodules among its own fields, in the order in which they
// were declared, and everything else (listing, moving, saving, printing) follows from that.
import type { Tensor } from "../engine/index.js";
import { keep, noGrad } from "../engine/index.js";
import type { DeviceTarget } from "../engine/device.js";
import { argumentError } from "../engine/scope.js";
import { inspected } from "../engine/text/inspect.js";
import { Callable, invoke } from "./callable.js";
import { runAs } from "./calls.js";
import { describe } from "./describe.js";
import { Parameter } from "./parameter.js";
import { type LoadReport, type StateDict, loadState } from "./stateDict.js";

/** Sees each call's inputs and output; a value other than undefined replaces the output. */
export type ForwardHook<M = Module> = (module: M, inputs: readonly unknown[], output: unknown) => unknown;

export interface BufferOptions {
  /** Whether stateDict() lists it. Default true. */
  readonly persistent?: boolean;
  /** Stays on the CPU wherever the module goes: a counter that the host reads at every step. Default false. */
  readonly onHost?: boolean;
}
interface RegisteredBuffer extends Required<BufferOptions> {
  readonly tensor: Tensor | null;
}
export interface NamedOptions {
  /** List a member again under each further name it has, as stateDict and the printed text do. */
  readonly repeated?: boolean;
}

/** A module is called like a function, with forward's arguments and result. */
export interface Module {
  (...inputs: Parameters<this["forward"]>): ReturnType<this["forward"]>;
}
/** A module from one tensor to one tensor: what Sequential chains. */
export interface TensorModule extends Module {
  forward(x: Tensor): Tensor;
}

export abstract class Module extends Callable {
  /** Whether layers such as Dropout and BatchNorm behave as in training; set it with train() and eval(). */
  training = true;
  readonly #buffers = new Map<string, RegisteredBuffer>();
  readonly #forwardHooks = new Set<(inputs: readonly unknown[], output: unknown) => unknown>();

  abstract forward(...inputs: never[]): unknown;

  override [invoke](inputs: readonly unknown[]): unknown {
    return runAs(this, () => {
      let output: unknown = Reflect.apply(this.forward, this, inputs);
      for (const hook of this.#forwardHooks) {
        const replaced = hook(inputs, output);
        if (replaced !== undefined) output = replaced;
      }
      return output;
    });
  }

  // ── what the module is made of ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The fields by name, in declaration order. Containers give their entries instead. */
  protected members(): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }
  /** The submodules one level down. A module that has two names is listed once. */
  namedChildren(options: NamedOptions = {}): [string, Module][] {
    const children = [...this.members()].filter((entry): entry is [string, Module] => entry[1] instanceof Module);
    return options.repeated ? children : uniqueValues(children);
  }
  children(): Module[] {
    return this.namedChildren().map(([, child]) => child);
  }
  /** This module ("" or the prefix) and all below it, each before its children, each once. */
  namedModules(prefix = "", seen = new Set<Module>()): [string, Module][] {
    if (seen.has(this)) return [];
    seen.add(this);
    return [[prefix, this], ...this.namedChildren().flatMap(([name, child]) => child.namedModules(joined(prefix, name), seen))];
  }
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }
  /** All parameters with their paths; a shared one is listed once. */
  namedParameters(): [string, Parameter][] {
    return uniqueValues(this.namedModules().flatMap(([path, module]) => module.ownParameters(path)));
  }
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }
  namedBuffers(): [string, Tensor][] {
    return uniqueValues(this.namedModules().flatMap(([path, module]) => module.ownBuffers(path)));
  }
  buffers(): Tensor[] {
    return this.namedBuffers().map(([, buffer]) => buffer);
  }
  /** @internal This module's own parameters, not its children's. */
  ownParameters(prefix = ""): [string, Parameter][] {
    return [...this.members()].flatMap(([name, value]) => (value instanceof Parameter ? [[joined(prefix, name), value]] : []));
  }
  /** @internal */
  ownBuffers(prefix = "", which: BufferOptions = {}): [string, Tensor][] {
    const fits = (b: RegisteredBuffer) => (which.persistent ?? b.persistent) === b.persistent && (which.onHost ?? b.onHost) === b.onHost;
    return [...this.#buffers].filter(([, buffer]) => fits(buffer)).flatMap(([name, { tensor }]) => (tensor ? [[joined(prefix, name), tensor]] : []));
  }

  /** Declares a tensor that belongs to the module's state without being trained, and gives it back to be kept in a field:
   *  `mask = this.registerBuffer("mask", zeros(3))`. Change it in place (copy_, fill_): the module keeps this tensor. */
  registerBuffer<T extends Tensor | null>(name: string, tensor: T, options: BufferOptions = {}): T {
    this.#checkName("registerBuffer", name);
    if (tensor) keep(tensor); // no tidy may dispose of it
    this.#buffers.set(name, { tensor, persistent: options.persistent ?? true, onHost: options.onHost ?? false });
    return tensor;
  }
  /** Declares a parameter under a name known only at run time; otherwise a field does. */
  registerParameter(name: string, parameter: Parameter | null): void {
    this.#checkName("registerParameter", name);
    Object.defineProperty(this, name, { value: parameter, enumerable: true, writable: true, configurable: true });
  }
  /** Declares a submodule under a name known only at run time; otherwise a field does. */
  registerModule(name: string, module: Module | null): void {
    this.#checkName("registerModule", name);
    Object.defineProperty(this, name, { value: module, enumerable: true, writable: true, configurable: true });
  }
  #checkName(operation: string, name: string): void {
    if (name === "" || name.includes(".")) throw argumentError(operation, `got the name "${name}"; expected one that is not empty and has no dot.`);
    if (name in this || this.#buffers.has(name)) {
      throw argumentError(operation, `${this.constructor.name} has a member "${name}" already; expected a new name.`);
    }
  }

  // ── what is done with all of it ────────────────────────────────────────────────────────────────────────────────────────────────────────

  train(mode = true): this {
    this.training = mode;
    for (const child of this.children()) child.train(mode);
    return this;
  }
  eval(): this {
    return this.train(false);
  }
  /** Calls fn on every module below and then on this one. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }
  /** Moves parameters, gradients and buffers to the device, in place: optimizers keep seeing the same tensors. Off a GPU: await cpu(). */
  to(device: DeviceTarget): this {
    const tensors = this.#movable();
    const stuck = tensors.find((t) => t.device.asynchronous && t.device !== device);
    if (stuck) {
      throw argumentError(
        "to",
        `the module's tensors are on ${stuck.device.description} and cannot leave at once; use await model.cpu(), then to(device).`,
      );
    }
    noGrad(() => tensors.forEach((t) => becomes(t, t.to(device))));
    return this;
  }
  /** to("cpu") from any device. */
  async cpu(): Promise<this> {
    await noGrad(async () => {
      for (const t of this.#movable()) becomes(t, await t.cpu());
    });
    return this;
  }
  #movable(): Tensor[] {
    const parameters = this.parameters();
    const gradients = parameters.flatMap((p) => p.ownGrad ?? []);
    const buffers = this.modules().flatMap((module) => module.ownBuffers("", { onHost: false }).map(([, buffer]) => buffer));
    return [...parameters, ...gradients, ...new Set(buffers)];
  }
  /** Forgets the gradients; with setToNone false they become zeros. */
  zeroGrad(setToNone = true): void {
    for (const parameter of this.parameters()) {
      if (setToNone) parameter.clearGrad();
      else parameter.ownGrad?.zero_();
    }
  }
  requiresGrad_(value = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(value);
    return this;
  }
  /** Runs after each forward; gives the function that removes it. */
  registerForwardHook(hook: ForwardHook<this>): () => void {
    // A hook registered twice runs twice, so each registration is an entry of its own.
    const entry = (inputs: readonly unknown[], output: unknown) => hook(this, inputs, output);
    this.#forwardHooks.add(entry);
    return () => void this.#forwardHooks.delete(entry);
  }
  /** @internal */
  get hasHooks(): boolean {
    return this.#forwardHooks.size > 0;
  }

  // ── saving, loading, printing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Parameters and persistent buffers by PyTorch's names. The tensors share the module's memory: clone() what must not change. */
  stateDict(): StateDict {
    return Object.fromEntries(this.stateEntries().map(([name, value]) => [name, value.detach()]));
  }
  /** Takes the values of a state dict, all or nothing. A missing or unexpected key is an error unless strict is false, a wrong shape always. */
  loadStateDict(state: StateDict, options: { readonly strict?: boolean } = {}): LoadReport {
    return loadState(this.constructor.name, this.stateEntries(), state, options.strict ?? true);
  }
  /** @internal The module's tensors themselves, a shared one under each of its names. */
  stateEntries(prefix = ""): [string, Tensor][] {
    return [
      ...this.ownParameters(prefix),
      ...this.ownBuffers(prefix, { persistent: true }),
      ...this.namedChildren({ repeated: true }).flatMap(([name, child]) => child.stateEntries(joined(prefix, name))),
    ];
  }
  /** What stands between the parentheses of toString(): a layer's sizes and options. */
  extraRepr(): string {
    return "";
  }
  /** PyTorch's print(model). */
  override toString(): string {
    return describe(this);
  }
  /** console.log(model) in Node. */
  [inspected](): string {
    return this.toString();
  }
}

function joined(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

function uniqueValues<T>(entries: readonly [string, T][]): [string, T][] {
  const seen = new Set<T>();
  return entries.filter(([, value]) => !seen.has(value) && seen.add(value));
}

/** The handle takes over the moved memory. */
function becomes(handle: Tensor, moved: Tensor): void {
  if (moved === handle) return;
  handle.replaceRaw(moved.raw);
  moved.dispose();
}
