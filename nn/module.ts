// Module: what every layer and model is. It finds its parameters, buffers and submodules among its own fields, in the order in which they
// were declared, and everything else (listing, moving, saving, printing) follows from that.
import { Tensor } from "../engine/index.js";
import { keep, noGrad } from "../engine/index.js";
import { aBoolean, aDevice, aFunction, aString, aTensor, anObject, kind, orNull } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { answerMisses } from "../engine/misses.js";
import { type Call, Signature, takesFunction, takesNothing } from "./arguments.js";
import { inspected } from "../engine/text/inspect.js";
import { Callable, invoke } from "./callable.js";
import { runAs } from "./calls.js";
import { deepCopy } from "./clone.js";
import { describe } from "./describe.js";
import { type BufferField, Fields, fieldKind } from "./fields.js";
import { Parameter } from "./parameter.js";
import { type LoadReport, type StateDict, loadState } from "./stateDict.js";
import { checkFirst, checkSurplus } from "./surplus.js";

/** Sees each call's inputs and output; a value other than undefined replaces the output. */
export type ForwardHook<M = Module> = (module: M, inputs: readonly unknown[], output: unknown) => unknown;

export interface BufferOptions {
  /** Whether stateDict() lists it. Default true. */
  readonly persistent?: boolean;
  /** Stays on the CPU wherever the module goes: a counter that the host reads at every step. Default false. */
  readonly onHost?: boolean;
}
/** The parameters of each method. persistent: whether stateDict() lists the buffer; onHost: whether it stays on the CPU wherever the module
 *  goes, as a counter that the host reads at every step; repeated: whether a member is listed again under each further name it has, as
 *  stateDict and the printed text do. */
const takes = {
  namedChildren: new Signature("namedChildren", [], [["repeated", aBoolean, false]]),
  namedModules: new Signature("namedModules", [["prefix", aString, ""]]),
  named: new Signature("named", [["prefix", aString, ""], ["recurse", aBoolean, true]]),
  listed: new Signature("listed", [["recurse", aBoolean, true]]),
  registerBuffer: new Signature("registerBuffer", [["name", aString], ["tensor", orNull(aTensor)], ["persistent", aBoolean, true]], [["onHost", aBoolean, false]]),
  registerParameter: new Signature("registerParameter", [["name", aString], ["param", orNull(kind<Parameter>("a Parameter", (value) => value instanceof Parameter))]]),
  registerModule: new Signature("registerModule", [["name", aString], ["module", orNull(kind<Module>("a module", (value) => value instanceof Module))]]),
  train: new Signature("train", [["mode", aBoolean, true]]),
  apply: new Signature("apply", [["fn", aFunction<(module: Module) => void>()]]),
  to: new Signature("to", [["device", aDevice]]),
  zeroGrad: new Signature("zeroGrad", [["setToNone", aBoolean, true]]),
  requiresGrad_: new Signature("requiresGrad_", [["requiresGrad", aBoolean, true]]),
  loadStateDict: new Signature("loadStateDict", [["stateDict", anObject<StateDict>("a state dict: tensors by name")], ["strict", aBoolean, true]]),
};
export type LoadStateDictCall = Call<typeof takes.loadStateDict>;
/** @internal For a module that renames what it loads. */
export function loadStateDictArguments(given: LoadStateDictCall): [state: StateDict, strict: boolean] {
  return takes.loadStateDict.read(given);
}
type BufferCall<T extends Tensor | null> = [name: string, tensor: T, persistent?: boolean | BufferOptions] | [name: string, tensor: T, persistent: boolean, options: BufferOptions]
  | [name: string, named: BufferOptions & { readonly tensor: T }] | [named: BufferOptions & { readonly name: string; readonly tensor: T }];

/** What is not known of a module whose class is not named: Python's Any, the type of a value that comes from outside. */
export type Unnamed = ReturnType<typeof JSON.parse>;
type Forward = (...inputs: never[]) => unknown;
/** Module's own forward, which a class has to give, takes and gives anything; a class's is as it says. */
type InputsOf<F extends Forward> = number extends Parameters<F>["length"] ? ([Parameters<F>[number]] extends [never] ? Unnamed[] : Parameters<F>) : Parameters<F>;
type OutputOf<F extends Forward> = unknown extends ReturnType<F> ? Unnamed : ReturnType<F>;

