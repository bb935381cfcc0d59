// What to do in each of a training's cases.
import type { Case } from "./diagnosis.js";

export type Action =
  | "augment data" | "stop early" | "use dropout" | "lower the learning rate" | "change the number of epochs" | "add layers"
  | "use non-linear activations" | "augment less" | "check the data set" | "check the model";

export interface Remedy {
  readonly action: Action;
  readonly sentence: string;
}

const lowerRate: Remedy = { action: "lower the learning rate", sentence: "Lower the learning rate, or let a scheduler do it." };

const remedies: Readonly<Record<Case, readonly Remedy[]>> = {
  overfitting: [
    { action: "augment data", sentence: "There are too few samples for this model: augment the data, or get more." },
    { action: "stop early", sentence: "Stop early and take the best epoch's weights (EarlyStopping)." },
    { action: "use dropout", sentence: "Use dropout." },
    lowerRate,
    { action: "change the number of epochs", sentence: "Change the number of epochs." },
  ],
  underfitting: [
    { action: "add layers", sentence: "The model is too simple for so many samples: make it deeper." },
    { action: "use non-linear activations", sentence: "Use non-linear activations such as ReLU wherever you can." },
  ],
  oscillating: [
    { action: "augment less", sentence: "Weaken the data augmentation." },
    lowerRate,
  ],
  "not converging": [
    {
      action: "check the data set",
      sentence: "Look for a fault in the data set: labels that do not belong to their samples, values that are not normalised, NaN.",
    },
    { action: "check the model", sentence: "Look for a fault in the model: try it on a few samples, which it must be able to learn by heart." },
  ],
  fitting: [],
  undecided: [],
};

export function remediesOf(name: Case): readonly Remedy[] {
  return remedies[name];
}
