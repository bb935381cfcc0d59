// A canvas that paints pixels, with smooth edges: how much of a pixel is covered follows from its distance to the line.
import type { Image } from "../../data/image.js";
import { white, type Canvas, type Color, type TextStyle } from "./canvas.js";
import { textStrokes, textWidth, type Point } from "./font.js";

const regularPen = 0.12, boldPen = 0.19; // pen widths as parts of a capital's height

export class RasterCanvas implements Canvas {
  readonly #pixels: Uint8Array;

  constructor(readonly width: number, readonly height: number, background: Color = white) {
    this.#pixels = new Uint8Array(width * height * 3);
    this.rectangle(0, 0, width, height, background);
  }

  toImage(): Image {
    return { width: this.width, height: this.height, channels: 3, data: this.#pixels };
  }

  rectangle(x: number, y: number, width: number, height: number, color: Color): void {
    const right = Math.min(this.width, Math.round(x + width)), bottom = Math.min(this.height, Math.round(y + height));
    for (let row = Math.max(0, Math.round(y)); row < bottom; row++) {
      for (let column = Math.max(0, Math.round(x)); column < right; column++) this.#blend(column, row, color, 1);
    }
  }

  /** A grey picture, every pixel drawn as a square of `scale` pixels. */
  greyImage(image: Image, x: number, y: number, scale: number): void {
    image.data.forEach((value, i) => {
      const column = i % image.width, row = Math.floor(i / image.width);
      this.rectangle(x + column * scale, y + row * scale, scale, scale, [value, value, value]);
    });
  }

  polyline(points: readonly Point[], color: Color, lineWidth: number, dashes?: Point): void {
    for (const piece of dashes === undefined ? [points] : dashed(points, dashes)) this.#stroke(piece, color, lineWidth);
  }

  disc(x: number, y: number, radius: number, color: Color): void {
    this.#stroke([[x, y], [x, y]], color, 2 * radius);
  }

  text(text: string, x: number, y: number, style: TextStyle): void {
    const { height, color, align = "left", upwards = false, bold = false } = style;
    const length = textWidth(text, height);
    const shift = { left: 0, center: length / 2, right: length }[align];
    const pen = Math.max(1.1, height * (bold ? boldPen : regularPen));
    for (const stroke of textStrokes(text, 0, 0, height)) {
      this.#stroke(stroke.map(([along, down]): Point => (upwards ? [x + down, y - along + shift] : [x + along - shift, y + down])), color, pen);
    }
  }

  /** One line with round ends. Coverage is the maximum over its segments, so that joints are not painted twice. */
  #stroke(points: readonly Point[], color: Color, lineWidth: number): void {
    const reach = lineWidth / 2 + 1;
    const left = Math.max(0, Math.floor(extreme(points, 0, Math.min) - reach));
    const right = Math.min(this.width - 1, Math.ceil(extreme(points, 0, Math.max) + reach));
    const top = Math.max(0, Math.floor(extreme(points, 1, Math.min) - reach));
    const bottom = Math.min(this.height - 1, Math.ceil(extreme(points, 1, Math.max) + reach));
    if (right < left || bottom < top) return;
    const columns = right - left + 1;
    const coverage = new Float32Array(columns * (bottom - top + 1));
    for (let i = 1; i < points.length; i++) {
      const [ax, ay] = points[i - 1] ?? [0, 0], [bx, by] = points[i] ?? [0, 0];
      const firstRow = Math.max(top, Math.floor(Math.min(ay, by) - reach)), lastRow = Math.min(bottom, Math.ceil(Math.max(ay, by) + reach));
      const firstColumn = Math.max(left, Math.floor(Math.min(ax, bx) - reach)), lastColumn = Math.min(right, Math.ceil(Math.max(ax, bx) + reach));
      for (let row = firstRow; row <= lastRow; row++) {
        for (let column = firstColumn; column <= lastColumn; column++) {
          const covered = lineWidth / 2 + 0.5 - distance(column + 0.5, row + 0.5, ax, ay, bx, by);
          const index = (row - top) * columns + column - left;
          if (covered > (coverage[index] ?? 0)) coverage[index] = Math.min(1, covered);
        }
      }
    }
    coverage.forEach((part, index) => {
      if (part > 0) this.#blend(left + (index % columns), top + Math.floor(index / columns), color, part);
    });
  }

  #blend(column: number, row: number, color: Color, part: number): void {
    const start = (row * this.width + column) * 3;
    for (let channel = 0; channel < 3; channel++) {
      const below = this.#pixels[start + channel] ?? 0;
      this.#pixels[start + channel] = Math.round(below + ((color[channel] ?? 0) - below) * part);
    }
  }
}

function extreme(points: readonly Point[], axis: 0 | 1, pick: (...values: number[]) => number): number {
  return points.reduce((found, point) => pick(found, point[axis]), points[0]?.[axis] ?? 0);
}

/** From a point to the nearest point of a segment. */
function distance(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const dx = bx - ax, dy = by - ay;
  const squared = dx * dx + dy * dy;
  const along = squared === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / squared));
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

/** Cuts a line into its dashes. */
function dashed(points: readonly Point[], [on, off]: Point): Point[][] {
  const pieces: Point[][] = [];
  let drawn = 0; // length so far
  let current: Point[] = [];
  for (let i = 1; i < points.length; i++) {
    const [ax, ay] = points[i - 1] ?? [0, 0], [bx, by] = points[i] ?? [0, 0];
    const length = Math.hypot(bx - ax, by - ay);
    for (let at = 0; at < length;) {
      const phase = drawn % (on + off);
      const inDash = phase < on;
      const step = Math.min(length - at, Math.max(1e-6, (inDash ? on : on + off) - phase));
      const pointAt = (position: number): Point => [ax + ((bx - ax) * position) / length, ay + ((by - ay) * position) / length];
      if (inDash) {
        if (current.length === 0) current.push(pointAt(at));
        current.push(pointAt(at + step));
      } else if (current.length > 0) {
        pieces.push(current);
        current = [];
      }
      at += step;
      drawn += step;
    }
  }
  return current.length > 0 ? [...pieces, current] : pieces;
}
