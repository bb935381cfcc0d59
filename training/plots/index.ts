// Figures: curves, charts, a confusion matrix and sheets of images, as SVG and PNG. They need the packages echarts, @resvg/resvg-js and
// @expo-google-fonts/open-sans, which are loaded when the first figure is drawn.
export {
  type Bar, barChart, type BarChartOptions, confusionMatrix, type ConfusionFigureOptions, type FigureSize, lineChart, type Panel, type Series,
} from "./charts.js";
export { curves, type CurvesOptions } from "./curves.js";
export { Figure } from "./figure.js";
export { imageSheet, rankedTable, type SheetImage, type SheetOptions, type SheetSection, type TableOptions } from "./sheet.js";
