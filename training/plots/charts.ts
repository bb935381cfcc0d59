// Charts: lines over numbers in panels side by side, ranked bars, and the heat map of a confusion matrix.
import type { EChartsOption } from "echarts";
import { type Call, type Options, Signature, checkEach } from "../../engine/arguments.js";
import { aBoolean, aNumber, aString, kind, type Kind, listOf, numbers } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { isPlainObject } from "../../engine/spelling.js";
import { Confusion, ConfusionMatrix } from "../confusion.js";
import { Figure, pixels } from "./figure.js";
import { loadECharts } from "./libraries.js";
import { dashes, faint, ink, palette, paper, rule, textStyle, titleStyle } from "./style.js";

export interface Series {
  readonly name: string;
  /** [x, y]; a y that is no number is a gap. */
  readonly points: readonly (readonly [number, number | null])[];
  /** Points without a line between them. Default false. */
  readonly scatter?: boolean;
}
export interface Panel {
  readonly title?: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  readonly series: readonly Series[];
  /** A logarithmic y axis, for values above 0. Default false. */
  readonly logY?: boolean;
  /** A logarithmic x axis, for values above 0. Default false. */
  readonly logX?: boolean;
  /** Where the y axis begins and ends; panels that are to be compared share it. Default: what the points need. */
  readonly yRange?: readonly [number, number];
}
export interface FigureSize {
  readonly width?: number;
  readonly height?: number;
}
const size = [["width", pixels, undefined], ["height", pixels, undefined]] as const;

const isPoint = (value: unknown) => Array.isArray(value) && value.length === 2 && typeof value[0] === "number" && (value[1] === null || typeof value[1] === "number");
const points: Kind<Series["points"]> = listOf("a list of points [x, y]", kind("a point", isPoint));
const aSeries = new Signature("lineChart, a series", [], [["name", aString], ["points", points], ["scatter", aBoolean, false]]);
const aRange: Kind<readonly [number, number]> = kind("two numbers [from, to]", (value) => numbers.takes(value) && value.length === 2);
const aPanel = new Signature("lineChart, a panel", [], [
  ["title", aString, ""], ["xLabel", aString, ""], ["yLabel", aString, ""], ["series", listOf("a list of series { name, points }", kind<Series>("a series", isPlainObject))],
  ["logY", aBoolean, false], ["logX", aBoolean, false], ["yRange", aRange, undefined],
]);
const panelsKind: Kind<Panel | readonly Panel[]> = kind(
  "a panel { series, … }, or a list of panels", (value) => (Array.isArray(value) ? value.every(isPlainObject) : isPlainObject(value)), { plain: true },
);
const charting = new Signature("lineChart", [["panels", panelsKind]], size);

async function render(option: EChartsOption, width: number, height: number): Promise<Figure> {
  const echarts = await loadECharts();
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, backgroundColor: paper, textStyle, ...option });
    return new Figure(chart.renderToSVGString(), width, height);
  } finally {
    chart.dispose();
  }
}

/** Ticks of a logarithmic axis come as 0.000099999…. */
const axisLabel = { ...textStyle, formatter: (value: string | number) => (typeof value === "number" ? String(Number(value.toPrecision(8))) : value) };
const axisLine = { show: true, onZero: false, lineStyle: { color: ink } } as const;
const axis = { nameLocation: "middle", nameTextStyle: textStyle, axisLabel, axisLine, axisTick: { show: true } } as const;
const grid = { splitLine: { show: true, lineStyle: { color: rule } } } as const;
/** Points are drawn as discs up to so many a line; more would run into each other. */
const mostDiscs = 60;
/** From so many points on a line is thinned to what a screen can show. */
const thinnedFrom = 2000;

