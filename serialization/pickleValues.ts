// What a pickle is made of while it is read, and what it becomes: dictionaries are records where their keys are texts and numbers, else Maps.
import type { AthanorError } from "../kernels/errors.js";

/** A known name, as it lies on the stack. */
export class PickledName {
  constructor(readonly name: string) {}
}
export class PickledDictionary {
  readonly entries: [key: unknown, value: unknown][] = [];
}
export class PickledSet {
  constructor(readonly items: unknown[]) {}
}

/** Turns what the machine built into arrays, records, Maps and Sets, with each thing once however often it is mentioned; `leaf` says what becomes of
 *  the rest. Without recursion: a file may nest its lists as deep as it likes. */
export function finished(root: unknown, leaf: (value: unknown) => unknown, refuse: (sentence: string) => AthanorError): unknown {
  const made = new Map<unknown, unknown>(), waiting: (() => void)[] = [];
  const keep = (source: unknown, result: unknown, fill: () => void): unknown => {
    made.set(source, result);
    waiting.push(fill);
    return result;
  };
  const shell = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (made.has(value)) return made.get(value);
    if (Array.isArray(value)) {
      const list: unknown[] = [];
      return keep(value, list, () => value.forEach((item) => list.push(shell(item))));
    }
    if (value instanceof PickledSet) {
      const set = new Set<unknown>();
      return keep(value, set, () => value.items.forEach((item) => set.add(shell(item))));
    }
    if (!(value instanceof PickledDictionary)) return leaf(value);
    if (!isRecord(value)) {
      const map = new Map<unknown, unknown>();
      return keep(value, map, () => value.entries.forEach(([key, item]) => map.set(checkedKey(key, shell, refuse), shell(item))));
    }
    const record: Record<string, unknown> = {};
    // A key such as "__proto__" is a key like any other.
    const put = ([key, item]: [unknown, unknown]) =>
      Object.defineProperty(record, String(key), { value: shell(item), enumerable: true, writable: true, configurable: true });
    return keep(value, record, () => value.entries.forEach(put));
  };
  const result = shell(root);
  for (let fill = waiting.pop(); fill !== undefined; fill = waiting.pop()) fill();
  return result;
}

/** Whether every key is a text or a number, and no two are written alike (1 and "1"). */
function isRecord({ entries }: PickledDictionary): boolean {
  const kinds = new Map<string, string>();
  for (const [key] of entries) {
    if (typeof key !== "string" && typeof key !== "number") return false;
    const before = kinds.get(String(key));
    if (before !== undefined && before !== typeof key) return false;
    kinds.set(String(key), typeof key);
  }
  return true;
}

/** What Python takes for a key: nothing that can change. */
function checkedKey(key: unknown, shell: (value: unknown) => unknown, refuse: (sentence: string) => AthanorError): unknown {
  if (key instanceof PickledDictionary || key instanceof PickledSet) {
    throw refuse(`a dictionary has a ${key instanceof PickledSet ? "set" : "dictionary"} for a key; the file is damaged.`);
  }
  return shell(key);
}
