// Loading a state dict: everything is checked, and brought to the right device, before the first value changes.
import { type Tensor, noGrad } from "../engine/index.js";
import { ArgumentError } from "../kernels/errors.js";
import { formatShape, sameShape } from "../engine/shape.js";

/** Tensors by PyTorch's names ("conv1.0.weight"). */
export type StateDict = Record<string, Tensor>;

export interface LoadReport {
  /** In the module and not in the dict. */
  readonly missingKeys: string[];
  /** In the dict and not in the module. */
  readonly unexpectedKeys: string[];
}

export function loadState(className: string, entries: readonly [string, Tensor][], state: StateDict, strict: boolean): LoadReport {
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
