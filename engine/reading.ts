// A value on its way: what item(), data() and tolist() give is a promise, and one that was not awaited says so where JavaScript would go on with
// nonsense (`x.item() > 0` is false, `sum += x.item()` a text, `x.tolist()[0]` undefined).
import { argumentError } from "./scope.js";

function refuse(method: string, use: string): never {
  throw argumentError(method, `gives a promise, and ${use} needs the value; expected await, in parentheses where something follows: (await x.${method}()).`);
}

function prototypeFor(method: string): object {
  const misses = new Proxy(Promise.prototype, {
    getPrototypeOf: (target) => target, // instanceof Promise
    get(target, key, receiver: unknown) {
      if (key in target) return Reflect.get(target, key, receiver);
      if (typeof key === "string" && (/^-?\d+$/.test(key) || key === "toJSON" || key in Array.prototype || key in Number.prototype)) refuse(method, key === "toJSON" ? "JSON" : `.${key}`);
      return undefined;
    },
  });
  const prototype: object = Object.create(misses);
  // What an await looks up stands in front, so that it stays as quick as for any promise.
  for (const name of ["constructor", "then", "catch", "finally"]) Reflect.defineProperty(prototype, name, { value: Reflect.get(Promise.prototype, name) });
  Reflect.defineProperty(prototype, Symbol.toPrimitive, { value: () => refuse(method, "this expression") });
  return prototype;
}

const prototypes = new Map<string, object>();

/** The promise itself, which from now on refuses to be taken for its value. */
export function reading<T>(method: string, promise: Promise<T>): Promise<T> {
  let prototype = prototypes.get(method);
  if (prototype === undefined) prototypes.set(method, (prototype = prototypeFor(method)));
  return Object.setPrototypeOf(promise, prototype) as Promise<T>;
}