/** Lines of several named series; several panels stand side by side. Series of one name have one colour and one entry in the legend. */
export async function lineChart(...given: Call<typeof charting>): Promise<Figure> {
  const [what, wide, high] = charting.read(given), panels: readonly Panel[] = Array.isArray(what) ? what : [what as Panel];
  checkEach(aPanel, panels);
  for (const { series } of panels) checkEach(aSeries, series);
  const names = [...new Set(panels.flatMap((panel) => panel.series.map(({ name }) => name)))];
  if (names.length === 0) throw argumentError("lineChart", "got no series; expected at least one { name, points }.");
  const width = wide ?? (panels.length === 1 ? 800 : 600 * panels.length), height = high ?? 480;
  const panelWidth = width / panels.length;
  const left = 84, right = 36, bottom = 68 + legendRowHeight * legendRows(names, width); // the axes' texts, and the legend below
  const inner = panels.map((panel, i) => {
    const top = panel.title ? 56 : 28;
    return { left: i * panelWidth + left, width: panelWidth - left - right, top, height: height - top - bottom };
  });
  return render({
    title: panels.map(({ title = "" }, i) => ({
      text: title, left: (i + 0.5) * panelWidth + (left - right) / 2, top: 16, textAlign: "center", textStyle: titleStyle,
    })),
    ...(names.length > 1 && { legend: { data: names, bottom: 8, textStyle, itemWidth: legendLine, itemGap: legendGap } }),
    grid: inner,
    xAxis: panels.map((panel, i) => ({
      ...axis, ...grid, gridIndex: i, type: panel.logX ? "log" : "value", name: panel.xLabel ?? "", nameGap: 32, ...rangeOf(panel),
    })),
    yAxis: panels.map(({ logY, yLabel = "", yRange }, i) => ({
      ...axis, ...grid, gridIndex: i, type: logY ? "log" : "value", scale: true, name: yLabel, nameGap: 56,
      ...(yRange && { min: yRange[0], max: yRange[1] }),
    })),
    series: panels.flatMap((panel, i) => panel.series.map((series) => lineOf(series, names.indexOf(series.name), i))),
  }, width, height);
}

const legendLine = 40, legendGap = 24, legendRowHeight = 36;
const widestLetter = 8.5; // at the legend's size, on the average of a name

/** How many rows the legend takes: it goes on to the next where a name does not fit any more. */
function legendRows(names: readonly string[], width: number): number {
  if (names.length < 2) return 0;
  let rows = 1, taken = 0;
  for (const name of names) {
    const needed = legendLine + 5 + widestLetter * name.length + legendGap;
    if (taken > 0 && taken + needed > width) {
      rows++;
      taken = 0;
    }
    taken += needed;
  }
  return rows;
}

/** Over whole numbers, such as epochs, the x axis ends where the points do and has no marks between them; else at the next round numbers. */
function rangeOf(panel: Panel): { min: number; max: number; minInterval: number } | { scale: true } {
  const xs = panel.series.flatMap(({ points }) => points.map(([x]) => x)).filter(Number.isFinite);
  if (panel.logX || xs.length === 0 || !xs.every(Number.isInteger)) return { scale: true };
  const min = xs.reduce((a, b) => Math.min(a, b), Infinity), max = xs.reduce((a, b) => Math.max(a, b), -Infinity);
  return min === max ? { min: min - 1, max: max + 1, minInterval: 1 } : { min, max, minInterval: 1 };
}

function lineOf(series: Series, index: number, panel: number) {
  const color = palette[index % palette.length] ?? ink;
  const points = series.points.filter(([x]) => Number.isFinite(x)).map(([x, y]) => [x, y !== null && Number.isFinite(y) ? y : null]);
  const few = points.length <= mostDiscs; // dashes of a dense line would hide it
  const dash = (few ? dashes[index % dashes.length] : "solid") ?? "solid";
  return {
    type: "line" as const, name: series.name, xAxisIndex: panel, yAxisIndex: panel, data: points, symbol: "circle", symbolSize: 7,
    showSymbol: few || series.scatter === true, itemStyle: { color }, lineStyle: { color, width: series.scatter ? 0 : few ? 2.5 : 1.5, type: dash },
    ...(points.length > thinnedFrom && { sampling: "lttb" as const }),
  };
}

