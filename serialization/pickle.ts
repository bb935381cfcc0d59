// Python's pickle, read without Python and without its danger: the machine's opcodes build containers, numbers and strings, and the few names
// that the caller knows. Nothing is imported and nothing is called by a name from the file; what is not known is refused by that name.
// Opcodes and their arguments: CPython's Lib/pickletools.py, protocols 1 to 5.
import type { AthanorError } from "../kernels/errors.js";
import { PickledDictionary, PickledName, PickledSet } from "./pickleValues.js";

/** What a name of Python stands for: a value, or a call that makes one; neither where it may only be mentioned. */
export interface KnownName {
  readonly call?: (given: readonly unknown[]) => unknown;
  readonly value?: unknown;
}

export interface PickleReader {
  /** By "module.name". */
  readonly names: ReadonlyMap<string, KnownName>;
  /** What a persistent id stands for. */
  readonly persistent: (id: unknown) => unknown;
  /** What an object becomes whose attributes are set; undefined where it has none. */
  readonly build: (target: unknown, state: unknown) => boolean;
  readonly refuse: (sentence: string) => AthanorError;
  /** What to save instead of an unknown name. */
  readonly insteadOf: (name: string) => string;
  /** The pickle needs bytes past those that there are. */
  readonly ended: (at: number) => AthanorError;
}

/** Python 2 called these modules otherwise, and protocols 1 and 2 still do. */
const oldModules: Readonly<Record<string, string>> = { __builtin__: "builtins", copy_reg: "copyreg" };

const mark: unique symbol = Symbol("mark");

export class Unpickler {
  #at: number;
  readonly #view: DataView;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  readonly #tuples = new Set<unknown>();

