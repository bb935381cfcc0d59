// Flags of a command line: what each may be, and the sentence for what it may not. A command declares them as a record; parseFlags reads them.
import { parseArgs } from "node:util";

/** A wrong flag or value: one sentence on stderr and exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

export interface Flag<T> {
  /** Without a value the flag is a switch. */
  readonly takesValue: boolean;
  /** The value of `--name value`; of an absent flag where value is undefined. Throws UsageError. */
  read(name: string, value: string | undefined): T;
}

const largestSeed = 2 ** 32 - 1;

/** A whole number from `least` to `most`. */
export function wholeFlag<Default extends number | null>(
  otherwise: Default, least = 0, most = Number.MAX_SAFE_INTEGER,
): Flag<number | Default> {
  return valueFlag(otherwise, (name, value) => {
    const number = /^\d+$/.test(value) ? Number(value) : NaN;
    if (number >= least && number <= most) return number;
    const bound = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new UsageError(`--${name} ${value}: expected a whole number ${bound}.`);
  });
}

export function seedFlag(otherwise = 0): Flag<number> {
  return wholeFlag(otherwise, 0, largestSeed);
}

/** A number above 0, or from 0 on where `zero` allows it. */
export function numberFlag<Default extends number | null>(otherwise: Default, { zero = false } = {}): Flag<number | Default> {
  return valueFlag(otherwise, (name, value) => {
    const number = value.trim() === "" ? NaN : Number(value);
    if ((number > 0 || (zero && number === 0)) && Number.isFinite(number)) return number;
    throw new UsageError(`--${name} ${value}: expected a number ${zero ? "of at least 0" : "above 0"}, such as 0.001 or 1e-3.`);
  });
}

/** One of these names; of an object, one of its keys. */
export function choiceFlag<const Choice extends string, Default extends Choice | null>(
  choices: readonly Choice[] | Readonly<Record<Choice, unknown>>, otherwise: Default,
): Flag<Choice | Default> {
  const names: readonly string[] = Array.isArray(choices) ? choices : Object.keys(choices);
  const isChoice = (value: string): value is Choice => names.includes(value);
  return valueFlag(otherwise, (name, value) => {
    if (!isChoice(value)) throw new UsageError(`--${name} ${value}: expected one of ${names.join(", ")}.`);
    return value;
  });
}

export function folderFlag<Default extends string | null>(otherwise: Default): Flag<string | Default> {
  return pathFlag("folder", otherwise);
}

export function fileFlag<Default extends string | null>(otherwise: Default): Flag<string | Default> {
  return pathFlag("file", otherwise);
}

export function switchFlag(): Flag<boolean> {
  return {
    takesValue: false,
    read: (name, value) => {
      if (value !== undefined && value !== "") throw new UsageError(`--${name} takes no value, got "${value}".`);
      return value !== undefined;
    },
  };
}

function pathFlag<Default extends string | null>(kind: "file" | "folder", otherwise: Default): Flag<string | Default> {
  return valueFlag(otherwise, (name, value) => {
    if (value === "") throw new UsageError(`--${name} needs the name of a ${kind}.`);
    return value;
  });
}

function valueFlag<T, Default>(otherwise: Default, read: (name: string, value: string) => T): Flag<T | Default> {
  return { takesValue: true, read: (name, value) => (value === undefined ? otherwise : read(name, value)) };
}

export type FlagRecord = Record<string, Flag<unknown>>;
export type FlagValues<Flags extends FlagRecord> = { readonly [Name in keyof Flags]: Flags[Name] extends Flag<infer T> ? T : never };

/** Comes with every command. */
const helpFlag = { help: switchFlag() };

/** Reads the flags (`batchSize` is `--batch-size`; `--help` and `-h` come with every command); the last one counts where one is given twice.
 *  Throws UsageError. */
export function parseFlags<Flags extends FlagRecord>(args: readonly string[], flags: Flags): FlagValues<Flags> & { readonly help: boolean } {
  return parseFlagsWith(args, flags, {});
}

/** The same for a command's own flags and those it shares with others. */
export function parseFlagsWith<Own extends FlagRecord, Shared extends FlagRecord>(
  args: readonly string[], own: Own, shared: Shared,
): FlagValues<Own> & FlagValues<Shared> & { readonly help: boolean } {
  const known: FlagRecord = { ...own, ...shared, ...helpFlag };
  const given = readTokens(args, new Map(Object.entries(known).map(([key, flag]) => [kebab(key), flag])));
  return { ...valuesOf(own, given), ...valuesOf(shared, given), ...valuesOf(helpFlag, given) };
}

function valuesOf<Flags extends FlagRecord>(flags: Flags, given: ReadonlyMap<string, string>): FlagValues<Flags> {
  const values = Object.fromEntries(Object.entries(flags).map(([key, flag]) => [key, flag.read(kebab(key), given.get(kebab(key)))]));
  return values as FlagValues<Flags>;
}

function readTokens(args: readonly string[], known: ReadonlyMap<string, Flag<unknown>>): Map<string, string> {
  const options = Object.fromEntries([...known].map(([name, { takesValue }]) => [
    name, { type: takesValue ? ("string" as const) : ("boolean" as const), ...(name === "help" && { short: "h" }) },
  ]));
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === "positional") throw new UsageError(`"${token.value}" belongs to no flag; expected flags such as --epochs 3 (see --help).`);
    if (token.kind !== "option") continue;
    const flag = known.get(token.name);
    if (flag === undefined) {
      const names = [...known.keys()].map((name) => `--${name}`).join(", ");
      throw new UsageError(`There is no flag ${token.rawName}; expected one of ${names} (see --help).`);
    }
    if (flag.takesValue && (token.value === undefined || (!token.inlineValue && token.value.startsWith("--")))) {
      throw new UsageError(`--${token.name} needs a value (see --help).`);
    }
    given.set(token.name, token.value ?? "");
  }
  return given;
}

/** batchSize → batch-size */
function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
