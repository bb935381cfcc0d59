// MixUp and CutMix: transforms of whole batches, whose labels become probabilities. Each sample is mixed with the one before it in the batch.
import { type Call, Signature } from "../../engine/arguments.js";
import { aboveZero, aCount, aNumber, aShare, aTensor } from "../../engine/kinds.js";
import { cat, noGrad, oneHot, tensor, type Tensor, where } from "../../engine/index.js";
import { ArgumentError } from "../../kernels/errors.js";
import { type Draws, ownDraws } from "../draws.js";

export interface MixOptions {
  /** Both parameters of the Beta distribution of the share that a sample keeps. Default 1: every share is as likely. */
  readonly alpha?: number;
  /** Needed where the labels are class indices. */
  readonly numClasses?: number;
}

/** Takes a batch [N, C, H, W] and its labels (int32 [N], or float32 probabilities [N, classes]); gives the mixed batch and float32
 *  probabilities [N, classes], which crossEntropy takes as its target. */
export interface BatchTransform {
  (images: Tensor, labels: Tensor, draws?: Draws): [Tensor, Tensor];
}

const options = [["alpha", aboveZero, 1], ["numClasses", aNumber, undefined]] as const;
const mixingUp = new Signature("MixUp", [], options), cutting = new Signature("CutMix", [], options);
/** Mixes whole images (Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018), as torchvision v2's. */
export function MixUp(...given: Call<typeof mixingUp>): BatchTransform {
  const [alpha, numClasses] = mixingUp.read(given);
  checkClasses("MixUp", numClasses);
  return (images, labels, draws = ownDraws()) => {
    const target = probabilities("MixUp", images, labels, numClasses);
    const share = beta(alpha, draws);
    return [mixUp(images, share), mixUp(target, share)];
  };
}

/** Puts a rectangle of another image into each (Yun et al., "CutMix", ICCV 2019), as torchvision v2's: the labels are mixed by the area. */
export function CutMix(...given: Call<typeof cutting>): BatchTransform {
  const [alpha, numClasses] = cutting.read(given);
  checkClasses("CutMix", numClasses);
  return (images, labels, draws = ownDraws()) => {
    const target = probabilities("CutMix", images, labels, numClasses);
    const share = beta(alpha, draws);
    const x = draws.integer(0, images.size(3)), y = draws.integer(0, images.size(2));
    return cutMix(images, target, share, x, y);
  };
}

const mixed = new Signature("mixUp", [["batch", aTensor], ["share", aShare]]);
/** share · batch + (1 − share) · the batch moved on by one. */
export function mixUp(...given: Call<typeof mixed>): Tensor {
  const [batch, share] = mixed.read(given);
  return noGrad(() => moved(batch).mul(1 - share).add(batch.mul(share)));
}

const pasted = new Signature("cutMix", [["images", aTensor], ["target", aTensor], ["share", aShare], ["x", aCount(0)], ["y", aCount(0)]]);
/** The rectangle about (x, y) that takes 1 − share of the area, cut off at the edges, comes from the batch moved on by one. */
export function cutMix(...given: Call<typeof pasted>): [Tensor, Tensor] {
  const [images, target, share, x, y] = pasted.read(given);
  const height = images.size(2), width = images.size(3), reach = 0.5 * Math.sqrt(1 - share);
  const halfWidth = Math.trunc(reach * width), halfHeight = Math.trunc(reach * height);
  const left = Math.max(0, x - halfWidth), right = Math.min(width, x + halfWidth);
  const top = Math.max(0, y - halfHeight), bottom = Math.min(height, y + halfHeight);
  const inside = new Uint8Array(height * width);
  for (let row = top; row < bottom; row++) inside.fill(1, row * width + left, row * width + right);
  const kept = 1 - ((right - left) * (bottom - top)) / (width * height);
  return noGrad(() => {
    const mask = tensor(inside, { shape: [height, width], dtype: "bool", device: images.device });
    return [where(mask, moved(images), images), mixUp(target, kept)];
  });
}

/** torch.roll(batch, 1, 0): the last sample comes first. */
function moved(batch: Tensor): Tensor {
  const count = batch.size(0);
  return count < 2 ? batch : cat([batch.narrow(0, count - 1, 1), batch.narrow(0, 0, count - 1)], 0);
}

function checkClasses(callee: string, numClasses: number | undefined): void {
  if (numClasses !== undefined && (!Number.isInteger(numClasses) || numClasses < 1)) {
    throw new ArgumentError(`${callee}: got numClasses = ${numClasses}; expected a whole number of at least 1.`);
  }
}

function probabilities(callee: string, images: Tensor, labels: Tensor, numClasses?: number): Tensor {
  if (images.ndim !== 4 || images.dtype !== "float32") {
    throw new ArgumentError(`${callee}: got images of ${images.dtype} [${images.shape.join(", ")}]; expected a float32 batch [N, C, H, W].`);
  }
  if (labels.shape[0] !== images.shape[0]) {
    throw new ArgumentError(`${callee}: got ${images.size(0)} images and labels of [${labels.shape.join(", ")}]; expected one label for each.`);
  }
  if (labels.dtype === "float32" && labels.ndim === 2) return labels;
  if (labels.dtype !== "int32" || labels.ndim !== 1) {
    throw new ArgumentError(
      `${callee}: got labels of ${labels.dtype} [${labels.shape.join(", ")}]; expected int32 [N] or float32 probabilities [N, classes].`,
    );
  }
  if (numClasses === undefined) throw new ArgumentError(`${callee}: got class indices without numClasses; give { numClasses }.`);
  return noGrad(() => oneHot(labels, numClasses).float());
}

/** @internal A number of the Beta distribution with both parameters alpha: the part of one Gamma number in two. */
export function beta(alpha: number, draws: Draws): number {
  if (alpha === 1) return draws.uniform(0, 1);
  const first = gamma(alpha, draws), second = gamma(alpha, draws);
  return first + second === 0 ? draws.integer(0, 2) : first / (first + second);
}

/** Marsaglia and Tsang, "A simple method for generating gamma variables" (ACM TOMS 2000); below 1 a power of a uniform number corrects alpha + 1. */
function gamma(alpha: number, draws: Draws): number {
  if (alpha < 1) return gamma(alpha + 1, draws) * (1 - draws.uniform(0, 1)) ** (1 / alpha);
  const d = alpha - 1 / 3, c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = draws.normal(1)[0] ?? 0, v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - draws.uniform(0, 1)) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
