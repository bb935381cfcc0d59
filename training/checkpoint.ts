// Checkpoint: everything that a training needs to go on, in one safetensors file an epoch. A file is wholly written or not there at all, so that
// a process killed at any moment leaves one that resumes to the numbers of an uninterrupted run.
import { getRandomState, setRandomState, type RandomState, type Tensor } from "../engine/index.js";
import { loadWithMetadata, writeFileAtomically } from "../engine/files.js";
import { encodeSafetensors } from "../engine/safetensors.js";
import { argumentError } from "../engine/scope.js";
import { ArgumentError } from "../kernels/errors.js";
import { checkpointFiles, checkpointName, latestCheckpoint, makeFolder, removeFiles, removeLeftovers } from "./checkpointFiles.js";
import { packTree, unpackTree } from "./packing.js";

/** What has a state: models, optimizers, schedulers, EarlyStopping, History, and your own classes whose state is plain data and tensors. */
export interface Stateful<State = never> {
  stateDict(): unknown;
  loadStateDict(state: State): unknown;
}

export interface CheckpointOptions {
  /** How many of the last checkpoints stay; Infinity keeps all. Default 1. */
  readonly keepLast?: number;
  /** Whether `metric` is better when smaller ("min") or larger ("max"); the best epoch is kept as best.safetensors. Default "min". */
  readonly mode?: "min" | "max";
  /** Lets a run that did not load() begin in a folder with another's checkpoints, which are removed then. Default false. */
  readonly overwrite?: boolean;
}

export interface SaveOptions {
  /** The measure that decides which epoch is the best; without it there is no best.safetensors. */
  readonly metric?: number | null;
  /** Text of your own, given back by load(). */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What load() says about the file it took. */
export interface Resumed {
  readonly path: string;
  /** The epoch after which it was written: go on with the next. */
  readonly epoch: number;
  readonly metric: number | null;
  /** The best metric up to that epoch. */
  readonly bestMetric: number | null;
  readonly bestEpoch: number | null;
  readonly metadata: Record<string, string>;
}

interface Progress {
  readonly epoch: number;
  readonly metric: number | null;
  readonly bestMetric: number | null;
  readonly bestEpoch: number | null;
  readonly random: RandomState;
}

const format = "athanor.checkpoint";
const bestName = "best.safetensors";

/** `new Checkpoint("runs/food", { model, optimizer, scheduler })`: save(epoch) after each epoch, load() before the first. */
export class Checkpoint {
  readonly #keepLast: number;
  readonly #mode: "min" | "max";
  readonly #overwrite: boolean;
  #best: { readonly metric: number; readonly epoch: number } | null = null;
  #loaded = false;
  #ready = false;

  constructor(readonly folder: string, readonly parts: Readonly<Record<string, Stateful>>, options: CheckpointOptions = {}) {
    const { keepLast = 1, mode = "min", overwrite = false } = options;
    if (!(keepLast >= 1)) throw argumentError("Checkpoint", `got keepLast ${keepLast}; expected a whole number of at least 1, or Infinity.`);
    if (mode !== "min" && mode !== "max") throw argumentError("Checkpoint", `got mode ${JSON.stringify(mode)}; expected "min" or "max".`);
    const names = Object.keys(parts);
    const odd = names.find((name) => !/^\w+$/.test(name));
    if (names.length === 0) throw argumentError("Checkpoint", "got nothing to keep; expected { model, optimizer, … }.");
    if (odd !== undefined) throw argumentError("Checkpoint", `got the name "${odd}"; expected letters, digits and _ only.`);
    this.#keepLast = keepLast;
    this.#mode = mode;
    this.#overwrite = overwrite;
  }

  /** Writes the state after an epoch (from 0 or 1 on), and the best epoch's once more as best.safetensors; then removes what is older than the
   *  last `keepLast`. Gives the file's path. */
  async save(epoch: number, options: SaveOptions = {}): Promise<string> {
    if (!Number.isInteger(epoch) || epoch < 0) throw argumentError("Checkpoint.save", `got epoch ${epoch}; expected a whole number of at least 0.`);
    await this.#prepare();
    const metric = options.metric ?? null;
    const isBest = metric !== null && Number.isFinite(metric) && this.#isBetter(metric);
    const best = isBest ? { metric, epoch } : this.#best;
    const progress: Progress = { epoch, metric, bestMetric: best?.metric ?? null, bestEpoch: best?.epoch ?? null, random: getRandomState() };
    const bytes = await this.#encode(progress, options.metadata ?? {});
    const path = checkpointName(this.folder, epoch);
    // The best first: killed between the two, the epoch is trained again from the checkpoint before it, and found best again.
    if (isBest) await writeFileAtomically(`${this.folder}/${bestName}`, bytes);
    await writeFileAtomically(path, bytes);
    this.#best = best;
    const files = await checkpointFiles(this.folder);
    const upToNow = files.filter((file) => file.epoch <= epoch);
    // Files of later epochs are there where an earlier checkpoint was taken up on purpose: they are of a future that is being made anew.
    const old = [...upToNow.slice(0, Math.max(0, upToNow.length - this.#keepLast)), ...files.filter((file) => file.epoch > epoch)];
    await removeFiles(old.map((file) => file.path));
    return path;
  }

  async #encode(progress: Progress, metadata: Readonly<Record<string, string>>): Promise<Uint8Array> {
    const packed = Object.entries(this.parts).map(([name, part]) => [name, packTree(name, part.stateDict())] as const);
    const tensors: Record<string, Tensor> = Object.assign({}, ...packed.map(([, { tensors }]) => tensors));
    return encodeSafetensors(tensors, {
      [format]: "1",
      [`${format}.progress`]: packTree("", progress).json,
      ...Object.fromEntries(packed.map(([name, { json }]) => [`${format}.part.${name}`, json])),
      ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`user.${key}`, value])),
    });
  }

