// What a picture is drawn with: four commands, so that the same drawing becomes an SVG (svg.ts) and pixels (raster.ts).
import type { Point } from "./font.js";

export type Color = readonly [red: number, green: number, blue: number];

export interface TextStyle {
  /** Height of a capital in pixels. */
  readonly height: number;
  readonly color: Color;
  readonly align?: "left" | "center" | "right";
  /** Drawn upwards, as a label beside a vertical axis. */
  readonly upwards?: boolean;
  readonly bold?: boolean;
}

export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** A filled rectangle. */
  rectangle(x: number, y: number, width: number, height: number, color: Color): void;
  /** A line through the points; dashed as on/off lengths in pixels. */
  polyline(points: readonly Point[], color: Color, lineWidth: number, dashes?: Point): void;
  /** A filled disc. */
  disc(x: number, y: number, radius: number, color: Color): void;
  /** A line of text; (x, y) is on its baseline, at its start, middle or end. */
  text(text: string, x: number, y: number, style: TextStyle): void;
}

export const black: Color = [26, 26, 26];
export const grey: Color = [96, 96, 96];
export const lightGrey: Color = [224, 224, 224];
export const white: Color = [255, 255, 255];
// Okabe and Ito's blue and vermilion: told apart with every kind of colour vision.
export const blue: Color = [0, 114, 178];
export const vermilion: Color = [213, 94, 0];
export const red: Color = [200, 16, 16];