  constructor(readonly bytes: Uint8Array, readonly reader: PickleReader, start = 0) {
    this.#at = start;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads one pickle: its value, and where the byte after it is. */
  read(): { value: unknown; end: number } {
    for (;;) {
      const at = this.#at, code = this.#uint(1);
      if (code === 0x2e) return { value: this.pop(), end: this.#at }; // STOP
      const run = operations[code];
      if (run === undefined) {
        throw this.#refuse(
          `byte ${at} of the pickle is the opcode 0x${code.toString(16).padStart(2, "0")}, which torch.save does not use for tensors and containers.`,
        );
      }
      run(this);
    }
  }

  #refuse(sentence: string): AthanorError {
    return this.reader.refuse(sentence);
  }
  #take(length: number): number {
    const at = this.#at;
    if (length > this.bytes.length - at) throw this.reader.ended(this.bytes.length);
    this.#at += length;
    return at;
  }
  #uint(width: 1 | 2 | 4 | 8): number {
    const at = this.#take(width);
    if (width === 1) return this.#view.getUint8(at);
    if (width === 2) return this.#view.getUint16(at, true);
    return width === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }
  #top(): unknown {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }
  #sinceMark(): unknown[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw this.#refuse("the pickle closes a group that was not opened; the file is damaged.");
    const values = this.#stack.splice(at);
    return values.slice(1);
  }

  // ── what the opcodes do ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  push(value: unknown): void {
    this.#stack.push(value);
  }
  pop(): unknown {
    if (this.#stack.length === 0 || this.#stack[this.#stack.length - 1] === mark) {
      throw this.#refuse("the pickle takes a value where there is none; the file is damaged.");
    }
    return this.#stack.pop();
  }
  popMarked(): void {
    this.#sinceMark();
  }
  mark(): void {
    this.#stack.push(mark);
  }
  skip(width: 1 | 8): void {
    this.#take(width);
  }
  signed(): number {
    return this.#view.getInt32(this.#take(4), true);
  }
  unsigned(width: 1 | 2 | 4 | 8): number {
    return this.#uint(width);
  }
  double(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }
  /** A copy: the file's bytes may be a window that goes. */
  raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.slice(at, at + length);
  }
  text(length: number): string {
    const at = this.#take(length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes.subarray(at, at + length));
    } catch {
      throw this.#refuse(`the text at byte ${at} of the pickle is not UTF-8; the file is damaged, or Python 2 wrote it.`);
    }
  }
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.#at);
    const text = this.text((end < 0 ? this.bytes.length + 1 : end) - this.#at);
    this.#take(1);
    return text;
  }
  /** A number written as decimal text: "01" and "00" are True and False where `bools` says so. */
  decimal(bools: boolean): number | bigint | boolean {
    const text = this.line();
    if (bools && (text === "01" || text === "00")) return text === "01";
    if (!/^[+-]?\d{1,310}L?$/.test(text)) throw this.#refuse(`the pickle has ${JSON.stringify(text)} for a whole number; the file is damaged.`);
    const value = BigInt(text.replace("L", ""));
    return exactNumber(value);
  }
  /** A little-endian two's-complement integer of so many bytes: a number where it is exact. */
  long(length: number): number | bigint {
    if (length > 255) throw this.#refuse(`the pickle has an integer of ${length} bytes; the file is damaged.`);
    const at = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(this.bytes[at + i] ?? 0);
    if (length > 0 && (this.bytes[at + length - 1] ?? 0) >= 128) value -= 1n << BigInt(8 * length);
    return exactNumber(value);
  }
  remember(key: number = this.#memo.size): void {
    this.#memo.set(key, this.#top());
  }
  recall(key: number): void {
    if (!this.#memo.has(key)) throw this.#refuse(`the pickle refers to its value ${key}, which it has not made; the file is damaged.`);
    this.#stack.push(this.#memo.get(key));
  }
  tuple(values: unknown[]): void {
    this.#tuples.add(values);
    this.#stack.push(values);
  }
  tupleOf(count: number): void {
    const values = Array.from({ length: count }, () => this.pop());
    this.tuple(values.reverse());
  }
  markedTuple(): void {
    this.tuple(this.#sinceMark());
  }
  append(values: readonly unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list) || this.#tuples.has(list)) throw this.#refuse("the pickle appends to something that is no list; the file is damaged.");
    for (const value of values) list.push(value);
  }
  appendOne(): void {
    this.append([this.pop()]);
  }
  appendMarked(): void {
    this.append(this.#sinceMark());
  }
  addMarked(): void {
    const items = this.#sinceMark(), set = this.#top();
    if (!(set instanceof PickledSet)) throw this.#refuse("the pickle adds to something that is no set; the file is damaged.");
    for (const item of items) set.items.push(item);
  }
  markedSet(): void {
    this.push(new PickledSet(this.#sinceMark()));
  }
  setItems(flat: readonly unknown[]): void {
    const target = this.#top();
    if (!(target instanceof PickledDictionary) || flat.length % 2 !== 0) {
      throw this.#refuse("the pickle sets items of something that is no dictionary; the file is damaged.");
    }
    for (let i = 0; i < flat.length; i += 2) target.entries.push([flat[i], flat[i + 1]]);
  }
  setOne(): void {
    const value = this.pop(), key = this.pop();
    this.setItems([key, value]);
  }
  setMarked(): void {
    this.setItems(this.#sinceMark());
  }
  global(module: string, name: string): void {
    const whole = `${oldModules[module] ?? module}.${name}`, known = this.reader.names.get(whole);
    if (known === undefined) {
      throw this.#refuse(
        `it asks for Python's ${whole}, and only tensors and containers are loaded; nothing was run. ${this.reader.insteadOf(whole)}`,
      );
    }
    this.#stack.push("value" in known ? known.value : new PickledName(whole));
  }
  globalFromStack(): void {
    const name = this.pop(), module = this.pop();
    if (typeof name !== "string" || typeof module !== "string") {
      throw this.#refuse("the pickle names something by values that are no text; the file is damaged.");
    }
    this.global(module, name);
  }
  reduce(): void {
    const given = this.pop(), callee = this.pop();
    if (!(callee instanceof PickledName) || !Array.isArray(given)) {
      throw this.#refuse("the pickle calls something that is no function; the file is damaged.");
    }
    const call = this.reader.names.get(callee.name)?.call;
    if (!call) throw this.#refuse(`it calls ${callee.name}, which is not a function that makes a tensor; nothing was run.`);
    this.#stack.push(call(given));
  }
  build(): void {
    const state = this.pop();
    if (!this.reader.build(this.#top(), state)) {
      throw this.#refuse("it sets the attributes of an object that is no dictionary; only tensors and containers are loaded.");
    }
  }
  persistent(): void {
    this.#stack.push(this.reader.persistent(this.pop()));
  }
}

function exactNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

type Run = (machine: Unpickler) => void;
const operations: Readonly<Record<number, Run>> = {
  0x80: (m) => m.skip(1), // PROTO
  0x95: (m) => m.skip(8), // FRAME
  0x28: (m) => m.mark(),
  0x30: (m) => void m.pop(), // POP
  0x31: (m) => m.popMarked(),
  0x4e: (m) => m.push(null),
  0x88: (m) => m.push(true),
  0x89: (m) => m.push(false),
  0x49: (m) => m.push(m.decimal(true)), // INT
  0x4c: (m) => m.push(m.decimal(false)), // LONG
  0x4a: (m) => m.push(m.signed()), // BININT
  0x4b: (m) => m.push(m.unsigned(1)),
  0x4d: (m) => m.push(m.unsigned(2)),
  0x8a: (m) => m.push(m.long(m.unsigned(1))), // LONG1
  0x8b: (m) => m.push(m.long(m.unsigned(4))),
  0x47: (m) => m.push(m.double()), // BINFLOAT
  0x55: (m) => m.push(m.text(m.unsigned(1))), // SHORT_BINSTRING
  0x54: (m) => m.push(m.text(m.unsigned(4))),
  0x8c: (m) => m.push(m.text(m.unsigned(1))), // SHORT_BINUNICODE
  0x58: (m) => m.push(m.text(m.unsigned(4))),
  0x8d: (m) => m.push(m.text(m.unsigned(8))),
  0x43: (m) => m.push(m.raw(m.unsigned(1))), // SHORT_BINBYTES
  0x42: (m) => m.push(m.raw(m.unsigned(4))),
  0x8e: (m) => m.push(m.raw(m.unsigned(8))),
  0x96: (m) => m.push(m.raw(m.unsigned(8))), // BYTEARRAY8
  0x5d: (m) => m.push([]), // EMPTY_LIST
  0x61: (m) => m.appendOne(),
  0x65: (m) => m.appendMarked(),
  0x29: (m) => m.tuple([]), // EMPTY_TUPLE
  0x85: (m) => m.tupleOf(1),
  0x86: (m) => m.tupleOf(2),
  0x87: (m) => m.tupleOf(3),
  0x74: (m) => m.markedTuple(),
  0x7d: (m) => m.push(new PickledDictionary()), // EMPTY_DICT
  0x73: (m) => m.setOne(),
  0x75: (m) => m.setMarked(),
  0x8f: (m) => m.push(new PickledSet([])), // EMPTY_SET
  0x90: (m) => m.addMarked(),
  0x91: (m) => m.markedSet(), // FROZENSET
  0x71: (m) => m.remember(m.unsigned(1)), // BINPUT
  0x72: (m) => m.remember(m.unsigned(4)),
  0x94: (m) => m.remember(), // MEMOIZE
  0x68: (m) => m.recall(m.unsigned(1)), // BINGET
  0x6a: (m) => m.recall(m.unsigned(4)),
  0x63: (m) => { // GLOBAL
    const module = m.line();
    m.global(module, m.line());
  },
  0x93: (m) => m.globalFromStack(), // STACK_GLOBAL
  0x52: (m) => m.reduce(),
  0x81: (m) => m.reduce(), // NEWOBJ: a known name makes what it makes either way
  0x62: (m) => m.build(),
  0x51: (m) => m.persistent(), // BINPERSID
};
