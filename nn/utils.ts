// Gradient clipping, counting and layers without initial values: nn.utils.
import { type Tensor, cat, noGrad, tidy, zeros } from "../engine/index.js";
import { type Kind, aBoolean, aNumber, aTensor, either, iterableOf, kind } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { Signature, taking } from "./arguments.js";
import { Module } from "./module.js";

export { skipInit } from "./skipInit.js";

const list = iterableOf<Tensor>("a list of tensors, as parameters() gives it");
const trained: Kind<Tensor | Iterable<Tensor>> = either(aTensor, list);
const counted: Kind<Module | Iterable<Tensor>> = either(kind<Module>("a module", (value) => value instanceof Module), list);

function gradientsOf(parameters: Tensor | Iterable<Tensor>): Tensor[] {
  const list = "shape" in parameters ? [parameters] : [...parameters];
  return list.flatMap((parameter) => parameter.ownGrad ?? []);
}

/** Scales all gradients together so that their joint norm is at most maxNorm, and gives the norm before that: a tensor, so that nothing
 *  has to wait for the device. normType: 2, 1, Infinity or any positive number. */
export const clipGradNorm_ = taking(new Signature("clipGradNorm_", [["parameters", trained], ["maxNorm", aNumber], ["normType", aNumber, 2]]), (parameters, maxNorm, normType) => {
  if (!(maxNorm >= 0)) throw argumentError("clipGradNorm_", `got maxNorm ${maxNorm}; expected a number of at least 0.`);
  if (!(normType > 0)) throw argumentError("clipGradNorm_", `got normType ${normType}; expected a positive number or Infinity.`);
  const gradients = gradientsOf(parameters).filter((grad) => grad.numel() > 0);
  return noGrad(() =>
    tidy(() => {
      if (gradients.length === 0) return zeros([]);
      const total = cat(gradients.map((grad) => grad.flatten())).norm(normType);
      const factor = total.add(1e-6).rdiv(maxNorm).clamp(null, 1);
      // The handle takes over the product where it can: mul_ would copy it back, one more kernel for each parameter.
      for (const grad of gradients) grad.takeValues(grad.mul(factor).raw);
      return total;
    }),
  );
});

/** Limits every gradient's elements to [−clipValue, clipValue]. */
export const clipGradValue_ = taking(new Signature("clipGradValue_", [["parameters", trained], ["clipValue", aNumber]]), (parameters, clipValue): void => {
  if (!(clipValue >= 0)) throw argumentError("clipGradValue_", `got clipValue ${clipValue}; expected a number of at least 0.`);
  noGrad(() => gradientsOf(parameters).forEach((grad) => grad.clamp_(-clipValue, clipValue)));
});

/** How many numbers a model has to learn; with trainable, those that require a gradient. */
export const parameterCount = taking(new Signature("parameterCount", [["source", counted]], [["trainable", aBoolean, false]]), (source, trainable): number => {
  const parameters = source instanceof Module ? source.parameters() : [...source];
  return parameters.filter((p) => p.requiresGrad || !trainable).reduce((sum, p) => sum + p.numel(), 0);
});
