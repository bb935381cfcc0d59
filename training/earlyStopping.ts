// EarlyStopping: stops a training whose measure no longer gets better, and brings back the weights of its best epoch.
import { keep, noGrad, type Tensor } from "../engine/index.js";
import { type Call, Signature, takesNothing } from "../engine/arguments.js";
import { aCount, aFinite, anObject, aNumber, aString, aTensor, fromZero, kind, type Kind, oneOf, orNull } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { isPlainObject, shown } from "../engine/spelling.js";

/** A model, or what else has a state dict of tensors. */
export interface WeightHolder {
  stateDict(): Record<string, Tensor>;
  loadStateDict(state: Record<string, Tensor>): unknown;
}

export interface EarlyStoppingOptions {
  /** Whether the measure is better when it is smaller (a loss) or larger (an accuracy). Default "min". */
  readonly mode?: "min" | "max";
  /** How many epochs in a row may bring no improvement; after so many it stops. Default 5. */
  readonly patience?: number;
  /** A change smaller than this is no improvement. Default 0. */
  readonly minDelta?: number;
  /** Keeps a copy of this model's weights at its best epoch, on its device, for restore(). */
  readonly restoreBest?: WeightHolder | null;
}

export interface EarlyStoppingState {
  readonly best: number | null;
  readonly bestEpoch: number | null;
  readonly epoch: number;
  readonly badEpochs: number;
  readonly reason: string | null;
  readonly weights: Record<string, Tensor> | null;
}

const holder = kind<WeightHolder>(
  "a model, or what else has stateDict() and loadStateDict()",
  (value) => (typeof value === "object" || typeof value === "function") && value !== null && "stateDict" in value && "loadStateDict" in value,
);
const signature = new Signature(
  "EarlyStopping", [], [["mode", oneOf("min", "max"), "min"], ["patience", aCount(1), 5], ["minDelta", fromZero, 0], ["restoreBest", holder, null]],
);
const stateKinds: Readonly<Record<keyof EarlyStoppingState, Kind<unknown>>> = {
  best: orNull(aFinite), bestEpoch: orNull(fromZero), epoch: fromZero, badEpochs: aCount(0), reason: orNull(aString),
  weights: orNull(kind("tensors by name", (value) => isPlainObject(value) && Object.values(value).every(aTensor.takes))),
};
const restoring = new Signature("EarlyStopping.loadStateDict", [["state", anObject<EarlyStoppingState>("what stateDict() gave")]]);
const updating = new Signature("EarlyStopping.update", [["value", aNumber], ["epoch", fromZero, null]]);

export class EarlyStopping {
  readonly mode: "min" | "max";
  readonly patience: number;
  readonly minDelta: number;
  readonly #model: WeightHolder | null;
  #best: number | null = null;
  #bestEpoch: number | null = null;
  #epoch = 0;
  #badEpochs = 0;
  #reason: string | null = null;
  #weights: Record<string, Tensor> | null = null;

  constructor(...given: Call<typeof signature>) {
    const [mode, patience, minDelta, restoreBest] = signature.read(given);
    this.mode = mode;
    this.patience = patience;
    this.minDelta = minDelta;
    this.#model = restoreBest;
  }

  /** The best value so far, null before the first. */
  get best(): number | null {
    return this.#best;
  }
  /** The epoch it was seen in. */
  get bestEpoch(): number | null {
    return this.#bestEpoch;
  }
  /** Epochs since the best one. */
  get badEpochs(): number {
    return this.#badEpochs;
  }
  get stopped(): boolean {
    return this.#reason !== null;
  }
  /** Why it stopped, a sentence; null while it goes on. */
  get reason(): string | null {
    return this.#reason;
  }
  /** Whether the last epoch was the best one: what the notes print as "-> best". */
  get improved(): boolean {
    return this.#bestEpoch !== null && this.#badEpochs === 0;
  }

  /** Takes an epoch's measure (epochs count from 1); true when the training should stop. A measure that is no number stops at once. */
  update(...given: Call<typeof updating>): boolean {
    const [value, at] = updating.read(given), epoch = at ?? this.#epoch + 1;
    this.#epoch = epoch;
    if (Number.isFinite(value) && this.#isBetter(value)) {
      this.#best = value;
      this.#bestEpoch = epoch;
      this.#badEpochs = 0;
      this.#keepWeights();
      return this.stopped;
    }
    this.#badEpochs++;
    if (!Number.isFinite(value)) this.#reason = `Stopped: the measure is ${value} in epoch ${epoch}.`;
    else if (this.#badEpochs >= this.patience) {
      const times = this.patience === 1 ? "an epoch" : `${this.patience} epochs`;
      this.#reason = `Stopped: no improvement for ${times}; the best was ${Number(this.#best?.toPrecision(5))} in epoch ${this.#bestEpoch}.`;
    }
    return this.stopped;
  }
  #isBetter(value: number): boolean {
    if (this.#best === null) return true;
    return this.mode === "min" ? value < this.#best - this.minDelta : value > this.#best + this.minDelta;
  }
  #keepWeights(): void {
    if (this.#model === null) return;
    const state = this.#model.stateDict();
    this.#forgetWeights();
    this.#weights = noGrad(() => Object.fromEntries(Object.entries(state).map(([name, value]) => [name, keep(value.clone())])));
  }
  #forgetWeights(): void {
    for (const value of Object.values(this.#weights ?? {})) value.dispose();
    this.#weights = null;
  }

  /** Puts the best epoch's weights back into the model; false where no epoch was seen yet. */
  restore(...none: []): boolean {
    takesNothing("EarlyStopping.restore", none);
    if (this.#model === null) throw argumentError("restore", "no model was given; expected new EarlyStopping({ restoreBest: model }).");
    if (this.#weights === null) return false;
    this.#model.loadStateDict(this.#weights);
    return true;
  }

  /** Everything it knows, the best weights included: plain data and tensors, for a Checkpoint. */
  stateDict(...none: []): EarlyStoppingState {
    takesNothing("EarlyStopping.stateDict", none);
    return {
      best: this.#best, bestEpoch: this.#bestEpoch, epoch: this.#epoch, badEpochs: this.#badEpochs, reason: this.#reason, weights: this.#weights,
    };
  }
  loadStateDict(...given: Call<typeof restoring>): void {
    const [state] = restoring.read(given);
    for (const [name, fits] of Object.entries(stateKinds)) {
      const value: unknown = Reflect.get(state, name);
      if (!fits.takes(value)) throw argumentError("EarlyStopping.loadStateDict", `got a state with ${name} ${shown(value)}; expected ${fits.says}, as stateDict() gives it. Nothing was loaded.`);
    }
    const weights = state.weights && Object.fromEntries(Object.entries(state.weights).map(([name, value]) => [name, keep(value.clone())]));
    this.#forgetWeights();
    this.#best = state.best;
    this.#bestEpoch = state.bestEpoch;
    this.#epoch = state.epoch;
    this.#badEpochs = state.badEpochs;
    this.#reason = state.reason;
    this.#weights = weights;
  }
}
