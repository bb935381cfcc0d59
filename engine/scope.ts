// Where in the model we are: the stack of module paths that a module's call pushes, so that errors, GPU labels and profiles can say
// "features.3 (Conv2d)". Forward passes are synchronous, so one stack serves.
import { ArgumentError } from "../kernels/errors.js";

const stack: string[] = [];

/** Runs fn with "path (ClassName)" on top of the stack; the stack is restored even when fn throws. */
export function withModule<R>(path: string, className: string, fn: () => R): R {
  stack.push(path === "" ? className : `${path} (${className})`);
  try {
    return fn();
  } finally {
    stack.pop();
  }
}

/** The same without a function, for the walk back, which goes through the modules of forward: each enterModule(path) has its leaveModule(). */
export function enterModule(path: string): void {
  stack.push(path);
}
export function leaveModule(): void {
  stack.pop();
}

/** "features.3 (Conv2d)", or "" outside any module. */
export function currentModulePath(): string {
  return stack[stack.length - 1] ?? "";
}

/** An ArgumentError whose sentence opens with the module's path, if there is one, and the operation. */
export function argumentError(operation: string, sentence: string): ArgumentError {
  const path = currentModulePath();
  return new ArgumentError(`${path === "" ? "" : `${path}: `}${operation}: ${sentence}`);
}
