// Names that are not there. JavaScript answers undefined to a name from another language (`x[0]`, `p.requires_grad`, `x.numpy`) and takes any
// assignment; here a class can obey what is meant, or say what to write. The answers stand at the end of the prototype chain, behind every member
// that exists, so that only a miss comes to them: an object of the class costs what it costs without them.

export interface Answers<T> {
  /** x[3], x[-1]. */
  readonly index?: (self: T, index: number) => unknown;
  readonly setIndex?: (self: T, index: number, value: unknown) => void;
  /** Any other name: throws a sentence, or returns for one that may well be missing. */
  readonly read?: (self: T, name: string) => void;
  /** A new name: throws a sentence, takes the value (true), or leaves it to become an ordinary property (false). */
  readonly assign?: (self: T, name: string, value: unknown) => boolean;
}

/** requires_grad_ → requiresGrad_, and the name itself where there is nothing to change. */
export function fromSnakeCase(name: string): string {
  return name.replace(/(?<=[a-zA-Z0-9])_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
const wholeNumber = /^-?\d+$/;

/** From now on instances of `owner` answer to names that they do not have: PyTorch's snake_case is obeyed, the rest is as `answers` says. */
export function answerMisses<T extends object>(owner: abstract new (...given: never[]) => T, answers: Answers<T>): void {
  const isInstance = (value: unknown): value is T => value instanceof owner && value !== owner.prototype;
  Object.setPrototypeOf(lastPrototype(owner.prototype), new Proxy(Object.prototype, {
    getPrototypeOf: (target) => target, // instanceof Object
    get(target, key, receiver: unknown) {
      if (typeof key === "symbol" || key in target || !isInstance(receiver)) return Reflect.get(target, key, receiver);
      if (answers.index && wholeNumber.test(key)) return answers.index(receiver, Number(key));
      const meant = fromSnakeCase(key);
      if (meant !== key && meant in receiver) return Reflect.get(receiver, meant, receiver);
      answers.read?.(receiver, key);
      return undefined;
    },
    set(target, key, value: unknown, receiver: unknown) {
      if (typeof key === "symbol" || key in target || !isInstance(receiver)) return Reflect.set(target, key, value, receiver);
      if (answers.setIndex && wholeNumber.test(key)) {
        answers.setIndex(receiver, Number(key), value);
        return true;
      }
      const meant = fromSnakeCase(key);
      // A method is not what an assignment means: a field of one's own may have that name.
      if (meant !== key && meant in receiver && typeof Reflect.get(receiver, meant, receiver) !== "function") return Reflect.set(receiver, meant, value, receiver);
      return answers.assign?.(receiver, key, value) === true || Reflect.set(target, key, value, receiver);
    },
  }));
}

/** The end of the chain before Object's. */
function lastPrototype(prototype: object): object {
  const next: unknown = Object.getPrototypeOf(prototype);
  return typeof next === "object" && next !== null && next !== Object.prototype ? lastPrototype(next) : prototype;
}
