// Inputs behind those that a layer takes. JavaScript would drop them in silence: `linear(x, y)`, `criterion(logits, labels, weight)`.
import { aTensor } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { shown } from "../engine/spelling.js";

type Forward = (...inputs: never[]) => unknown;
/** The forwards that take what they name and nothing else. A user's own may have a default or a rest list, which its length does not count. */
const exact = new WeakSet<Forward>();
/** Of these, those that take whatever their layers take. */
const passing = new WeakSet<Forward>();

/** Declares for the classes among these exports that their forwards have neither a default nor a rest list. */
export function takeWhatTheyName(root: object, exports: Readonly<Record<string, unknown>>, passOn: readonly { readonly prototype: { readonly forward: Forward } }[]): void {
  for (const { prototype } of passOn) passing.add(prototype.forward);
  for (const value of Object.values(exports)) if (typeof value === "function") declare(root, value.prototype);
}
/** The forward may stand in a base class that is not exported. */
function declare(root: object, prototype: unknown): void {
  if (typeof prototype !== "object" || prototype === null || prototype === root || !(root.isPrototypeOf(prototype))) return;
  const forward: unknown = Object.getOwnPropertyDescriptor(prototype, "forward")?.value;
  if (typeof forward === "function") exact.add(forward as Forward);
  declare(root, Object.getPrototypeOf(prototype));
}

/** Refuses a first input that is no tensor, where a layer's forward goes on to compute with it; a container's layers look at theirs themselves. */
export function checkFirst(forward: Forward, inputs: readonly unknown[]): void {
  const [first] = inputs;
  if (aTensor.takes(first) || !exact.has(forward) || passing.has(forward)) return;
  const hint = first instanceof Promise ? " (await it first)" : (aTensor.hint?.(first) ?? "");
  throw argumentError("forward", `got ${inputs.length === 0 ? "no input" : shown(first)}; expected a tensor${hint}.`);
}

/** Refuses what stands behind the inputs of such a forward. */
export function checkSurplus(forward: Forward, inputs: readonly unknown[]): void {
  let count = inputs.length;
  while (count > forward.length && inputs[count - 1] === undefined) count--;
  if (count <= forward.length || !exact.has(forward)) return;
  throw argumentError("forward", `got ${count} inputs; expected ${forward.length === 1 ? "1" : `at most ${forward.length}`} (options stand in the constructor).`);
}
