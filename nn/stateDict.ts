// Loading a state dict: everything is checked, and brought to the right device, before the first value changes.
import { Tensor, noGrad } from "../engine/index.js";
import { ArgumentError } from "../kernels/errors.js";
import { formatShape, sameShape } from "../engine/shape.js";
import { shown } from "../engine/spelling.js";

/** Tensors by PyTorch's names ("conv1.0.weight"). */
export type StateDict = Record<string, Tensor>;

export interface LoadReport {
  /** In the module and not in the dict. */
  readonly missingKeys: string[];
  /** In the dict and not in the module. */
  readonly unexpectedKeys: string[];
}

function checkTensors(className: string, state: unknown): void {
  const expected = "expected tensors by name, as stateDict() or await load(path) gives them.";
  if (typeof state !== "object" || state === null || state instanceof Promise || state instanceof Map) {
    const got = state instanceof Promise ? "a promise (await it first)" : String(state);
    throw new ArgumentError(`loadStateDict: got ${got} for ${className}; nothing was loaded, ${expected}`);
  }
  const odd = Object.entries(state).find(([, value]) => !(value instanceof Tensor));
  if (odd) throw new ArgumentError(`loadStateDict: got ${shown(odd[1])} under ${JSON.stringify(odd[0])} for ${className}; nothing was loaded, ${expected}`);
  const dead = Object.entries(state).find(([, value]) => value instanceof Tensor && value.disposed);
  if (dead) throw new ArgumentError(`loadStateDict: got a tensor that was disposed of under ${JSON.stringify(dead[0])} for ${className}; nothing was loaded, ${expected}`);
}

export function loadState(className: string, entries: readonly [string, Tensor][], state: StateDict, strict: boolean): LoadReport {
  checkTensors(className, state);
  const names = new Set(entries.map(([name]) => name));
  const missingKeys = [...names].filter((name) => !Object.hasOwn(state, name));
  const unexpectedKeys = Object.keys(state).filter((name) => !names.has(name));
  const pairs = entries.flatMap(([name, target]) => {
    const source = Object.hasOwn(state, name) ? state[name] : undefined;
    return source ? [{ name, target, source }] : [];
  });
  const sentences = [
    ...(strict && missingKeys.length > 0 ? [`Missing from the dict: ${missingKeys.join(", ")}.`] : []),
    ...(strict && unexpectedKeys.length > 0 ? [`Not in the module: ${unexpectedKeys.join(", ")}.`] : []),
    ...pairs
      .filter(({ target, source }) => !sameShape(target.shape, source.shape))
      .map(({ name, target, source }) => `${name}: got shape ${formatShape(source.shape)}, expected ${formatShape(target.shape)}.`),
  ];
  if (sentences.length > 0) {
    const otherKeys = strict && missingKeys.length + unexpectedKeys.length > 0;
    const hint = otherKeys ? " Build the model it was saved from, or pass { strict: false } to load the keys that fit." : "";
    throw new ArgumentError(`loadStateDict: the state dict does not fit ${className}; nothing was loaded. ${sentences.join(" ")}${hint}`);
  }
  noGrad(() => {
    const ready = pairs.map(({ target, source }) => ({ target, source, values: source.to(target.device) }));
    for (const { target, source, values } of ready) {
      if (source !== target) target.copy_(values);
      if (values !== source) values.dispose();
    }
  });
  return { missingKeys, unexpectedKeys };
}
