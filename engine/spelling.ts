// What a caller meant: the name nearest to one that does not exist, and how a sentence shows a value that was not expected.

/** Letters of a value, and items and levels of its lists, that are looked at: more would be cut off. */
const SHOWN = 60, ITEMS = 30, LEVELS = 3;

/** NumPy's and other libraries' words for ours. */
const synonyms: Readonly<Record<string, string>> = { axis: "dim", axes: "dim", keepdims: "keepdim", learningRate: "lr", rate: "p", shape: "size", size: "shape", cuda: "webgpu", gpu: "webgpu", mps: "webgpu" };

/** The one of `names` that `name` most likely stands for: the same in snake_case or another case, a synonym, or a few letters away. */
export function nearest(name: string, names: readonly string[]): string | null {
  const camel = camelCase(name), flat = (text: string) => text.replaceAll("_", "").toLowerCase();
  const same = names.find((candidate) => candidate === camel) ?? names.find((candidate) => flat(candidate) === flat(name));
  if (same !== undefined) return same;
  const synonym = synonyms[camel];
  if (synonym !== undefined && names.includes(synonym)) return synonym;
  let best: string | null = null, least = Infinity;
  for (const candidate of names) {
    const distance = editDistance(flat(name), flat(candidate));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return least <= Math.max(1, Math.floor(name.length / 3)) ? best : null;
}

function camelCase(name: string): string {
  return name.replace(/_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Letters put in, left out, exchanged, or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  let before: number[] = [], row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity;
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, changed, swapped);
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}

/** The end of a sentence about an option that there is not: the names that there are, and the one that was meant. */
export function expectedOptions(name: string, names: readonly string[]): string {
  if (names.length === 0) return "none.";
  const meant = nearest(name, names), list = `one of ${names.join(", ")}`;
  return meant === null ? `${list}.` : `${list} (did you mean ${meant}?).`;
}

/** A value as a sentence names it: a text in quotes, a list in brackets, an object by its class. Lists may be long, deep, or hold themselves. */
export function shown(value: unknown): string {
  return shownAt(value, 0);
}
function shownAt(value: unknown, level: number): string {
  switch (typeof value) {
    case "string": return clipped(JSON.stringify(value.slice(0, SHOWN)));
    case "function": return shownFunction(value);
    case "object": return value === null ? "null" : shownObject(value, level);
    default: return clipped(String(value));
  }
}
/** A module is a function whose class has a name. */
function shownFunction(value: object): string {
  const { name: ofClass } = value.constructor;
  if (!ofClass.endsWith("Function")) return `${/^[AEIOU]/.test(ofClass) ? "an" : "a"} ${ofClass}`;
  return "name" in value && value.name !== "" ? `the function ${String(value.name)}` : "a function";
}
function shownObject(value: object, level: number): string {
  if (Array.isArray(value)) return level < LEVELS ? clipped(`[${value.slice(0, ITEMS).map((item) => shownAt(item, level + 1)).join(", ")}]`) : "[…]";
  if (isPlainObject(value)) return `an object ${clipped(`{ ${Object.keys(value).slice(0, ITEMS).join(", ")} }`)}`;
  const { name } = value.constructor;
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}
function clipped(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 2)} …`;
}

/** { … } as written in a call, not an instance of a class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
