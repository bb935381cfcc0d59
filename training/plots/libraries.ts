// Where figures come from. ECharts draws charts as SVG without a DOM or a canvas; resvg turns SVG into PNG with the font that is named here, so
// that a machine without any font draws its texts too, and every machine the same. All are optional: whoever draws no figure needs none.
//
// Why these (Node 20, --ignore-scripts): ECharts 6.1 (Apache-2.0) is three packages, 67 MB unpacked, loaded in 0.5 s, and needs nothing but
// itself. Observable Plot (ISC) wants a DOM beside it, 62 packages with linkedom; Vega with Vega-Lite (BSD) is 79 for the same charts. resvg-js
// (MPL-2.0, 4 MB, prebuilt) takes a font file; sharp's librsvg asks fontconfig for one, which a bare system has not got. Open Sans (OFL) is 0.13 MB
// a weight. Drawing by hand, as this project did before, took 540 lines for two charts and knew ASCII only.
import { needNode, packageResolver } from "../../engine/platform.js";
import { ArgumentError, AthanorError } from "../../kernels/errors.js";

export const fontFamily = "Open Sans";
const fonts = ["400Regular/OpenSans_400Regular.ttf", "700Bold/OpenSans_700Bold.ttf"];

async function optional<Module>(name: string, packageName: string): Promise<Module> {
  needNode("Figures are drawn in Node; in a browser use a chart library of the page's own.");
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as Module;
  } catch (error) {
    throw new AthanorError(
      `The npm package "${packageName}" could not be loaded (${error instanceof Error ? error.message : String(error)}); figures need ` +
        "`npm install echarts @resvg/resvg-js @expo-google-fonts/open-sans`.",
    );
  }
}

type Core = typeof import("echarts/core");
let core: Promise<Core> | undefined;

/** ECharts with the charts that the project draws. */
export function loadECharts(): Promise<Core> {
  core ??= (async () => {
    const echarts = await optional<Core>("echarts/core", "echarts");
    const { BarChart, HeatmapChart, LineChart } = await optional<typeof import("echarts/charts")>("echarts/charts", "echarts");
    const { GridComponent, LegendComponent, TitleComponent, VisualMapComponent } =
      await optional<typeof import("echarts/components")>("echarts/components", "echarts");
    const { SVGRenderer } = await optional<typeof import("echarts/renderers")>("echarts/renderers", "echarts");
    echarts.use([BarChart, HeatmapChart, LineChart, GridComponent, LegendComponent, TitleComponent, VisualMapComponent, SVGRenderer]);
    return echarts;
  })();
  core.catch(() => (core = undefined)); // installed meanwhile: the next figure asks again
  return core;
}

/** The pixels of an SVG as a PNG file's bytes. */
export async function rasterize(svg: string, scale: number): Promise<Uint8Array> {
  const { Resvg } = await optional<typeof import("@resvg/resvg-js")>("@resvg/resvg-js", "@resvg/resvg-js");
  const font = { loadSystemFonts: false, fontFiles: await fontFiles(), defaultFontFamily: fontFamily, sansSerifFamily: fontFamily };
  try {
    const png = new Resvg(svg, { fitTo: { mode: "zoom", value: scale }, font }).render().asPng();
    return new Uint8Array(png.buffer, png.byteOffset, png.byteLength);
  } catch (error) {
    throw new ArgumentError(
      `toPng: the SVG cannot be drawn (${error instanceof Error ? error.message : String(error)}); expected one that a figure made.`,
    );
  }
}

/** The files of the font, regular and bold. */
export async function fontFiles(): Promise<string[]> {
  const resolve = await packageResolver(import.meta.url);
  try {
    return fonts.map((file) => resolve(`@expo-google-fonts/open-sans/${file}`));
  } catch (error) {
    throw new AthanorError(
      `The font Open Sans could not be found (${error instanceof Error ? error.message : String(error)}); PNG figures need ` +
        "`npm install @expo-google-fonts/open-sans`.",
    );
  }
}
