// Rotation and affine maps as PIL computes them: for each output pixel the place in the input that it came from, in 16.16 fixed point for
// "nearest" and in float64 for "bilinear".
import { ArgumentError } from "../../kernels/errors.js";
import { blankPixels, checkImage, type Image } from "../image.js";
import { type Fill, fillBytes, moved } from "./crop.js";
import { cosine, sine, tangent } from "./trigonometry.js";

export type AffineInterpolation = "nearest" | "bilinear";

export interface RotateOptions {
  /** Default "nearest". */
  readonly interpolation?: AffineInterpolation;
  /** Makes the image large enough to hold all of the turned one (false). */
  readonly expand?: boolean;
  /** The point that stays, [x, y] (the middle). */
  readonly center?: readonly [number, number] | null;
  /** What shows where the image does not reach (0). */
  readonly fill?: Fill;
}
export interface AffineOptions {
  readonly interpolation?: AffineInterpolation;
  readonly center?: readonly [number, number] | null;
  readonly fill?: Fill;
}

/** x_in = a·x + b·y + c, y_in = d·x + e·y + f */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Python's math.radians, to the last bit: a product that is rounded the other way moves pixels. */
const radians = (degrees: number): number => degrees * (Math.PI / 180);

/** Python's angle % 360: an angle that is inside already must not lose a bit. */
function wholeTurn(angle: number): number {
  const rest = angle % 360;
  return rest < 0 ? rest + 360 : rest;
}

/** Turns by `angle` degrees, counter-clockwise. */
export function rotate(image: Image, angle: number, options: RotateOptions = {}): Image {
  checkImage("rotate", image);
  if (!Number.isFinite(angle)) throw new ArgumentError(`rotate: got the angle ${angle}; expected a number of degrees.`);
  const { interpolation = "nearest", expand = false, center = null, fill = 0 } = options;
  const turned = center === null ? quarterTurns(image, angle, expand) : null;
  if (turned !== null) return turned;
  const { width, height } = image;
  const [centerX, centerY] = center ?? [width / 2, height / 2];
  const turn = -radians(wholeTurn(angle));
  const cos = rounded15(cosine(turn)), sin = rounded15(sine(turn));
  let c = cos * -centerX + sin * -centerY + centerX, f = -sin * -centerX + cos * -centerY + centerY;
  let [newWidth, newHeight] = [width, height];
  if (expand) {
    const corners = [[0, 0], [width, 0], [width, height], [0, height]] as const;
    const xs = corners.map(([x, y]) => cos * x + sin * y + c), ys = corners.map(([x, y]) => -sin * x + cos * y + f);
    newWidth = Math.ceil(Math.max(...xs)) - Math.floor(Math.min(...xs));
    newHeight = Math.ceil(Math.max(...ys)) - Math.floor(Math.min(...ys));
    const x = -(newWidth - width) / 2, y = -(newHeight - height) / 2;
    [c, f] = [cos * x + sin * y + c, -sin * x + cos * y + f];
  }
  return mapped(image, newWidth, newHeight, [cos, sin, c, -sin, cos, f], interpolation, fillBytes("rotate", fill, image.channels));
}

/** Python's round(value, 15). */
function rounded15(value: number): number {
  return Number(value.toFixed(15));
}

/** Multiples of 90° move pixels whole; null for other angles, and where a quarter turn would not fit. */
function quarterTurns(image: Image, angle: number, expand: boolean): Image | null {
  const { width, height } = image;
  const turn = wholeTurn(angle);
  if (turn === 0) return image;
  if (turn === 180) return moved(image, width, height, (x, y) => (height - 1 - y) * width + width - 1 - x);
  if ((turn !== 90 && turn !== 270) || (!expand && width !== height)) return null;
  if (turn === 90) return moved(image, height, width, (x, y) => x * width + width - 1 - y);
  return moved(image, height, width, (x, y) => (height - 1 - x) * width + y);
}

/** Turns by `angle` degrees (clockwise), shifts by [x, y] pixels, scales, and shears by [x, y] degrees, about the center. */
export function affine(
  image: Image, angle: number, translate: readonly [number, number], scale: number, shear: readonly [number, number], options: AffineOptions = {},
): Image {
  checkImage("affine", image);
  for (const [name, value] of [["angle", angle], ["translate", translate[0]], ["translate", translate[1]], ["shear", shear[0]], ["shear", shear[1]]] as const) {
    if (!Number.isFinite(value)) throw new ArgumentError(`affine: got ${name} ${value}; expected a finite number.`);
  }
  if (!(scale > 0)) throw new ArgumentError(`affine: got the scale ${scale}; expected a number above 0.`);
  const { width, height } = image;
  const { interpolation = "nearest", center = null, fill = 0 } = options;
  const matrix = inverseAffine(center ?? [width * 0.5, height * 0.5], angle, translate, scale, shear);
  return mapped(image, width, height, matrix, interpolation, fillBytes("affine", fill, image.channels));
}

