// Inputs behind those that a layer takes. JavaScript would drop them in silence: `linear(x, y)`, `criterion(logits, labels, weight)`.
import { argumentError } from "../engine/scope.js";

type Forward = (...inputs: never[]) => unknown;
/** The forwards that take what they name and nothing else. A user's own may have a default or a rest list, which its length does not count. */
const exact = new WeakSet<Forward>();

/** Declares for the classes among these exports that their forwards have neither a default nor a rest list. */
export function takeWhatTheyName(root: object, exports: Readonly<Record<string, unknown>>): void {
  for (const value of Object.values(exports)) if (typeof value === "function") declare(root, value.prototype);
}
/** The forward may stand in a base class that is not exported. */
function declare(root: object, prototype: unknown): void {
  if (typeof prototype !== "object" || prototype === null || prototype === root || !(root.isPrototypeOf(prototype))) return;
  const forward: unknown = Object.getOwnPropertyDescriptor(prototype, "forward")?.value;
  if (typeof forward === "function") exact.add(forward as Forward);
  declare(root, Object.getPrototypeOf(prototype));
}

/** Refuses what stands behind the inputs of such a forward. */
export function checkSurplus(forward: Forward, inputs: readonly unknown[]): void {
  let count = inputs.length;
  while (count > forward.length && inputs[count - 1] === undefined) count--;
  if (count <= forward.length || !exact.has(forward)) return;
  throw argumentError("forward", `got ${count} inputs; expected ${forward.length === 1 ? "1" : `at most ${forward.length}`} (options stand in the constructor).`);
}
