// Images in either form: bytes as files have them, or values [..., channels, height, width], a tensor or what becomes one with its batch. What a
// function makes has the form of what it was given, as torchvision's have.
import { type Argument, type Given, type Needed, type Signature, taking, type Values } from "../engine/arguments.js";
import { noGrad, Tensor, tensor } from "../engine/index.js";
import { type Kind, kind } from "../engine/kinds.js";
import { formOf } from "./forms.js";
import { checkImage, type HostTensor, hostValues, type Image, isHostTensor, isImage } from "./image.js";

export type Picture = Image | HostTensor | Tensor;
export interface Sides {
  readonly width: number;
  readonly height: number;
}

export function isPicture(value: unknown): value is Picture {
  return isImage(value) || ((value instanceof Tensor || isHostTensor(value)) && value.shape.length >= 2);
}
const says = "an image { width, height, channels, data } of bytes, or a tensor [..., height, width]";
export const aPicture: Kind<Picture> = kind(says, isPicture, {
  plain: true,
  hint: (value) => (value instanceof Tensor || isHostTensor(value) ? `, not ${formOf(value).name}` : ""),
});

/** What comes out for this input: the same form, whatever is known of it. */
export type Like<Input> = Input extends Image ? Image : Input extends Tensor ? Tensor : Input extends HostTensor ? HostTensor : Picture;
/** A call of these parameters, the first of them a picture of the form of Input. */
type GivenPicture<Input extends Picture, P extends readonly Argument[], Also extends readonly Argument[]> = P extends readonly [Argument, ...infer Rest extends readonly Argument[]]
  ? Given<readonly [Needed<"image", Input>, ...Rest], Also> : never;
/** taking() for a function whose first argument, "image", is a picture and which keeps its form. */
export function takingPictures<const P extends readonly Argument[], const Also extends readonly Argument[] = readonly []>(
  signature: Signature<P, Also>, run: (...values: Values<readonly [...P, ...Also]>) => Picture,
): <Input extends Picture>(...given: GivenPicture<Input, P, Also>) => Like<Input> {
  return taking(signature, run) as <Input extends Picture>(...given: GivenPicture<Input, P, Also>) => Like<Input>;
}

/** Width and height, the last two sides of a tensor. */
export function sidesOf(picture: Picture): Sides {
  if (isImage(picture)) return picture;
  return { width: picture.shape.at(-1) ?? 0, height: picture.shape.at(-2) ?? 0 };
}

export function channelsOf(picture: Picture): number {
  return isImage(picture) ? picture.channels : (picture.shape.at(-3) ?? 1);
}

/** One function from its two halves. Values { shape, data } go through the tensors' half and come back as values. */
export function inEitherForm<Rest extends readonly unknown[]>(
  operation: string, ofImage: (image: Image, ...rest: Rest) => Image, ofTensor: (input: Tensor, ...rest: Rest) => Tensor,
): <Input extends Picture>(input: Input, ...rest: Rest) => Input {
  const made = (input: Picture, ...rest: Rest): Picture => {
    if (input instanceof Tensor) return ofTensor(input, ...rest);
    if (isImage(input)) {
      checkImage(operation, input);
      return ofImage(input, ...rest);
    }
    return noGrad(() => hostValues(ofTensor(tensor(input.data, { shape: input.shape }), ...rest)));
  };
  return made as <Input extends Picture>(input: Input, ...rest: Rest) => Input;
}
