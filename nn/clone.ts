// Copies of modules with everything in them, as copy.deepcopy makes them: parameters, buffers and submodules, shared ones shared again.
import { noGrad } from "../engine/index.js";
import { aTensor } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { formatShape } from "../engine/shape.js";
import { isPlainObject } from "../engine/spelling.js";
import type { Tensor } from "../engine/index.js";
import { Callable } from "./callable.js";
import { Parameter } from "./parameter.js";

/** What a Callable that can be copied offers: a copy of itself, its members copied by `copy`, known to `remember` before they are. */
interface Copyable {
  copyWith(copy: <V>(value: V) => V, remember: (made: object) => void): object;
}

/** Copies a value and what it holds. Functions, devices and objects of other classes are shared. */
export function deepCopy<V>(root: V): V {
  const made = new Map<unknown, unknown>();
  const copy = <T>(value: T): T => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return value;
    const known = made.get(value);
    return (known ?? fresh(value)) as T;
  };
  const fresh = (value: object): unknown => {
    const remember = <R>(result: R): R => {
      made.set(value, result);
      return result;
    };
    if (aTensor.takes(value)) return remember(copiedTensor(value));
    if (isCopyable(value)) return value.copyWith(copy, remember);
    if (Array.isArray(value)) return fill(remember<unknown[]>([]), (list) => value.forEach((item) => list.push(copy<unknown>(item))));
    if (value instanceof Map) return fill(remember(new Map<unknown, unknown>()), (map) => value.forEach((item, key) => map.set(copy<unknown>(key), copy<unknown>(item))));
    if (value instanceof Set) return fill(remember(new Set<unknown>()), (set) => value.forEach((item) => set.add(copy<unknown>(item))));
    if (ArrayBuffer.isView(value) || value instanceof Date) return remember(structuredClone(value));
    if (isPlainObject(value)) {
      return fill(remember<Record<string, unknown>>({}), (object) => Object.entries(value).forEach(([key, item]) => void (object[key] = copy(item))));
    }
    return value;
  };
  return copy(root);
}

function fill<T>(target: T, put: (target: T) => void): T {
  put(target);
  return target;
}
function isCopyable(value: object): value is Callable & Copyable {
  return value instanceof Callable && "copyWith" in value;
}

function copiedTensor(source: Tensor): Tensor {
  if (!source.isLeaf) {
    throw argumentError("clone", `a module holds the result of a recorded operation, of shape ${formatShape(source.shape)}; only leaves can be copied (keep it detached, or in a variable of forward).`);
  }
  const values = noGrad(() => source.clone());
  const made = source instanceof Parameter ? new Parameter(values, source.requiresGrad) : values.requiresGrad_(source.requiresGrad);
  if (made !== values) values.dispose();
  const grad = source.ownGrad;
  if (grad !== null) made.grad = noGrad(() => grad.clone());
  return made;
}
