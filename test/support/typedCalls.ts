// The rows of test/calls/ as a TypeScript program: what the reader of arguments takes must compile, what it refuses must not. Nothing of it runs.
import { nn, Tensor } from "../../index.js";
import type { CallCase } from "../calls/cases.js";
import { families } from "../calls/families.js";
import { type Callee, isClass, reached, rooms } from "../calls/rooms.js";

/** Names by which a program that imports * as athanor and * as F says a class or a function. */
type Paths = ReadonlyMap<unknown, string>;

/** The subpaths that no namespace of the root holds: imported under their last name. */
const apart = Object.keys(rooms).filter((room) => room.startsWith("athanor/training/"));
const opening = `import * as athanor from "athanor";
${apart.map((room) => `import * as ${inProgram(room)} from "${room}";\n`).join("")}declare function made<T>(): T;
interface URL { readonly href: string }
declare function fn(...given: any[]): any;
`;
/** A line that must compile, or one that must not. */
const refused = (line: string) => `// @ts-expect-error\n${line}\n`;

/** One program over every export, and every method of each class, with a row. */
export async function typedCalls(): Promise<string> {
  const namespaces = await reached(), paths = new Map<unknown, string>();
  for (const [namespace, room] of namespaces) for (const [name, value] of Object.entries(namespace)) paths.set(value, `${inProgram(room)}.${name}`);
  let program = opening;
  const seen = new Set<unknown>();
  for (const [namespace, room] of namespaces) {
    for (const [name, row] of Object.entries(rooms[room] ?? {})) {
      const callee = namespace[name];
      if (seen.has(callee)) continue; // under another name of its room
      seen.add(callee);
      if (typeof row === "function" && typeof callee === "function") program += callLines(`${isClass(callee as Callee) ? "new " : ""}${inProgram(room)}.${name}`, row(), paths);
    }
  }
  for (const [i, { base, make, rows }] of families.entries()) {
    const type = paths.get(base) ?? paths.get(make("").constructor);
    // A class's prototype has its type whatever its parameters; a module's, which have defaults, say more by name.
    program += `declare const value${i}: ${type?.startsWith("athanor.nn.") ? type : `(typeof ${type})["prototype"]`};\n`;
    for (const [name, row] of Object.entries(rows)) {
      if (typeof row !== "function") continue;
      const { names, ...made } = row(); // of a row for refusals alone they are none of the call's
      program += callLines(`value${i}.${name}`, made.heavy === true || names === undefined ? made : { ...made, names }, paths);
    }
  }
  return program;
}
/** "athanor/nn.init" is athanor.nn.init to a program. */
function inProgram(room: string): string {
  return room === "athanor/nn/functional" ? "athanor.nn.functional" : room.replace(/^athanor\/training\//, "").replaceAll("/", ".");
}

/** The calls that must compile and those that must not. */
export function callLines(callee: string, { needed, rest = [], also = {}, names, takesAnything, neededByName }: CallCase, paths: Paths): string {
  const places = [...needed, ...rest].map((value) => expression(value, paths)), extra = Object.entries(also).map(([name, value]) => `${name}: ${expression(value, paths)}`);
  const named = (from: number) => [...places.slice(from).map((value, i) => `${names?.[from + i]}: ${value}`), ...extra];
  const call = (given: readonly string[], ...options: string[]) => `${callee}(${[...given, ...(options.length === 0 ? [] : [`{ ${options.join(", ")} }`])].join(", ")});`;
  const least = places.slice(0, needed.length);
  const obeyed = new Set([neededByName === undefined ? call(least) : call(least, ...extra), call(places, ...extra)]);
  if (names !== undefined) for (let from = 0; from <= places.length; from++) obeyed.add(call(places.slice(0, from), ...named(from)));
  if (takesAnything !== undefined) return [...obeyed, ""].join("\n");
  const wrong = [call(least, "misspeltOption: 1"), call([...places, '"surplus"'])];
  if (names !== undefined) wrong.push(call([], ...named(0), "misspeltOption: 1"));
  for (let i = 0; i < places.length; i++) wrong.push(call(places.with(i, "Promise.resolve(1)")));
  return `${[...obeyed].join("\n")}\n${wrong.map(refused).join("")}`;
}

/** The value as an expression of its type. */
function expression(value: unknown, paths: Paths): string {
  if (typeof value === "function" && !(value instanceof nn.Module)) return paths.get(value) ?? "fn";
  if (typeof value !== "object" && typeof value !== "function") return typeof value === "string" ? JSON.stringify(value) : String(value);
  if (value === null) return "null";
  if (Array.isArray(value)) return `[${value.map((item) => expression(item, paths)).join(", ")}]`;
  const own = paths.get(value.constructor);
  if (own !== undefined) return `made<${own}>()`;
  if (value instanceof Tensor) return "made<athanor.Tensor>()";
  if (value.constructor === Object) return `{ ${Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${expression(item, paths)}`).join(", ")} }`;
  return `made<${value.constructor.name}>()`;
}
