// summary: what a model is made of and what one forward pass costs, seen by hooks while an input of zeros runs through it.
import { type Shape, Tensor, noGrad, zeros } from "../engine/index.js";
import { aCount, kind } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { type Options, Signature, taking } from "./arguments.js";
import { Convolution } from "./layers/convBase.js";
import { Module } from "./module.js";
import { summaryText } from "./summaryText.js";

// inputs: the inputs themselves, in place of zeros of the given shapes, for models that take labels or masks; depth: how deep the text goes into
// the model, while the rows hold everything
const parameters = new Signature("summary", [
  ["model", kind<Module>("a module", (value) => value instanceof Module)],
  ["inputShape", kind<Shape | readonly Shape[]>("a shape, or a list of shapes for several inputs", Array.isArray)],
], [["inputs", kind<readonly unknown[]>("a list of inputs", Array.isArray), null], ["depth", aCount(0), 3]]);
export type SummaryOptions = Pick<Options<typeof parameters>, "inputs" | "depth">;

/** One call of a module, or a module that was not called. */
export interface SummaryRow {
  /** The path in the model, "" for the model itself. */
  readonly path: string;
  /** The path in the module that called it. */
  readonly name: string;
  readonly type: string;
  /** Calls around it. */
  readonly depth: number;
  /** One shape for each tensor that came out; none for a module that was not called. */
  readonly outputShapes: readonly (readonly number[])[];
  /** Numbers to learn, in the module and all below it. */
  readonly parameters: number;
  /** Products of weights and activations, summed over the batch: of a leaf its own, of a container its calls'. Biases, normalisation and
   *  pooling are not counted; a weight of two dimensions or more counts once for each position of the output that it makes, a transposed
   *  convolution's for each position of the input. */
  readonly multiplyAdds: number;
  /** New memory for the output, in bytes: 0 for a view; of a container the sum over its calls. */
  readonly outputBytes: number;
  /** Whether the same module was called before. */
  readonly repeated: boolean;
  readonly called: boolean;
}

export interface Summary {
  /** In the order of the calls, each module before what it calls. */
  readonly rows: readonly SummaryRow[];
  readonly parameters: number;
  readonly trainableParameters: number;
  readonly multiplyAdds: number;
  /** bytes */
  readonly inputBytes: number;
  /** bytes of all layers' outputs, as training keeps them */
  readonly activationBytes: number;
  /** bytes of parameters and buffers */
  readonly stateBytes: number;
  /** The table. */
  toString(): string;
}

const bytesPerElement = 4;
const inspected: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** Runs zeros of `inputShape` (the batch included; a list of shapes for several inputs) through the model on its device, in evaluation and
 *  without gradients, and reports each layer's output shape, parameters, multiply-adds and memory. The modes of all modules are as before when
 *  it returns. `console.log(String(nn.summary(model, [1, 3, 224, 224])))`. */
export const summary = taking(parameters, (model, inputShape, given, depth): Summary => {
  const modes = model.modules().map((module) => [module, module.training] as const);
  const watcher = new Watcher(model);
  const made: Tensor[] = [];
  try {
    const inputs = given ?? zerosOf(model, inputShape);
    if (!given) made.push(...tensorsIn(inputs));
    const root = noGrad(() => {
      model.eval();
      return watcher.watch(inputs);
    });
    return finished(model, root, inputs, depth);
  } finally {
    watcher.stop();
    for (const [module, training] of modes) module.training = training;
    made.forEach((tensor) => tensor.dispose());
  }
});

function zerosOf(model: Module, inputShape: Shape | readonly Shape[]): Tensor[] {
  const device = model.parameters()[0]?.device;
  const shapes = inputShape.every((size) => typeof size === "number") ? [inputShape] : inputShape;
  return shapes.map((shape) => {
    if (!Array.isArray(shape) || shape.length === 0 || !shape.every((size) => Number.isInteger(size) && size >= 0)) {
      throw argumentError(
        "summary",
        `got the input shape ${JSON.stringify(inputShape)}; expected the shape of a batch, such as [1, 3, 224, 224], or a list of shapes.`,
      );
    }
    return zeros(shape, device ? { device } : {});
  });
}

interface Call {
  readonly module: Module;
  readonly children: Call[];
  readonly outputShapes: readonly (readonly number[])[];
  /** Of this call's own output. */
  readonly bytes: number;
  /** Of its own weights. */
  readonly products: number;
  readonly repeated: boolean;
}

/** Hooks on every module. A call ends after all that it called, so that what ended since and lies below it is its own. */
class Watcher {
  readonly #ended: Call[] = [];
  readonly #seen = new Set<Module>();
  readonly #memory = new WeakSet<object>();
  readonly #remove: (() => void)[];

