// Gaussian blur as torchvision's: the normalised kernel, edges reflected, bytes rounded half to even.
import { ArgumentError } from "../../kernels/errors.js";
import { checkImage, type Image } from "../image.js";
import { roundHalfEven } from "./crop.js";

/** Blurs with a kernel of `kernelSize` (odd; one number, or [x, y] as torchvision has it) and `sigma` (one number, or [x, y]); by default
 *  sigma is 0.15·kernelSize + 0.35. */
export function gaussianBlur(image: Image, kernelSize: number | readonly [number, number], sigma?: number | readonly [number, number]): Image {
  checkImage("gaussianBlur", image);
  const [sizeX, sizeY] = typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
  const [sigmaX, sigmaY] = sigma === undefined ? [sizeX * 0.15 + 0.35, sizeY * 0.15 + 0.35] : typeof sigma === "number" ? [sigma, sigma] : sigma;
  checkBlur("gaussianBlur", [sizeX, sizeY], [sigmaX, sigmaY]);
  if (image.width <= sizeX >> 1 || image.height <= sizeY >> 1) {
    throw new ArgumentError(
      `gaussianBlur: got a kernel of ${sizeX}×${sizeY} for an image of ${image.width}×${image.height}; ` +
        "expected an image larger than half the kernel, whose edges can be reflected.",
    );
  }
  const { width, height, channels } = image;
  const row = width * channels;
  const across = blurred(image.data, kernel(sizeX, sigmaX), { length: width, stride: channels, lines: height, lineStride: row }, channels);
  const both = blurred(across, kernel(sizeY, sigmaY), { length: height, stride: row, lines: 1, lineStride: 0 }, row);
  return { width, height, channels, data: Uint8Array.from(both, roundHalfEven) };
}

export function checkBlur(operation: string, sizes: readonly number[], sigmas: readonly number[]): void {
  if (!sizes.every((size) => Number.isInteger(size) && size > 0 && size % 2 === 1)) {
    throw new ArgumentError(`${operation}: got the kernel size ${sizes.join("×")}; expected odd whole numbers above 0.`);
  }
  if (!sigmas.every((sigma) => sigma > 0)) throw new ArgumentError(`${operation}: got sigma ${sigmas.join(", ")}; expected numbers above 0.`);
}

function kernel(size: number, sigma: number): Float64Array {
  const weights = Float64Array.from({ length: size }, (_, i) => Math.exp(-0.5 * ((i - (size - 1) / 2) / sigma) ** 2));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

interface Lines {
  /** Positions along the blur, and the distance between two. */
  readonly length: number;
  readonly stride: number;
  readonly lines: number;
  readonly lineStride: number;
}

/** One direction; `together` values lie side by side at each position. */
function blurred(data: ArrayLike<number>, weights: Float64Array, { length, stride, lines, lineStride }: Lines, together: number): Float64Array {
  const out = new Float64Array(data.length), reach = weights.length >> 1;
  for (let line = 0; line < lines; line++) {
    for (let position = 0; position < length; position++) {
      const to = line * lineStride + position * stride;
      for (let k = -reach; k <= reach; k++) {
        const beyond = Math.abs(position + k), place = beyond < length ? beyond : 2 * length - 2 - beyond;
        const from = line * lineStride + place * stride, weight = weights[k + reach] ?? 0;
        for (let i = 0; i < together; i++) out[to + i] = (out[to + i] ?? 0) + weight * (data[from + i] ?? 0);
      }
    }
  }
  return out;
}