/** A module is called like a function, with forward's arguments and result. */
export interface Module {
  (...inputs: InputsOf<this["forward"]>): OutputOf<this["forward"]>;
}
/** A module from one tensor to one tensor: what Sequential chains. */
export interface TensorModule extends Module {
  forward(x: Tensor): Tensor;
}

export abstract class Module extends Callable {
  /** Whether layers such as Dropout and BatchNorm behave as in training; set it with train() and eval(). */
  training = true;
  readonly #fields = new Fields(this);
  readonly #forwardHooks = new Set<{ readonly run: ForwardHook }>();

  abstract forward(...inputs: never[]): unknown;

  override [invoke](inputs: readonly unknown[]): unknown {
    const { forward } = this;
    if (typeof forward !== "function") {
      throw argumentError(this.constructor.name, "has no forward; expected a method forward(x) { … } that computes its output, for that is what a call runs.");
    }
    return runAs(this, () => {
      if (inputs.length > forward.length) checkSurplus(forward, inputs);
      if (!(inputs[0] instanceof Tensor)) checkFirst(forward, inputs);
      let output: unknown = Reflect.apply(forward, this, inputs);
      for (const { run } of this.#forwardHooks) {
        const replaced = run(this, inputs, output);
        if (replaced !== undefined) output = replaced;
      }
      return output;
    });
  }