/** torchvision's _get_inverse_affine_matrix: the inverse of shift · center · rotate-scale-shear · center⁻¹. */
function inverseAffine(
  [cx, cy]: readonly [number, number], angle: number, [tx, ty]: readonly [number, number], scale: number, [shearX, shearY]: readonly [number, number],
): Matrix {
  const turn = radians(angle), sx = radians(shearX), sy = radians(shearY);
  const a = cosine(turn - sy) / cosine(sy), b = (-cosine(turn - sy) * tangent(sx)) / cosine(sy) - sine(turn);
  const c = sine(turn - sy) / cosine(sy), d = (-sine(turn - sy) * tangent(sx)) / cosine(sy) + cosine(turn);
  const [m0, m1, m3, m4] = [d / scale, -b / scale, -c / scale, a / scale];
  return [m0, m1, m0 * (-cx - tx) + m1 * (-cy - ty) + cx, m3, m4, m3 * (-cx - tx) + m4 * (-cy - ty) + cy];
}

function mapped(image: Image, width: number, height: number, matrix: Matrix, interpolation: AffineInterpolation, fill: Uint8Array): Image {
  const { channels } = image;
  const out = blankPixels("rotate, affine", width, height, channels);
  for (let i = 0; i < out.length; i++) out[i] = fill[i % channels] ?? 0;
  if (interpolation === "nearest") mapNearest(image, out, width, height, matrix);
  else if (interpolation === "bilinear") mapBilinear(image, out, width, height, matrix);
  else throw new ArgumentError(`rotate, affine: got the interpolation ${JSON.stringify(interpolation)}; expected "nearest" or "bilinear".`);
  return { width, height, channels, data: out };
}

/** Pillow's affine_fixed: 16 bits behind the point, started at the middle of the first pixel. */
function mapNearest(image: Image, out: Uint8Array, width: number, height: number, [a, b, c, d, e, f]: Matrix): void {
  if (b === 0 && d === 0) {
    mapAxes(image, out, width, height, [a, b, c, d, e, f]);
    return;
  }
  const fixed = (value: number): number => Math.floor(value * 65536 + 0.5);
  const stepX = fixed(a), stepY = fixed(d), rowX = fixed(b), rowY = fixed(e);
  let startX = fixed(c + a * 0.5 + b * 0.5), startY = fixed(f + d * 0.5 + e * 0.5);
  for (let y = 0, at = 0; y < height; y++, startX += rowX, startY += rowY) {
    for (let x = 0, placeX = startX, placeY = startY; x < width; x++, placeX += stepX, placeY += stepY, at += image.channels) {
      copyPixel(image, Math.floor(placeX / 65536), Math.floor(placeY / 65536), out, at);
    }
  }
}

/** Pillow's ImagingScaleAffine, for maps that neither turn nor shear: places by repeated addition in float64. */
function mapAxes(image: Image, out: Uint8Array, width: number, height: number, [a, , c, , e, f]: Matrix): void {
  const columns = steps(c + a * 0.5, a, width), rows = steps(f + e * 0.5, e, height);
  let at = 0;
  for (const y of rows) {
    for (const x of columns) {
      copyPixel(image, x, y, out, at);
      at += image.channels;
    }
  }
}

function steps(start: number, step: number, length: number): Int32Array {
  let place = start;
  return Int32Array.from({ length }, () => {
    const here = Math.floor(place);
    place += step;
    return here;
  });
}

function copyPixel({ data, width, height, channels }: Image, x: number, y: number, out: Uint8Array, at: number): void {
  if (x < 0 || y < 0 || x >= width || y >= height) return;
  const from = (y * width + x) * channels;
  for (let channel = 0; channel < channels; channel++) out[at + channel] = data[from + channel] ?? 0;
}

function between(a: number, b: number, part: number): number {
  return a + (b - a) * part;
}

/** Pillow's bilinear_filter: the four neighbours, those beyond the edge repeated; bytes are cut off, not rounded. */
function mapBilinear({ data, width, height, channels }: Image, out: Uint8Array, newWidth: number, newHeight: number, matrix: Matrix): void {
  const [a, b, c, d, e, f] = matrix;
  for (let y = 0, at = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++, at += channels) {
      const placeX = a * (x + 0.5) + b * (y + 0.5) + c, placeY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (!(placeX >= 0 && placeX < width && placeY >= 0 && placeY < height)) continue;
      const left = Math.floor(placeX - 0.5), top = Math.floor(placeY - 0.5), dx = placeX - 0.5 - left, dy = placeY - 0.5 - top;
      const x0 = Math.max(0, left), x1 = Math.min(width - 1, left + 1), y0 = Math.max(0, top) * width, y1 = Math.min(height - 1, top + 1) * width;
      for (let channel = 0; channel < channels; channel++) {
        const value = (px: number): number => data[px * channels + channel] ?? 0;
        const above = between(value(y0 + x0), value(y0 + x1), dx), below = between(value(y1 + x0), value(y1 + x1), dx);
        out[at + channel] = between(above, below, dy);
      }
    }
  }
}
