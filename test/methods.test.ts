// What a caller writes is obeyed or refused, continued: every method of every class that the package exports, static ones too. Methods are found on
// the prototypes, so that a new one without a row (test/calls/methods.ts) fails.
import test from "tape";
import type { Row } from "./calls/cases.js";
import { families, type Family, inner, statics } from "./calls/families.js";
import { type Callee, isClass, reached } from "./calls/rooms.js";
import { complaints } from "./support/obeys.js";

interface Owner {
  readonly name: string;
  readonly prototype: object;
}
const builtIn: readonly unknown[] = [Object, Function, Error];

/** The classes that are exported, and those they extend. */
async function owners(): Promise<Owner[]> {
  const found = new Map<object, Owner>();
  for (const namespace of (await reached()).keys()) {
    for (const value of Object.values(namespace)) {
      if (typeof value !== "function" || !isClass(value as Callee)) continue;
      for (let prototype: unknown = value.prototype; typeof prototype === "object" && prototype !== null && !builtIn.includes(prototype.constructor); prototype = Object.getPrototypeOf(prototype)) {
        if (Object.hasOwn(prototype, "constructor")) found.set(prototype, { name: prototype.constructor.name, prototype });
      }
    }
  }
  return [...found.values()];
}
const methodsOf = (owner: object) => Object.entries(Object.getOwnPropertyDescriptors(owner)).flatMap(([name, { value }]) => (typeof value === "function" && name !== "constructor" ? [name] : []));
/** The family of the class, the nearest one that it extends, or one that extends it. */
const familyOf = ({ prototype }: Owner): Family | undefined =>
  families.find(({ base }) => prototype === base.prototype) ?? families.find(({ base }) => base.prototype.isPrototypeOf(prototype)) ?? families.find(({ base }) => prototype.isPrototypeOf(base.prototype));
/** Names that every class may have, and JavaScript calls. */
const everywhere: readonly string[] = ["toString", "toJSON"];
/** A surplus argument is named as such, by the list that takes none, or by the place that it would have. */
const surplus = /^refused: .*(got \d+ arguments?; expected|got \d+ dimensions|expected none|expected (a|one) module|got [\w.]* ?"surplus"|surplus)/s;

const all = await owners();
for (const family of families) {
  test(`every method of ${family.base.name} obeys or refuses`, async (t) => {
    for (const owner of all.filter((one) => familyOf(one) === family)) {
      const names = methodsOf(owner.prototype).filter((name) => !everywhere.includes(name));
      t.deepEqual(names.filter((name) => !Object.hasOwn(family.rows, name) && !inner.has(name)), [], `${owner.name}: each method has a row`);
      for (const name of names) {
        const row: Row | undefined = family.rows[name];
        if (typeof row !== "function") continue;
        if (owner.prototype !== family.base.prototype && !owner.prototype.isPrototypeOf(family.base.prototype)) continue; // the same name in a subclass
        const callee = (...given: unknown[]): unknown => {
          const self: object = family.make(name), result: unknown = Reflect.apply(Reflect.get(self, name) as Callee, self, given);
          return result instanceof Promise ? result : { result, self: family.shows ? self : null };
        };
        const made = family.unseen?.includes(name) === true ? () => ({ ...row(), silent: "it changes what cannot be seen" }) : row;
        t.deepEqual(await complaints(callee, made, surplus).catch((error: unknown) => [String(error)]), [], `${owner.name}.${name}`);
      }
    }
    const known = new Set(all.filter((one) => familyOf(one) === family).flatMap(({ prototype }) => methodsOf(prototype)));
    t.deepEqual(Object.keys(family.rows).filter((name) => !known.has(name)), [], "each row has a method");
  });
}

test("every class has a family, or no methods", (t) => {
  t.deepEqual(all.filter((owner) => familyOf(owner) === undefined && methodsOf(owner.prototype).some((name) => !everywhere.includes(name))).map(({ name }) => name), []);
  t.end();
});

test("static methods obey or refuse", async (t) => {
  const found = all.flatMap(({ name, prototype }) => methodsOf(prototype.constructor).filter((method) => method !== "prototype").map((method): [string, Callee] => [`${name}.${method}`, (...given) => Reflect.apply(Reflect.get(prototype.constructor, method) as Callee, prototype.constructor, given)]));
  t.deepEqual(found.map(([name]) => name).filter((name) => !Object.hasOwn(statics, name)), [], "each has a row");
  t.deepEqual(Object.keys(statics).filter((name) => !found.some(([other]) => other === name)), [], "each row has a method");
  for (const [name, callee] of found) {
    const row = statics[name];
    if (typeof row === "function") t.deepEqual(await complaints(callee, row, surplus), [], name);
  }
});
