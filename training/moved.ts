// Names that stood at athanor/training before plots, the live page, TensorBoard and the search had subpaths of their own. They load nothing: whoever
// uses one reads where it is.
import { ArgumentError } from "../kernels/errors.js";

/** A name that is found under a subpath now; to use it here is an error. */
export interface Moved<Subpath extends string> {
  readonly movedTo: Subpath;
}

function moved<Subpath extends string>(name: string, movedTo: Subpath): Moved<Subpath> {
  const refuse = (): never => {
    throw new ArgumentError(`training.${name}: got a name that moved; expected import { ${name} } from "${movedTo}".`);
  };
  // Who lists or prints a namespace may look; a call, new, a member and instanceof are uses.
  return new Proxy(Object.assign(function () {}, { movedTo }), {
    apply: refuse,
    construct: refuse,
    get: (seen, key) => (key === Symbol.hasInstance || (typeof key === "string" && !(key in seen)) ? refuse() : Reflect.get(seen, key)),
  });
}

export const barChart = /* @__PURE__ */ moved("barChart", "athanor/training/plots");
export const confusionMatrix = /* @__PURE__ */ moved("confusionMatrix", "athanor/training/plots");
export const curves = /* @__PURE__ */ moved("curves", "athanor/training/plots");
export const Figure = /* @__PURE__ */ moved("Figure", "athanor/training/plots");
export const imageSheet = /* @__PURE__ */ moved("imageSheet", "athanor/training/plots");
export const lineChart = /* @__PURE__ */ moved("lineChart", "athanor/training/plots");
export const rankedTable = /* @__PURE__ */ moved("rankedTable", "athanor/training/plots");

export const Visdom = /* @__PURE__ */ moved("Visdom", "athanor/training/live");

export const SummaryWriter = /* @__PURE__ */ moved("SummaryWriter", "athanor/training/tensorboard");

export const choice = /* @__PURE__ */ moved("choice", "athanor/training/search");
export const GridSampler = /* @__PURE__ */ moved("GridSampler", "athanor/training/search");
export const logUniform = /* @__PURE__ */ moved("logUniform", "athanor/training/search");
export const MedianPruner = /* @__PURE__ */ moved("MedianPruner", "athanor/training/search");
export const RandomSearchSampler = /* @__PURE__ */ moved("RandomSearchSampler", "athanor/training/search");
export const search = /* @__PURE__ */ moved("search", "athanor/training/search");
export const TpeSampler = /* @__PURE__ */ moved("TpeSampler", "athanor/training/search");
export const TrialPruned = /* @__PURE__ */ moved("TrialPruned", "athanor/training/search");
export const uniform = /* @__PURE__ */ moved("uniform", "athanor/training/search");
export const wholeNumber = /* @__PURE__ */ moved("wholeNumber", "athanor/training/search");
