// Erasing a rectangle of values [channels, height, width].
import { ArgumentError } from "../../kernels/errors.js";
import type { HostTensor } from "../image.js";

/** A copy whose rectangle (top, left, height, width) holds `value`: one number, one per channel, or channels·height·width of them. */
export function erase(
  image: HostTensor, top: number, left: number, height: number, width: number, value: number | ArrayLike<number>,
): HostTensor {
  const [channels = 0, rows = 0, columns = 0] = image.shape;
  const values = typeof value === "number" ? [value] : value, area = height * width;
  if (image.shape.length !== 3) throw new ArgumentError(`erase: got values of [${image.shape.join(", ")}]; expected [channels, height, width].`);
  if (![1, channels, channels * area].includes(values.length)) {
    throw new ArgumentError(`erase: got ${values.length} values for ${channels} channels of ${height}×${width}; expected 1, ${channels} or all.`);
  }
  if (top < 0 || left < 0 || top + height > rows || left + width > columns) {
    throw new ArgumentError(`erase: got the rectangle ${height}×${width} at (${top}, ${left}), which leaves the image of ${rows}×${columns}; expected one inside it.`);
  }
  const data = image.data.slice();
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      const row = (channel * rows + top + y) * columns + left;
      for (let x = 0; x < width; x++) {
        const all = (channel * height + y) * width + x;
        data[row + x] = (values.length === 1 ? values[0] : values.length === channels ? values[channel] : values[all]) ?? 0;
      }
    }
  }
  return { shape: image.shape, data };
}