  // ── what the module is made of ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The fields by name, in declaration order. Containers give their entries instead. */
  protected members(): Iterable<readonly [string, unknown]> {
    return this.#fields.entries();
  }
  /** @internal module[3]: containers give their entries. */
  entry(index: number): Module {
    throw argumentError(`${this.constructor.name}[${index}]`, "is no list; expected a Sequential or a ModuleList, or a member by its name.");
  }
  /** @internal module[3] = …, and a new member that is no field of the class. */
  setEntry(index: number, _module: unknown): void {
    this.entry(index);
  }
  /** @internal this.fc = … where no class field declares it; false for what is no member. */
  adopt(name: string, value: unknown): boolean {
    const kind = fieldKind(value);
    if (kind !== null) this.#fields.declare(name, { kind, value });
    return kind !== null;
  }
  /** The submodules one level down. A module that has two names is listed once. */
  namedChildren(...given: Call<typeof takes.namedChildren>): [string, Module][] {
    const [repeated] = takes.namedChildren.read(given);
    const children = [...this.members()].filter((entry): entry is [string, Module] => entry[1] instanceof Module);
    return repeated ? children : uniqueValues(children);
  }
  children(...none: []): Module[] {
    takesNothing("children", none);
    return this.namedChildren().map(([, child]) => child);
  }
  /** This module ("" or the prefix) and all below it, each before its children, each once. */
  namedModules(...given: Call<typeof takes.namedModules>): [string, Module][] {
    const [prefix] = takes.namedModules.read(given);
    return modulesBelow(this, prefix, new Set());
  }
  modules(...none: []): Module[] {
    takesNothing("modules", none);
    return this.namedModules().map(([, module]) => module);
  }
  /** All parameters with their paths, the prefix before them; a shared one is listed once. With recurse false, this module's own. */
  namedParameters(...given: Call<typeof takes.named>): [string, Parameter][] {
    const [prefix, recurse] = takes.named.read(given, "namedParameters");
    return uniqueValues(this.#below(prefix, recurse).flatMap(([path, module]) => module.ownParameters(path)));
  }
  parameters(...given: Call<typeof takes.listed>): Parameter[] {
    const [recurse] = takes.listed.read(given, "parameters");
    return this.namedParameters("", recurse).map(([, parameter]) => parameter);
  }
  namedBuffers(...given: Call<typeof takes.named>): [string, Tensor][] {
    const [prefix, recurse] = takes.named.read(given, "namedBuffers");
    return uniqueValues(this.#below(prefix, recurse).flatMap(([path, module]) => module.ownBuffers(path)));
  }
  buffers(...given: Call<typeof takes.listed>): Tensor[] {
    const [recurse] = takes.listed.read(given, "buffers");
    return this.namedBuffers("", recurse).map(([, buffer]) => buffer);
  }
  #below(prefix: string, recurse: boolean): [string, Module][] {
    return recurse ? this.namedModules(prefix) : [[prefix, this]];
  }
  /** @internal This module's own parameters, not its children's. */
  ownParameters(prefix = ""): [string, Parameter][] {
    return [...this.members()].flatMap(([name, value]) => (value instanceof Parameter ? [[joined(prefix, name), value]] : []));
  }
  /** @internal */
  ownBuffers(prefix = "", which: BufferOptions = {}): [string, Tensor][] {
    const fits = (b: BufferField) => (which.persistent ?? b.persistent) === b.persistent && (which.onHost ?? b.onHost) === b.onHost;
    return this.#fields.buffers().flatMap(([name, buffer]) => (buffer.value && fits(buffer) ? [[joined(prefix, name), buffer.value]] : []));
  }

  /** Declares a tensor that belongs to the module's state without being trained, as this[name], and gives it back: `this.registerBuffer("mask",
   *  zeros(3))` with `mask!: Tensor` among the fields for TypeScript, or `mask = this.registerBuffer("mask", zeros(3))`. */
  registerBuffer<T extends Tensor | null>(...given: BufferCall<T>): T;
  registerBuffer(...given: BufferCall<Tensor | null>): Tensor | null {
    const [name, tensor, persistent, onHost] = takes.registerBuffer.read(given);
    if (!this.#fields.isBuffer(name)) this.#checkName("registerBuffer", name);
    if (tensor) keep(tensor); // no tidy may dispose of it
    this.#fields.declare(name, { kind: "buffer", value: tensor, persistent, onHost });
    return tensor;
  }
  /** Declares a parameter under a name known only at run time; otherwise a field does. */
  registerParameter(...given: Call<typeof takes.registerParameter>): void {
    const [name, parameter] = takes.registerParameter.read(given);
    this.#checkName("registerParameter", name);
    this.#fields.declare(name, { kind: "parameter", value: parameter });
  }
  /** Declares a submodule under a name known only at run time; otherwise a field does. */
  registerModule(...given: Call<typeof takes.registerModule>): void {
    const [name, module] = takes.registerModule.read(given);
    this.#checkName("registerModule", name);
    this.#fields.declare(name, { kind: "module", value: module });
  }
  #checkName(operation: string, name: string): void {
    if (name === "" || name.includes(".")) throw argumentError(operation, `got the name "${name}"; expected one that is not empty and has no dot.`);
    const declared = Object.hasOwn(this, name) && Reflect.get(this, name) === undefined; // a class field without a value
    if (name in this && !declared) {
      throw argumentError(operation, `${this.constructor.name} has a member "${name}" already; expected a new name.`);
    }
  }

  // ── what is done with all of it ────────────────────────────────────────────────────────────────────────────────────────────────────────

  train(...given: Call<typeof takes.train>): this {
    const [mode] = takes.train.read(given);
    this.training = mode;
    for (const child of this.children()) child.train(mode);
    return this;
  }
  eval(...none: []): this {
    takesNothing("eval", none);
    return this.train(false);
  }
  /** Calls fn on every module below and then on this one. */
  apply(...given: Call<typeof takes.apply>): this {
    const [fn] = takes.apply.read(given);
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }
  /** Moves parameters, gradients and buffers to the device, in place: optimizers keep seeing the same tensors. Off a GPU: await cpu(). */
  to(...given: Call<typeof takes.to>): this {
    const [device] = takes.to.read(given);
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
  async cpu(...none: []): Promise<this> {
    takesNothing("cpu", none);
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
  zeroGrad(...given: Call<typeof takes.zeroGrad>): void {
    const [setToNone] = takes.zeroGrad.read(given);
    for (const parameter of this.parameters()) {
      if (setToNone) parameter.clearGrad();
      else parameter.ownGrad?.zero_();
    }
  }
  requiresGrad_(...given: Call<typeof takes.requiresGrad_>): this {
    const [value] = takes.requiresGrad_.read(given);
    for (const parameter of this.parameters()) parameter.requiresGrad_(value);
    return this;
  }
  /** Runs after each forward; gives the function that removes it. */
  registerForwardHook(hook: ForwardHook<this>, ...none: []): () => void {
    takesFunction("registerForwardHook", hook, none);
    const entry = { run: (module: Module, inputs: readonly unknown[], output: unknown) => hook(module as this, inputs, output) };
    this.#forwardHooks.add(entry);
    return () => void this.#forwardHooks.delete(entry);
  }
  /** @internal */
  get hasHooks(): boolean {
    return this.#forwardHooks.size > 0;
  }

  /** A copy with parameters, gradients, buffers and submodules of its own: copy.deepcopy(model). The constructor does not run; a class that keeps
   *  state in #private fields gives its own clone(). */
  clone(...none: []): this {
    takesNothing("clone", none);
    return deepCopy(this);
  }
  /** @internal What clone() copies of a module. */
  copyWith(copy: <V>(value: V) => V, remember: (made: object) => void): object {
    const made: unknown = Reflect.construct(Module, [], this.constructor as new () => Module);
    if (!(made instanceof Module)) throw argumentError("clone", `cannot copy ${this.constructor.name}.`);
    remember(made);
    this.#fields.copyInto(made.#fields, copy);
    for (const entry of this.#forwardHooks) made.#forwardHooks.add(entry);
    return made;
  }

  // ── saving, loading, printing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Parameters and persistent buffers by PyTorch's names. The tensors share the module's memory: clone() what must not change. */
  stateDict(...none: []): StateDict {
    takesNothing("stateDict", none);
    return Object.fromEntries(this.stateEntries().map(([name, value]) => [name, value.detach()]));
  }
  /** Takes the values of a state dict, all or nothing. A missing or unexpected key is an error unless strict is false, a wrong shape always. */
  loadStateDict(...given: LoadStateDictCall): LoadReport {
    const [state, strict] = takes.loadStateDict.read(given);
    return loadState(this.constructor.name, this.stateEntries(), state, strict);
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
  /** JSON would leave a function out in silence. */
  toJSON(): never {
    throw argumentError(this.constructor.name, "a module has no JSON; expected save(path, model) for its weights, or JSON.stringify(model.stateDict()) on the CPU.");
  }
  /** console.log(model) in Node. */
  [inspected](): string {
    return this.toString();
  }
}

function modulesBelow(module: Module, prefix: string, seen: Set<Module>): [string, Module][] {
  if (seen.has(module)) return [];
  seen.add(module);
  return [[prefix, module], ...module.namedChildren().flatMap(([name, child]) => modulesBelow(child, joined(prefix, name), seen))];
}

function joined(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

function uniqueValues<T>(entries: readonly [string, T][]): [string, T][] {
  const seen = new Set<T>();
  return entries.filter(([, value]) => !seen.has(value) && seen.add(value));
}

/** Other names, and what to write for them. */
const moduleGuesses: Readonly<Record<string, string>> = {
  cuda: 'model.to(device) with a device from await openDevice("webgpu")',
  addModule: "model.registerModule(name, module)", add_module: "model.registerModule(name, module)",
  deepcopy: "model.clone()", copy: "model.clone()",
  save: "await save(path, model)", load: "model.loadStateDict(await load(path))",
  summary: "nn.summary(model, x)", predict: "model(x)", fit: "a loop over a DataLoader",
};

/** The handle takes over the moved memory. */
function becomes(handle: Tensor, moved: Tensor): void {
  if (moved === handle) return;
  handle.replaceRaw(moved.raw);
  moved.dispose();
}

answerMisses(Module, {
  index: (module, index) => module.entry(index),
  setIndex: (module, index, value) => module.setEntry(index, value),
  read: (module, name) => {
    const instead = moduleGuesses[name];
    if (instead !== undefined) throw argumentError(`${module.constructor.name}.${name}`, `is not there; write ${instead}.`);
  },
  assign: (module, name, value) => {
    if (name === "requiresGrad" || name === "requires_grad") throw argumentError(`${module.constructor.name}.${name} = …`, "a module has no gradient; write module.requiresGrad_(false) to freeze its parameters.");
    return module.adopt(name, value);
  },
});