  /** Takes up the newest checkpoint of the folder, or the one given, and the random state with it: the global one, which
   *  dropout and shuffling loaders follow; a sampler with a seed of its own counts its epochs by itself. Null where there is none: a fresh start. */
  async load(path?: string): Promise<Resumed | null> {
    const file = path ?? (await latestCheckpoint(this.folder));
    if (file === null) return null;
    const { tensors, metadata } = await loadWithMetadata(file);
    if (metadata[format] !== "1") {
      throw new ArgumentError(`${file}: is no checkpoint; expected a file that Checkpoint.save wrote (weights alone: load and loadStateDict).`);
    }
    const { epoch, metric, bestMetric, bestEpoch, random } = checkedProgress(unpackTree(metadata[`${format}.progress`] ?? "{}", {}, file), file);
    const states = Object.keys(this.parts).map((name) => {
      const json = metadata[`${format}.part.${name}`];
      if (json === undefined) {
        throw new ArgumentError(`${file}: holds no "${name}"; it has ${partNames(metadata).join(", ")}. Give Checkpoint the parts that were saved.`);
      }
      return [name, unpackTree(json, tensors, file)] as const;
    });
    for (const [name, state] of states) this.parts[name]?.loadStateDict(state as never); // as its own stateDict() gave it
    setRandomState(random);
    this.#best = bestMetric === null || bestEpoch === null ? null : { metric: bestMetric, epoch: bestEpoch };
    this.#loaded = true;
    const user = Object.entries(metadata).flatMap(([key, value]) => (key.startsWith("user.") ? [[key.slice("user.".length), value] as const] : []));
    return { path: file, epoch, metric, bestMetric, bestEpoch, metadata: Object.fromEntries(user) };
  }
  /** Takes up the best epoch's checkpoint; null where none was kept. */
  async loadBest(): Promise<Resumed | null> {
    const file = await Checkpoint.best(this.folder);
    return file === null ? null : this.load(file);
  }

  /** The path of the folder's newest checkpoint; null where there is none, or no folder. */
  static async latest(folder: string): Promise<string | null> {
    return latestCheckpoint(folder);
  }
  /** The path of the best epoch's; null where none was kept. */
  static async best(folder: string): Promise<string | null> {
    return latestCheckpoint(folder, bestName);
  }

  #isBetter(metric: number): boolean {
    if (this.#best === null) return true;
    return this.#mode === "min" ? metric < this.#best.metric : metric > this.#best.metric;
  }
  /** Before the first save: a run that starts anew does not write over the checkpoints of another. */
  async #prepare(): Promise<void> {
    if (this.#ready) return;
    await makeFolder(this.folder);
    await removeLeftovers(this.folder);
    const others = await checkpointFiles(this.folder);
    if (!this.#loaded && others.length > 0) {
      if (!this.#overwrite) {
        throw new ArgumentError(
          `Checkpoint: ${this.folder} holds the checkpoints of an earlier run, up to epoch ${others.at(-1)?.epoch}; call load() before the first ` +
            "save() to go on from there, name another folder, or pass { overwrite: true } to start anew in this one.",
        );
      }
      await removeFiles([...others.map((file) => file.path), `${this.folder}/${bestName}`]);
    }
    this.#ready = true;
  }
}

/** The file is not trusted: a progress of another form would leave the run at an epoch or a random state that is none. */
function checkedProgress(value: unknown, file: string): Progress {
  const progress = (typeof value === "object" && value !== null ? value : {}) as Partial<Progress>;
  const { epoch, metric = null, bestMetric = null, bestEpoch = null, random } = progress;
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && Number(n) >= 0;
  const isMetric = (n: unknown) => n === null || typeof n === "number";
  const isSound = isCount(epoch) && isMetric(metric) && isMetric(bestMetric) && (bestEpoch === null || isCount(bestEpoch));
  if (isSound && random && isCount(random.seed) && random.seed < 2 ** 32 && isCount(random.stream)) return { epoch, metric, bestMetric, bestEpoch, random };
  throw new ArgumentError(`${file}: its progress is not what Checkpoint.save writes (epoch, metrics, random state); the file is damaged, take an older one.`);
}

function partNames(metadata: Readonly<Record<string, string>>): string[] {
  const start = `${format}.part.`;
  return Object.keys(metadata).flatMap((key) => (key.startsWith(start) ? [key.slice(start.length)] : []));
}
