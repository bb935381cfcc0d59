// Checkpoint: everything that a training needs to go on, in one safetensors file an epoch. A file is wholly written or not there at all, so that
// a process killed at any moment leaves one that resumes to the numbers of an uninterrupted run.
import { type Call, type Options, Signature, takesNothing } from "../engine/arguments.js";
import { type FilePath, checkedPath, keyOf, queued, settledWork, writeFileAtomically } from "../serialization/atomicFile.js";
import { withTensorFile } from "../serialization/files.js";
import { getRandomState, setRandomState, tensor, type RandomState, type Tensor } from "../engine/index.js";
import { collectIfNeeded } from "../engine/memory.js";
import { safetensorsParts } from "../serialization/safetensors.js";
import { type KeptTensor, snapshot } from "../serialization/snapshot.js";
import { aBoolean, aNumber, anObject, kind, oneOf } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { isPlainObject } from "../engine/spelling.js";
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
/** How often a trainer may be faster than we are. */
const mostTries = 100;

/** A state on its way to a file. */
interface State {
  readonly kept: Promise<KeptTensor[]>;
  readonly texts: Readonly<Record<string, string>>;
  readonly random: RandomState;
}

const place = kind<FilePath>("a folder's name, or a file: URL", (value) => !(value instanceof Promise) && !isPlainObject(value)); // checkedPath says more
const signature = new Signature(
  "Checkpoint",
  [
    ["folder", place],
    ["parts", anObject<Readonly<Record<string, Stateful>>>("{ model, optimizer, … }")],
  ],
  [["keepLast", aNumber, 1], ["mode", oneOf("min", "max"), "min"], ["overwrite", aBoolean, false]],
);
const noTexts: Readonly<Record<string, string>> = {};
const texts = kind<Readonly<Record<string, string>>>(
  "texts by name { note: \"…\" }", (value) => isPlainObject(value) && Object.values(value).every((text) => typeof text === "string"), { plain: true },
);
const saving = new Signature("Checkpoint.save", [["epoch", aNumber]], [["metric", aNumber, null], ["metadata", texts, noTexts]]);
/** metric: the measure that decides which epoch is the best; without it there is no best.safetensors. metadata: texts of your own, given back by load(). */
export type SaveOptions = Omit<Options<typeof saving>, "epoch">;
const loading = new Signature("Checkpoint.load", [["path", place, undefined]]);
const looking = { latest: new Signature("Checkpoint.latest", [["folder", place]]), best: new Signature("Checkpoint.best", [["folder", place]]) };

/** `new Checkpoint("runs/food", { model, optimizer, scheduler })`: save(epoch) after each epoch, load() before the first. */
export class Checkpoint {
  readonly #keepLast: number;
  readonly #mode: "min" | "max";
  readonly #overwrite: boolean;
  #best: { readonly metric: number; readonly epoch: number } | null = null;
  #loaded = false;
  #ready = false;
  /** How many saves wait for one another, and the epochs of those among them that are written. */
  #waiting = 0;
  readonly #together = new Set<number>();
  readonly #key: string;

  readonly folder: string;
  readonly parts: Readonly<Record<string, Stateful>>;

  constructor(...given: Call<typeof signature>) {
    const [folder, parts, keepLast, mode, overwrite] = signature.read(given);
    if (!(keepLast >= 1) || (!Number.isInteger(keepLast) && keepLast !== Infinity)) {
      throw argumentError("Checkpoint", `got keepLast ${keepLast}; expected a whole number of at least 1, or Infinity.`);
    }
    const names = Object.keys(parts);
    const odd = names.find((name) => !/^\w+$/.test(name));
    if (names.length === 0) throw argumentError("Checkpoint", "got nothing to keep; expected { model, optimizer, … }.");
    if (odd !== undefined) throw argumentError("Checkpoint", `got the name "${odd}"; expected letters, digits and _ only.`);
    this.parts = parts;
    this.#keepLast = keepLast;
    this.#mode = mode;
    this.#overwrite = overwrite;
    this.folder = checkedPath("Checkpoint", folder);
    this.#key = `checkpoints ${keyOf(this.folder)}`;
  }

