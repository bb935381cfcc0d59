// The confusion matrix: counted on the device in int32, read once; precision, recall and F1 follow from it on the host by scikit-learn's
// definitions (precision_recall_fscore_support with labels = all classes).
import { type Call, type Options, Signature, takesNothing } from "../engine/arguments.js";
import { aCount, aTensor, kind, listOf, numbers, oneOf } from "../engine/kinds.js";
import { arange, type Tensor } from "../engine/index.js";
import { argumentError } from "../engine/scope.js";
import { IndexError } from "../kernels/errors.js";
import { formatShape, sameShape } from "../engine/shape.js";
import { checkLabels, DeviceSum, type Metric } from "./metrics.js";

/** How the classes' scores become one: the plain mean, by the sums over all classes, or the mean weighted by the classes' samples. */
export type Average = "macro" | "micro" | "weighted";

const zeroDivision = ["zeroDivision", kind<number>("0, 1 or NaN", (value) => value === 0 || value === 1 || Number.isNaN(value)), 0] as const;
const counted = new Signature("Confusion", [["matrix", listOf("rows of counts", numbers)]]);
const scoring = new Signature("perClass", [zeroDivision]), averaging = new Signature("averaged", [["average", oneOf("macro", "micro", "weighted")], zeroDivision]);
/** zeroDivision: the value of a score that divides by zero: 0, 1, or NaN, which an average leaves out. */
export type ScoreOptions = Options<typeof scoring>;

export interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Samples of the class. */
  readonly support: number;
}
export type AveragedScores = Omit<ClassScores, "support">;

/** Counts by true class (row) and predicted class (column). */
export class Confusion {
  /** matrix[actual][predicted] */
  readonly matrix: readonly (readonly number[])[];

  constructor(...given: Call<typeof counted>) {
    const [matrix] = counted.read(given);
    this.matrix = matrix;
    const ragged = matrix.find((row) => row.length !== matrix.length);
    if (ragged) throw argumentError("Confusion", `got ${matrix.length} rows, one of them with ${ragged.length} counts; expected a square matrix.`);
  }

  get numClasses(): number {
    return this.matrix.length;
  }
  get samples(): number {
    return sum(this.matrix.map(sum));
  }
  /** The part of the samples on the diagonal; NaN without samples. */
  get accuracy(): number {
    return sum(this.#right()) / this.samples;
  }

  /** Precision, recall, F1 and support of every class. */
  perClass(...given: Call<typeof scoring>): ClassScores[] {
    const [zeroDivision] = scoring.read(given), right = this.#right(), actual = this.#actual(), predicted = this.#predicted();
    return right.map((own, i) => {
      const support = actual[i] ?? 0;
      return { ...scores(own, predicted[i] ?? 0, support, zeroDivision), support };
    });
  }
  /** One precision, recall and F1 over all classes. */
  averaged(...given: Call<typeof averaging>): AveragedScores {
    const [average, zeroDivision] = averaging.read(given);
    if (average === "micro") return scores(sum(this.#right()), this.samples, this.samples, zeroDivision);
    const classes = this.perClass(zeroDivision);
    const weights = classes.map(({ support }) => (average === "macro" ? 1 : support));
    const mean = (score: keyof AveragedScores) => meanOf(classes.map((one) => one[score]), weights, zeroDivision);
    return { precision: mean("precision"), recall: mean("recall"), f1: mean("f1") };
  }

  #right(): number[] {
    return this.matrix.map((row, i) => row[i] ?? 0);
  }
  #actual(): number[] {
    return this.matrix.map(sum);
  }
  #predicted(): number[] {
    return this.matrix.map((_, column) => sum(this.matrix.map((row) => row[column] ?? 0)));
  }
}

function scores(right: number, predicted: number, actual: number, zeroDivision: number): AveragedScores {
  const divide = (a: number, b: number) => (b === 0 ? zeroDivision : a / b);
  return { precision: divide(right, predicted), recall: divide(right, actual), f1: divide(2 * right, predicted + actual) };
}

/** The weighted mean without the NaNs; where no weight is left, scikit-learn's: zeroDivision for weights, NaN for values. */
function meanOf(values: readonly number[], weights: readonly number[], zeroDivision: number): number {
  if (sum(weights) === 0) return zeroDivision;
  const kept = values.map((value, i) => (Number.isNaN(value) ? null : { value, weight: weights[i] ?? 0 })).filter((one) => one !== null);
  if (kept.length === 0) return NaN;
  return sum(kept.map(({ value, weight }) => value * weight)) / sum(kept.map(({ weight }) => weight));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const signature = new Signature("ConfusionMatrix", [["numClasses", aCount(1, 2 ** 14)]]);
const updating = new Signature("ConfusionMatrix.update", [["answers", aTensor], ["labels", aTensor]]);
/** Counts answers by true and predicted class. */
export class ConfusionMatrix implements Metric<Confusion> {
  readonly #counts: DeviceSum;
  #samples = 0;

  readonly numClasses: number;

  constructor(...given: Call<typeof signature>) {
    const [numClasses] = signature.read(given);
    this.numClasses = numClasses;
    this.#counts = new DeviceSum([numClasses, numClasses], "int32");
  }

  /** logits [N, C, …], or int32 predictions of the labels' shape; labels [N, …] int32. */
  update(...given: Call<typeof updating>): void {
    const [answers, labels] = updating.read(given);
    const predicted = this.#predictions(answers, labels);
    // Rows of zeros and ones: their product counts pairs. A sum of ones is exact in float32 up to 2²⁴ samples a batch.
    this.#counts.add(answers.device, () => {
      const rows = this.#marks(labels), columns = this.#marks(predicted());
      return rows.t().matmul(columns).int();
    });
    this.#samples += labels.numel();
  }
  #predictions(answers: Tensor, labels: Tensor): () => Tensor {
    if (answers.dtype === "int32") {
      if (!sameShape(answers.shape, labels.shape)) {
        throw argumentError(
          "ConfusionMatrix",
          `got predictions ${formatShape(answers.shape)} and labels ${formatShape(labels.shape)}; expected equal shapes.`,
        );
      }
      return () => answers;
    }
    checkLabels("ConfusionMatrix", answers, labels);
    if (answers.size(1) !== this.numClasses) {
      throw argumentError(
        "ConfusionMatrix",
        `got logits ${formatShape(answers.shape)} for ${this.numClasses} classes; expected ${this.numClasses} logits a sample.`,
      );
    }
    return () => answers.argmax(1);
  }

  /** A row for each label with a one at its class. A label outside the classes marks none (oneHot would throw in mid-epoch): compute() counts them. */
  #marks(labels: Tensor): Tensor {
    return labels.flatten().unsqueeze(-1).eq(arange(this.numClasses, { device: labels.device })).float();
  }
  /** An IndexError where a label or a prediction was outside the classes. */
  async compute(...none: []): Promise<Confusion> {
    takesNothing("ConfusionMatrix.compute", none);
    const samples = this.#samples, classes = this.numClasses;
    const counts = Array.from(await this.#counts.value());
    const outside = samples - sum(counts);
    if (outside > 0) {
      throw new IndexError(
        `ConfusionMatrix: ${outside} of ${samples} labels or predictions are outside 0 to ${classes - 1}; expected classes below ${classes}.`,
      );
    }
    return new Confusion(Array.from({ length: classes }, (_, i) => counts.slice(i * classes, (i + 1) * classes)));
  }
  reset(...none: []): void {
    takesNothing("ConfusionMatrix.reset", none);
    this.#counts.reset();
    this.#samples = 0;
  }
}
