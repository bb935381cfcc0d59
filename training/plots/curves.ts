// The figure that a training run ends with: losses and accuracies over the epochs.
import { type Call, Signature } from "../../engine/arguments.js";
import { aBoolean, oneOf } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { historyKind, historyOf } from "../history.js";
import { lineChart, type FigureSize, type Panel } from "./charts.js";
import { type Figure, pixels } from "./figure.js";

export interface CurvesOptions extends FigureSize {
  /** Whether accuracies are 0 to 1 ("fraction") or 0 to 100 ("percent"). Default "fraction". */
  readonly accuracy?: "fraction" | "percent";
  /** A logarithmic loss axis. Default false. */
  readonly logLoss?: boolean;
}

const signature = new Signature("curves", [["history", historyKind]], [
  ["accuracy", oneOf("fraction", "percent"), "fraction"], ["logLoss", aBoolean, false], ["width", pixels, undefined], ["height", pixels, undefined],
]);
/** Two panels: every figure whose name ends in Loss (or is loss), and every one that ends in Accuracy (or is accuracy or acc). The word before is the
 *  curve's name: trainLoss and trainAccuracy are both "train". Without accuracies there is one panel. */
export async function curves(...given: Call<typeof signature>): Promise<Figure> {
  const [history, accuracy, logLoss, width, height] = signature.read(given), all = historyOf(history);
  const series = (ending: RegExp) => all.figures().flatMap((figure) => {
    const [, before] = ending.exec(figure) ?? [];
    return before === undefined ? [] : [{ name: before === "" ? figure : before, points: all.curve(figure) }];
  });
  const panels: Panel[] = [
    { title: "Loss", xLabel: "Epoch", yLabel: "Loss", logY: logLoss, series: series(/^(.*?)loss$/i) },
    { title: "Accuracy", xLabel: "Epoch", yLabel: accuracy === "percent" ? "Accuracy (%)" : "Accuracy", series: series(/^(.*?)acc(?:uracy)?$/i) },
  ];
  const drawn = panels.filter((panel) => panel.series.some(({ points }) => points.length > 0));
  if (drawn.length === 0) {
    throw argumentError(
      "curves",
      `got ${all.length} epochs with the figures ${all.figures().join(", ") || "none"}; expected some such as trainLoss and validAccuracy.`,
    );
  }
  return lineChart(drawn, { ...(width !== undefined && { width }), ...(height !== undefined && { height }) });
}