  constructor(readonly model: Module) {
    this.#remove = model.modules().map((module) => module.registerForwardHook((_module, inputs, output) => this.#end(module, inputs, output)));
  }
  watch(inputs: readonly unknown[]): Call {
    for (const input of tensorsIn(inputs)) this.#memory.add(input.raw.storage);
    Reflect.apply(this.model, undefined, inputs);
    const root = this.#ended.pop();
    if (root === undefined || root.module !== this.model) {
      throw argumentError("summary", "the model's forward ended without its hook; was its hook removed?");
    }
    return root;
  }
  stop(): void {
    for (const remove of this.#remove) remove();
  }
  #end(module: Module, inputs: unknown, output: unknown): undefined {
    const below = new Set(module.modules());
    let first = this.#ended.length;
    while (first > 0 && below.has(this.#ended[first - 1]?.module ?? this.model) && this.#ended[first - 1]?.module !== module) first--;
    const outputs = tensorsIn(output), fresh = outputs.filter((tensor) => !this.#memory.has(tensor.raw.storage));
    const children = this.#ended.splice(first);
    this.#ended.push({
      module, children, outputShapes: outputs.map(({ shape }) => shape), products: productsOf(module, tensorsIn(inputs), outputs),
      bytes: fresh.reduce((sum, tensor) => sum + tensor.numel() * bytesPerElement, 0), repeated: this.#seen.has(module),
    });
    for (const tensor of outputs) this.#memory.add(tensor.raw.storage);
    this.#seen.add(module);
  }
}

function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  const isRecord = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isRecord ? Object.values(value).flatMap(tensorsIn) : [];
}

/** A convolution's weight meets every place of its images; any other weight matrix every vector of the output. */
function productsOf(module: Module, inputs: readonly Tensor[], outputs: readonly Tensor[]): number {
  const before = module instanceof Convolution && module.meetsWeight === "input", met = before ? inputs[0] : outputs[0];
  if (met === undefined) return 0;
  const weights = module.ownParameters().map(([, parameter]) => parameter).filter(({ ndim }) => ndim > 1);
  const width = !(module instanceof Convolution) ? (met.shape.at(-1) ?? 1) : before ? module.inChannels : module.outChannels;
  const positions = width === 0 ? 0 : met.numel() / width;
  return weights.reduce((sum, weight) => sum + weight.numel() * positions, 0);
}

function finished(model: Module, root: Call, inputs: readonly unknown[], depth: number): Summary {
  const paths = new Map(model.namedModules().map(([path, module]) => [module, path]));
  const called = new Set<Module>();
  const rows = rowsOf(root, paths, "", 0, called);
  rows.push(...uncalledRows(model, called));
  const parameters = model.parameters(), state = [...parameters, ...model.buffers()];
  const count = (tensors: readonly Tensor[]) => tensors.reduce((sum, tensor) => sum + tensor.numel(), 0);
  const totals = {
    rows, parameters: count(parameters), trainableParameters: count(parameters.filter(({ requiresGrad }) => requiresGrad)),
    multiplyAdds: rows[0]?.multiplyAdds ?? 0, inputBytes: count(tensorsIn(inputs)) * bytesPerElement,
    activationBytes: rows[0]?.outputBytes ?? 0, stateBytes: count(state) * bytesPerElement,
  };
  const text = () => summaryText(totals, depth);
  return { ...totals, toString: text, [inspected]: text } as Summary;
}

function rowsOf(call: Call, paths: ReadonlyMap<Module, string>, caller: string, depth: number, called: Set<Module>): SummaryRow[] {
  const { module, children, outputShapes, repeated } = call, path = paths.get(module) ?? "";
  called.add(module);
  const below = children.map((child) => rowsOf(child, paths, path, depth + 1, called));
  const total = (field: "multiplyAdds" | "outputBytes") => below.reduce((sum, [child]) => sum + (child?.[field] ?? 0), 0);
  const name = caller !== "" && path.startsWith(`${caller}.`) ? path.slice(caller.length + 1) : path;
  const row: SummaryRow = {
    path, name, type: module.constructor.name, depth, outputShapes,
    parameters: parameterCount(module), multiplyAdds: call.products + total("multiplyAdds"),
    outputBytes: call.bytes + total("outputBytes"), repeated, called: true,
  };
  return [row, ...below.flat()];
}

/** Modules with parameters that this forward did not call (an auxiliary head in evaluation): the outermost of each. */
function uncalledRows(model: Module, called: ReadonlySet<Module>): SummaryRow[] {
  const rows: SummaryRow[] = [], covered = new Set<Module>();
  for (const [path, module] of model.namedModules()) {
    const idle = !module.modules().some((below) => called.has(below));
    if (!idle || covered.has(module) || parameterCount(module) === 0) continue;
    module.modules().forEach((below) => covered.add(below));
    const type = module.constructor.name, parameters = parameterCount(module);
    rows.push({ path, name: path, type, depth: 1, outputShapes: [], parameters, multiplyAdds: 0, outputBytes: 0, repeated: false, called: false });
  }
  return rows;
}

function parameterCount(module: Module): number {
  return module.parameters().reduce((sum, parameter) => sum + parameter.numel(), 0);
}
