// diagnose: which of the five cases of a training a pair of curves shows (overfitting, underfitting, oscillating, not converging, fitting), and what
// to do about it. The rules are few and their thresholds stand here; the figures behind the answer are given with it.
import { type Call, Signature } from "../engine/arguments.js";
import { smallest } from "../engine/extremes.js";
import { aFinite, aShare, oneOf } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { type History, historyKind, historyOf } from "./history.js";
import { type Remedy, remediesOf } from "./remedies.js";

/** "undecided": too few epochs to tell. */
export type Case = "overfitting" | "underfitting" | "oscillating" | "not converging" | "fitting" | "undecided";

export interface Diagnosis {
  readonly case: Case;
  /** What the curves show, with the numbers that say so. */
  readonly sentence: string;
  /** What to do, the first thing first. */
  readonly remedies: readonly Remedy[];
  readonly evidence: Evidence;
}
export interface Evidence {
  readonly epochs: number;
  /** Losses at the end: medians of the last three epochs. Null without that curve, NaN where the loss is no number. */
  readonly trainLoss: number | null;
  readonly validLoss: number | null;
  readonly trainAccuracy: number | null;
  readonly validAccuracy: number | null;
  /** The loss that counts as "nothing learnt". */
  readonly initialLoss: number;
  /** How far the smoothed validation loss has risen above its lowest value, as a part of initialLoss. */
  readonly rise: number;
  /** How much the loss moves to and fro in the second half, as a part of its level. */
  readonly swing: number;
  readonly bestEpoch: number | null;
}

export interface DiagnoseOptions {
  /** Whether accuracies are 0 to 1 or 0 to 100. Default "fraction". */
  readonly accuracy?: "fraction" | "percent";
  /** The untrained model's loss: Math.log(classes) for cross-entropy. By default the first epoch's, which is lower, for the model learns in it. */
  readonly initialLoss?: number;
  /** The training accuracy from which a model does not count as too weak, 0 to 1. Default 0.8. */
  readonly goodAccuracy?: number;
}
const signature = new Signature("diagnose", [["history", historyKind]], [
  ["accuracy", oneOf("fraction", "percent"), "fraction"], ["initialLoss", aFinite, undefined], ["goodAccuracy", aShare, 0.8],
]);

const fewestEpochs = 4;
/** Of the initial loss: less than this was learnt, or the loss is above it. */
const leastProgress = 0.05;
/** Of the initial loss, without accuracies: a training loss above it at the end is too high. */
const highLoss = 0.4;
/** Of the initial loss: a rise, or a gap between validation and training, from here on counts. */
const notable = 0.1;
/** Between training and validation accuracy. */
const wideGap = 0.1;
/** Of its level: a loss that moves so much to and fro from epoch to epoch swings. Healthy runs of the tests have 0.00 to 0.02. */
const wideSwing = 0.12;

/** Reads trainLoss and trainAccuracy, and validLoss and validAccuracy (or testLoss and testAccuracy); accuracies and validation may be missing. */
export function diagnose(...given: Call<typeof signature>): Diagnosis {
  const [history, accuracy, initialLoss, goodAccuracy] = signature.read(given);
  const all = historyOf(history);
  const curves = curvesOf(all, accuracy);
  if (curves.train.length === 0) {
    throw argumentError(
      "diagnose",
      `got ${all.length} epochs with the figures ${all.figures().join(", ") || "none"}; ` +
        "expected trainLoss, and validLoss and accuracies where there are some.",
    );
  }
  const evidence = evidenceOf(curves, initialLoss);
  const { name, sentence } = judged(curves, evidence, goodAccuracy);
  return { case: name, sentence, remedies: remediesOf(name), evidence };
}

interface Curves {
  readonly train: readonly number[];
  readonly valid: readonly number[];
  readonly validEpochs: readonly number[];
  readonly trainAccuracy: readonly number[];
  readonly validAccuracy: readonly number[];
}

function curvesOf(history: History, accuracy: "fraction" | "percent"): Curves {
  const scale = accuracy === "percent" ? 0.01 : 1;
  const values = (...names: readonly string[]) => names.map((name) => history.curve(name)).find((curve) => curve.length > 0) ?? [];
  const valid = values("validLoss", "testLoss");
  return {
    train: values("trainLoss").map(([, loss]) => loss),
    valid: valid.map(([, loss]) => loss),
    validEpochs: valid.map(([epoch]) => epoch),
    trainAccuracy: values("trainAccuracy").map(([, value]) => value * scale),
    validAccuracy: values("validAccuracy", "testAccuracy").map(([, value]) => value * scale),
  };
}

function evidenceOf(curves: Curves, givenLoss: number | undefined): Evidence {
  const { train, valid, validEpochs, trainAccuracy, validAccuracy } = curves;
  const initialLoss = givenLoss ?? train.find(Number.isFinite) ?? NaN;
  const lowest = valid.reduce((best, loss) => Math.min(best, loss), Infinity);
  return {
    epochs: train.length,
    trainLoss: endOf(train), validLoss: endOf(valid), trainAccuracy: endOf(trainAccuracy), validAccuracy: endOf(validAccuracy),
    initialLoss,
    rise: riseOf(valid) / initialLoss,
    swing: swingOf(valid.length > 0 ? valid : train, initialLoss),
    bestEpoch: validEpochs[valid.indexOf(lowest)] ?? null,
  };
}

