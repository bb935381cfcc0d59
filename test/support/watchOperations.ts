// Which of the engine's operations have run: for the tests that fail where an operation has no fixture.
import { operations } from "../../index.js";

/** Names are added to the set whenever an operation runs forward, or makes its view, from now on. */
export function watchOperations(seen: Set<string>): void {
  for (const [name, operation] of operations) {
    for (const method of ["forward", "view", "views"] as const) {
      const original: unknown = Reflect.get(operation, method);
      if (typeof original !== "function") continue;
      Reflect.set(operation, method, (...given: unknown[]): unknown => {
        seen.add(name);
        return Reflect.apply(original, operation, given);
      });
    }
  }
}
