// Colours of tensors [..., channels, height, width] as torchvision changes them: float32 stands for 0 … 1, uint8 for 0 … 255. Made of the engine's
// operations, in torchvision's order.
import { stack, type Tensor, tidy, where } from "../../engine/index.js";
import { ArgumentError } from "../../kernels/errors.js";
import { checkFactor, checkHue } from "./color.js";

/** 1 or 3, or a sentence. */
function channelsOf(operation: string, input: Tensor): 1 | 3 {
  const channels = input.ndim < 3 ? undefined : input.shape.at(-3);
  if (channels === 1 || channels === 3) return channels;
  throw new ArgumentError(`${operation}: got a tensor of [${input.shape.join(", ")}]; expected [..., 1 or 3, height, width].`);
}
function planes(input: Tensor): [red: Tensor, green: Tensor, blue: Tensor] {
  return [input.select(-3, 0), input.select(-3, 1), input.select(-3, 2)];
}

/** The luma of [..., 3, height, width], with one channel, in the input's dtype. */
function grey(input: Tensor): Tensor {
  const [red, green, blue] = planes(input.float());
  return red.mul(0.2989).add(green.mul(0.587)).add(blue.mul(0.114)).to(input.dtype).unsqueeze(-3);
}

export function greyTensor(input: Tensor, numOutputChannels: 1 | 3): Tensor {
  return tidy(() => {
    const one = channelsOf("rgbToGrayscale", input) === 3 ? grey(input) : input.clone();
    if (numOutputChannels === 1) return one;
    return one.expand([...input.shape.slice(0, -3), 3, ...input.shape.slice(-2)]);
  });
}

/** factor·input + (1 − factor)·other, cut off at 0 and at white. */
function blend(input: Tensor, other: Tensor | null, factor: number): Tensor {
  const scaled = input.float().mul(factor), mixed = other === null ? scaled : scaled.add(other.float().mul(1 - factor));
  return mixed.clamp(0, input.dtype === "float32" ? 1 : 255).to(input.dtype);
}

export function brightTensor(input: Tensor, factor: number): Tensor {
  checkFactor("adjustBrightness", factor);
  channelsOf("adjustBrightness", input);
  return tidy(() => blend(input, null, factor));
}
export function contrastTensor(input: Tensor, factor: number): Tensor {
  checkFactor("adjustContrast", factor);
  const channels = channelsOf("adjustContrast", input);
  return tidy(() => blend(input, (channels === 3 ? grey(input) : input).float().mean([-3, -2, -1], true), factor));
}
export function saturationTensor(input: Tensor, factor: number): Tensor {
  checkFactor("adjustSaturation", factor);
  return channelsOf("adjustSaturation", input) === 1 ? input : tidy(() => blend(input, grey(input), factor));
}

export function hueTensor(input: Tensor, factor: number): Tensor {
  checkHue(factor);
  if (channelsOf("adjustHue", input) === 1) return input;
  return tidy(() => {
    const bytes = input.dtype === "uint8", [hue, saturation, value] = toHsv(bytes ? input.float().div(255) : input);
    const turned = fromHsv(wrapped(hue.add(factor)), saturation, value);
    return bytes ? turned.mul(255).to("uint8") : turned;
  });
}

/** The part behind the point. */
function wrapped(value: Tensor): Tensor {
  return value.sub(value.floor());
}

function toHsv(input: Tensor): [hue: Tensor, saturation: Tensor, value: Tensor] {
  const [red, green, blue] = planes(input), most = input.amax(-3), range = most.sub(input.amin(-3));
  const isGrey = range.eq(0), divisor = where(isGrey, 1, range);
  const missing = (channel: Tensor) => most.sub(channel).div(divisor), r = missing(red), g = missing(green), b = missing(blue);
  const sector = where(most.eq(red), b.sub(g), where(most.eq(green), r.add(2).sub(b), g.add(4).sub(r)));
  return [where(isGrey, 0, wrapped(sector.div(6).add(1))), range.div(where(isGrey, 1, most)), most];
}

function fromHsv(hue: Tensor, saturation: Tensor, value: Tensor): Tensor {
  const scaled = hue.mul(6), whole = scaled.floor(), rest = scaled.sub(whole);
  const less = (part: Tensor) => value.mul(part.neg().add(1)).clamp(0, 1);
  const low = less(saturation), falling = less(saturation.mul(rest)), rising = less(saturation.mul(rest.neg().add(1)));
  /** One of six by the sector; a hue that was rounded up to 1 is 0. */
  const chosen = (...six: readonly Tensor[]) => six.slice(1).reduce((all, each, i) => where(whole.eq(i + 1), each, all), six[0] ?? value);
  const red = chosen(value, falling, low, low, rising, value), green = chosen(rising, value, value, falling, low, low);
  return stack([red, green, chosen(low, low, rising, value, value, falling)], -3);
}