export interface Bar {
  readonly label: string;
  readonly value: number;
}
const aBar = new Signature("barChart, a bar", [], [["label", aString], ["value", aNumber]]);
const digitsKind: Kind<number> = kind("a whole number from 0 to 20", (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 20);
const ranking = new Signature("barChart", [["bars", listOf("a list of bars { label, value }", kind<Bar>("a bar", isPlainObject))]], [
  ["title", aString, ""], ["valueLabel", aString, ""], ["digits", digitsKind, 4], ...size,
]);
/** valueLabel: what the bars' length is, with its unit. digits: behind the point. */
export type BarChartOptions = Omit<Options<typeof ranking>, "bars">;

/** Bars from left to right, the first at the top, each with its value. */
export async function barChart(...given: Call<typeof ranking>): Promise<Figure> {
  const [bars, title, valueLabel, digits, width = 800, high] = ranking.read(given);
  checkEach(aBar, bars);
  if (bars.length === 0) throw argumentError("barChart", "got no bars; expected at least one { label, value }.");
  const height = high ?? 110 + (title ? 36 : 0) + 32 * bars.length;
  const left = Math.min(width / 2, 28 + 8 * Math.max(...bars.map(({ label }) => label.length)));
  return render({
    title: { text: title, left: "center", top: 14, textStyle: titleStyle },
    grid: { left, right: 100, top: title ? 56 : 20, bottom: 64 },
    xAxis: { ...axis, ...grid, type: "value", name: valueLabel, nameGap: 34, scale: false },
    yAxis: { ...axis, type: "category", inverse: true, data: bars.map(({ label }) => label), axisTick: { show: false } },
    series: [{
      type: "bar", data: bars.map(({ value }) => (Number.isFinite(value) ? value : null)), itemStyle: { color: palette[0] }, barMaxWidth: 22,
      label: { show: true, position: "right", ...textStyle, formatter: ({ value }) => Number(value).toFixed(digits) },
    }],
  }, width, height);
}

const counted: Kind<Confusion> = kind("a Confusion", (value) => value instanceof Confusion, {
  hint: (value) => (value instanceof ConfusionMatrix ? " (await matrix.compute())" : ""),
});
const crossing = new Signature("confusionMatrix", [["confusion", counted]], [
  ["title", aString, "Confusion matrix"], ["labels", listOf("a list of texts", aString), undefined],
]);
/** labels: the classes' names; else their numbers. */
export type ConfusionFigureOptions = Omit<Options<typeof crossing>, "confusion">;

/** Rows are true classes, columns predicted ones; a cell's colour is its part of its row, its number the count. */
export async function confusionMatrix(...given: Call<typeof crossing>): Promise<Figure> {
  const [confusion, title, named] = crossing.read(given), classes = confusion.numClasses, labels = named ?? Array.from({ length: classes }, (_, i) => String(i));
  if (labels.length !== classes) throw argumentError("confusionMatrix", `got ${labels.length} labels for ${classes} classes; expected one each.`);
  const longest = Math.max(...labels.map((label) => label.length));
  const cell = classes <= 12 ? 52 : 34, side = cell * classes;
  const left = 76 + 8 * longest, top = 60, bottom = 64 + (longest > 4 ? 5.2 * longest : 0);
  const data = confusion.matrix.flatMap((row, actual) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count, predicted) => [predicted, actual, total === 0 ? 0 : count / total, count]);
  });
  return render({
    title: { text: title, left: left + side / 2, textAlign: "center", top: 16, textStyle: titleStyle },
    grid: { left, top, width: side, height: side },
    xAxis: {
      ...axis, type: "category", data: [...labels], name: "Predicted", nameGap: bottom - 28, axisTick: { show: false },
      axisLabel: { ...textStyle, interval: 0, rotate: longest > 4 ? 45 : 0 },
    },
    yAxis: {
      ...axis, type: "category", data: [...labels], inverse: true, name: "True", nameGap: left - 28, axisTick: { show: false },
      axisLabel: { ...textStyle, interval: 0 },
    },
    visualMap: {
      type: "continuous", min: 0, max: 1, dimension: 2, seriesIndex: 0, calculable: false, orient: "vertical",
      left: left + side + 20, top: top + side / 2 - 70, text: ["1", "0"], textStyle, inRange: { color: [paper, "#9ecae1", "#2171b5", "#08306b"] },
    },
    series: [{
      type: "heatmap", data: data.map((value) => ({ value, label: { color: (value[2] ?? 0) > 0.45 ? paper : ink } })),
      itemStyle: { borderColor: rule, borderWidth: 1 }, encode: { x: 0, y: 1, value: 2 },
      label: {
        show: true, fontFamily: textStyle.fontFamily, fontSize: classes <= 12 ? 13 : 10,
        formatter: ({ value }) => (Array.isArray(value) ? String(value[3]) : ""),
      },
    }],
    textStyle: { ...textStyle, color: faint },
  }, Math.round(left + side + 90), Math.round(top + side + bottom));
}