  /** Writes the state after an epoch (from 0 or 1 on), and the best epoch's once more as best.safetensors; then removes what is older than the
   *  last `keepLast` epochs. The file has the state of the moment of the call, whether it is awaited or not: several saves of one folder follow
   *  one another in the order of the calls. Gives the file's path. */
  async save(...given: Call<typeof saving>): Promise<string> {
    const [epoch, metric, metadata] = saving.read(given);
    if (!Number.isSafeInteger(epoch) || epoch < 0) throw argumentError("Checkpoint.save", `got epoch ${epoch}; expected a whole number of at least 0.`);
    const state = this.#now(metadata);
    return queued(this.#key, () => this.#write(epoch, metric, state)).finally(() => {
      if (--this.#waiting === 0) this.#together.clear();
    });
  }

  /** What the parts hold now, as it will be written: nothing is waited for before it is read. */
  #now(metadata: Readonly<Record<string, string>>): State {
    const packed = Object.entries(this.parts).map(([name, part]) => [name, packTree(name, part.stateDict())] as const);
    const tensors: Record<string, Tensor> = Object.assign({}, ...packed.map(([, { tensors }]) => tensors));
    const texts = {
      ...Object.fromEntries(packed.map(([name, { json }]) => [`${format}.part.${name}`, json])),
      ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`user.${key}`, value])),
    };
    const kept = snapshot(tensors);
    kept.catch(() => undefined); // it is waited for in its turn, perhaps later than it fails
    this.#waiting++;
    return { kept, texts, random: getRandomState() };
  }

  async #write(epoch: number, metric: number | null, { kept, texts, random }: State): Promise<string> {
    const tensors = await kept;
    await this.#prepare();
    const isBest = metric !== null && Number.isFinite(metric) && this.#isBetter(metric);
    const best = isBest ? { metric, epoch } : this.#best;
    const progress: Progress = { epoch, metric, bestMetric: best?.metric ?? null, bestEpoch: best?.epoch ?? null, random };
    const parts = safetensorsParts(tensors, { [format]: "1", [`${format}.progress`]: packTree("", progress).json, ...texts });
    const path = checkpointName(this.folder, epoch);
    // The best first: killed between the two, the epoch is trained again from the checkpoint before it, and found best again.
    if (isBest) await writeFileAtomically(`${this.folder}/${bestName}`, parts);
    await writeFileAtomically(path, parts);
    this.#best = best;
    this.#together.add(epoch);
    const files = await checkpointFiles(this.folder), upToNow = files.filter((file) => file.epoch <= epoch || this.#together.has(file.epoch));
    // Files of later epochs are there where an earlier checkpoint was taken up on purpose: they are of a future that is being made anew. Not so
    // those of saves that were started together with this one.
    const old = [...upToNow.slice(0, Math.max(0, upToNow.length - this.#keepLast)), ...files.filter((file) => !upToNow.includes(file))];
    await removeFiles(old.map((file) => file.path));
    return path;
  }

  /** Takes up the newest checkpoint of the folder, or the one given, and the random state with it: the global one, which
   *  dropout and shuffling loaders follow; a sampler with a seed of its own counts its epochs by itself. Null where there is none: a fresh start.
   *  All or nothing: where a part does not fit, every part is as it was. */
  async load(...given: Call<typeof loading>): Promise<Resumed | null> {
    const [path] = loading.read(given);
    await settledWork(this.#key);
    if (path !== undefined) return this.#loadFrom(checkedPath("Checkpoint.load", path));
    // A trainer beside us may remove the newest file between listing and opening: then there is a newer one.
    for (let tries = 1; ; tries++) {
      const file = await latestCheckpoint(this.folder);
      if (file === null) return null;
      try {
        return await this.#loadFrom(file);
      } catch (error) {
        if (!isMissing(error) || tries === mostTries) throw error;
      }
    }
  }

  #loadFrom(file: string): Promise<Resumed> {
    return withTensorFile(file, async (read) => {
      const { metadata } = await read(() => false);
      if (metadata[format] !== "1") {
        throw new ArgumentError(`${file}: is no checkpoint; expected a file that Checkpoint.save wrote (weights alone: load and loadStateDict).`);
      }
      const { epoch, metric, bestMetric, bestEpoch, random } = checkedProgress(unpackTree(metadata[`${format}.progress`] ?? "{}", {}, file), file);
      const missing = Object.keys(this.parts).find((name) => metadata[`${format}.part.${name}`] === undefined);
      if (missing !== undefined) {
        throw new ArgumentError(`${file}: holds no "${missing}"; it has ${partNames(metadata).join(", ")}. Give Checkpoint the parts that were saved.`);
      }
      await this.#takeUp(async (name) => {
        const { tensors } = await read((stored) => stored === name || stored.startsWith(`${name}.`));
        return unpackTree(metadata[`${format}.part.${name}`] ?? "", tensors, file);
      });
      setRandomState(random);
      this.#best = bestMetric === null || bestEpoch === null ? null : { metric: bestMetric, epoch: bestEpoch };
      this.#loaded = true;
      const user = Object.entries(metadata).flatMap(([key, value]) => (key.startsWith("user.") ? [[key.slice("user.".length), value] as const] : []));
      return { path: file, epoch, metric, bestMetric, bestEpoch, metadata: Object.fromEntries(user) };
    });
  }

  /** Gives the parts their states, one after the other, so that a device holds no more than one part twice. Where one does not take it, each is given
   *  back what it had, which is kept outside the devices meanwhile. */
  async #takeUp(stateOf: (name: string) => Promise<unknown>): Promise<void> {
    const names = Object.keys(this.parts);
    const before = await Promise.all(names.map(async (name) => {
      const { tensors, json } = packTree(name, this.parts[name]?.stateDict());
      return { name, json, kept: await snapshot(tensors) };
    }));
    const tried: string[] = [];
    const takeUpOne = async (name: string): Promise<void> => {
      const state = await stateOf(name);
      tried.push(name);
      this.parts[name]?.loadStateDict(state as never); // as its own stateDict() gave it
    };
    try {
      for (const name of names) {
        await takeUpOne(name);
        await collectIfNeeded(); // out here nothing holds the part's tensors any longer
      }
    } catch (error) {
      await collectIfNeeded();
      for (const { name, json, kept } of before) {
        if (!tried.includes(name)) continue;
        const tensors = kept.map((one) => [one.name, tensor(one.values, { shape: one.shape, dtype: one.dtype })] as const);
        this.parts[name]?.loadStateDict(unpackTree(json, Object.fromEntries(tensors), name) as never);
      }
      throw error;
    }
  }
  /** Takes up the best epoch's checkpoint; null where none was kept. */
  async loadBest(...none: []): Promise<Resumed | null> {
    takesNothing("Checkpoint.loadBest", none);
    const file = await Checkpoint.best(this.folder);
    return file === null ? null : this.load(file);
  }

  /** The path of the folder's newest checkpoint; null where there is none, or no folder. */
  static async latest(...given: Call<typeof looking.latest>): Promise<string | null> {
    const [folder] = looking.latest.read(given);
    return latestCheckpoint(checkedPath("Checkpoint.latest", folder));
  }
  /** The path of the best epoch's; null where none was kept. */
  static async best(...given: Call<typeof looking.best>): Promise<string | null> {
    const [folder] = looking.best.read(given);
    return latestCheckpoint(checkedPath("Checkpoint.best", folder), bestName);
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

/** Whether a file was not there. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && "code" in error.cause && error.cause.code === "ENOENT";
}

function partNames(metadata: Readonly<Record<string, string>>): string[] {
  const start = `${format}.part.`;
  return Object.keys(metadata).flatMap((key) => (key.startsWith(start) ? [key.slice(start.length)] : []));
}