function judged(curves: Curves, evidence: Evidence, goodAccuracy: number): { name: Case; sentence: string } {
  const { epochs, trainLoss, validLoss, trainAccuracy, validAccuracy, initialLoss, rise, swing, bestEpoch } = evidence;
  const broken = [...curves.train, ...curves.valid].some((loss) => !Number.isFinite(loss));
  const start = format(initialLoss), end = format(trainLoss), validEnd = format(validLoss);
  if (broken) return { name: "not converging", sentence: "The loss is no number any more: the training does not converge." };
  if (epochs < fewestEpochs) return { name: "undecided", sentence: `${epochs} epochs are too few to tell; train for at least ${fewestEpochs}.` };
  const loss = trainLoss ?? NaN;
  const weak = trainAccuracy === null ? loss > highLoss * initialLoss : trainAccuracy < goodAccuracy;
  const progress = 1 - loss / initialLoss;
  const swings = swing > wideSwing;
  if (weak && progress < leastProgress && !(swings && bestProgress(curves.train, initialLoss) > notable)) {
    return { name: "not converging", sentence: `The training loss does not fall: ${start} at the start, ${end} at the end.` };
  }
  const gap = validLoss === null ? 0 : (validLoss - loss) / initialLoss;
  const accuracyGap = trainAccuracy === null || validAccuracy === null ? 0 : trainAccuracy - validAccuracy;
  // A rise that is no larger than what the curve swings anyway is a swing.
  const rises = rise > notable && rise * initialLoss > 2 * swing * levelOf(curves.valid, initialLoss) && gap > notable;
  if (rises) {
    const lowest = format(smallest(curves.valid));
    return {
      name: "overfitting",
      sentence: `The validation loss rises from ${lowest} in epoch ${bestEpoch} to ${validEnd}, while the training loss is ${end}.`,
    };
  }
  if (swings) {
    return { name: "oscillating", sentence: `The loss moves up and down by ${percent(swing)} of its level an epoch in the second half.` };
  }
  if (weak) {
    const falls = stillFalling(curves.train, initialLoss) ? ", and still falls: train for more epochs first" : "";
    const accuracy = trainAccuracy === null ? "" : ` (accuracy ${percent(trainAccuracy)})`;
    return { name: "underfitting", sentence: `The training loss itself is still high: ${end} after ${start} at the start${accuracy}${falls}.` };
  }
  if (accuracyGap > wideGap) {
    const [own, others] = [trainAccuracy ?? NaN, validAccuracy ?? NaN].map(percent);
    return { name: "overfitting", sentence: `The training accuracy is ${own}, the validation accuracy ${others}.` };
  }
  if (trainAccuracy === null && gap > notable && validLoss !== null && validLoss > 2 * loss) {
    return { name: "overfitting", sentence: `The validation loss is ${validEnd}, the training loss ${end}.` };
  }
  const beside = validLoss === null ? "there is no validation curve to compare it with" : `the validation loss, ${validEnd}, stays beside it`;
  return { name: "fitting", sentence: `The training loss falls from ${start} to ${end}, and ${beside}.` };
}

/** The median of the last three values: one odd epoch at the end does not decide. */
function endOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : median(values.slice(-3));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/** The level of the second half; tiny losses count as a twentieth of the initial one, or their noise would be a swing. */
function levelOf(values: readonly number[], initialLoss: number): number {
  return Math.max(median(secondHalf(values)), initialLoss / 20);
}

function secondHalf(values: readonly number[]): readonly number[] {
  return values.slice(Math.min(Math.floor(values.length / 2), Math.max(0, values.length - fewestEpochs)));
}

/** How much the second half moves to and fro, a step, by the level: the path beyond the way (none where it only falls or only rises), but no more
 *  than the typical step's distance from the mean one, for a single odd epoch is no swing. */
function swingOf(values: readonly number[], initialLoss: number): number {
  const half = secondHalf(values);
  const steps = half.slice(1).map((value, i) => value - (half[i] ?? value));
  if (steps.length < 2) return 0;
  const path = steps.reduce((sum, step) => sum + Math.abs(step), 0), way = steps.reduce((sum, step) => sum + step, 0);
  const beyond = (path - Math.abs(way)) / steps.length, typical = median(steps.map((step) => Math.abs(step - way / steps.length)));
  return Math.min(beyond, typical) / levelOf(values, initialLoss);
}

/** The last moving mean above the lowest one: a curve that merely swings has no rise. */
function riseOf(values: readonly number[]): number {
  const width = Math.min(5, Math.max(1, Math.floor(values.length / 4)));
  const means = values.slice(width - 1).map((_, i) => values.slice(i, i + width).reduce((sum, value) => sum + value, 0) / width);
  return means.length === 0 ? 0 : (means.at(-1) ?? NaN) - smallest(means);
}

function bestProgress(train: readonly number[], initialLoss: number): number {
  return 1 - smallest(train) / initialLoss;
}

/** Whether the last third brought a notable part of what is left. */
function stillFalling(train: readonly number[], initialLoss: number): boolean {
  const third = Math.max(2, Math.floor(train.length / 3));
  const before = train.at(-third) ?? NaN, end = train.at(-1) ?? NaN;
  return (before - end) / initialLoss > leastProgress;
}

function format(value: number | null): string {
  return value === null ? "–" : String(Number(value.toPrecision(3)));
}

function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}
