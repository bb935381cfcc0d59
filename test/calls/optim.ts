// athanor/optim and its namespace lrScheduler
import { nn, optim, tensor } from "../../index.js";
import { type Row, type Rows, abstractClass } from "./cases.js";

const parameter = () => new nn.Parameter(tensor([1, 2, 3]));
const params = () => [parameter()];
type Values = [name: string, value: unknown][];
const named = (needed: Values, rest: Values, also?: Record<string, unknown>): ReturnType<Extract<Row, () => unknown>> => ({
  needed: needed.map(([, value]) => value), rest: rest.map(([, value]) => value), names: [...needed, ...rest].map(([name]) => name), ...(also && { also }),
});
const hints = { maximize: true, foreach: false, fused: false };
const optimizer = (rest: Values, also: Record<string, unknown> = {}): Row => () => named([["params", params()]], rest, { ...hints, ...also });
const betas: Values[number] = ["betas", [0.5, 0.75]], decay: Values[number] = ["weightDecay", 0.125], lr: Values[number] = ["lr", 0.5], eps: Values[number] = ["eps", 0.25];

const watched = () => new optim.SGD(params(), { lr: 0.5, momentum: 0.5 });
/** A group that knows the rate its schedule began with, so that a scheduler may start at an epoch. */
const begun = () => new optim.SGD([{ params: params(), lr: 0.5, initialLr: 0.25 }], { lr: 0.5, momentum: 0.5 });
const start: Values = [["lastEpoch", 2], ["verbose", false]];
const scheduler = (needed: Values, rest: Values = []): Row => () => named([["optimizer", begun()], ...needed], [...rest, ...start]);
const half = (epoch: number) => 0.5 ** (epoch + 1);

/** An optimizer's state after a step. */
function stepped() {
  const weight = parameter(), adam = new optim.NAdam([weight]);
  weight.sum().backward();
  adam.step();
  return adam.stateDict();
}

export const schedulers: Rows = {
  LRScheduler: abstractClass,
  StepLR: scheduler([["stepSize", 3]], [["gamma", 0.25]]),
  MultiStepLR: scheduler([["milestones", [3, 5]]], [["gamma", 0.25]]),
  ExponentialLR: scheduler([["gamma", 0.25]]),
  ConstantLR: scheduler([], [["factor", 0.25], ["totalIters", 4]]),
  LinearLR: scheduler([], [["startFactor", 0.25], ["endFactor", 0.75], ["totalIters", 4]]),
  PolynomialLR: scheduler([], [["totalIters", 4], ["power", 2]]),
  LambdaLR: scheduler([["lrLambda", half]]),
  MultiplicativeLR: scheduler([["lrLambda", half]]),
  CosineAnnealingLR: scheduler([["tMax", 5]], [["etaMin", 0.125]]),
  CosineAnnealingWarmRestarts: scheduler([["t0", 5]], [["tMult", 2], ["etaMin", 0.125]]),
  OneCycleLR: scheduler([["maxLr", 2], ["totalSteps", 30]], [
    ["epochs", 3], ["stepsPerEpoch", 10], ["pctStart", 0.4], ["annealStrategy", "linear"], ["cycleMomentum", true], ["baseMomentum", 0.5], ["maxMomentum", 0.75],
    ["divFactor", 4], ["finalDivFactor", 8], ["threePhase", true],
  ]),
  CyclicLR: scheduler([["baseLr", 0.25], ["maxLr", 2]], [
    ["stepSizeUp", 5], ["stepSizeDown", 7], ["mode", "triangular2"], ["gamma", 0.5], ["scaleFn", (x: number) => 1 / (x + 2)], ["scaleMode", "iterations"],
    ["cycleMomentum", true], ["baseMomentum", 0.5], ["maxMomentum", 0.75],
  ]),
  SequentialLR: () => {
    const shared = watched();
    return named([["optimizer", shared], ["schedulers", [new optim.ConstantLR(shared), new optim.ExponentialLR(shared, 0.5)]], ["milestones", [3]]], [["lastEpoch", -1], ["verbose", true]]);
  },
  ChainedScheduler: () => {
    const shared = watched();
    return named([["schedulers", [new optim.ConstantLR(shared), new optim.ExponentialLR(shared, 0.5)]]], []);
  },
  warmUp: () => named([["scheduler", new optim.CosineAnnealingLR(watched(), 9)]], [["startFactor", 0.25], ["totalIters", 3]]),
  ReduceLROnPlateau: () => named([["optimizer", watched()]], [
    ["mode", "max"], ["factor", 0.5], ["patience", 3], ["threshold", 0.25], ["thresholdMode", "abs"], ["cooldown", 2], ["minLr", 0.125], ["eps", 0.0625],
    ["verbose", true],
  ]),
};

export const optimizers: Rows = {
  Optimizer: abstractClass,
  SGD: () => named([["params", params()], lr], [["momentum", 0.5], ["dampening", 0], decay, ["nesterov", true]], hints),
  Adam: optimizer([lr, betas, eps, decay, ["amsgrad", true]], { capturable: false }),
  AdamW: optimizer([lr, betas, eps, decay, ["amsgrad", true]], { capturable: false }),
  RMSprop: optimizer([lr, ["alpha", 0.5], eps, decay, ["momentum", 0.5], ["centered", true]]),
  Adagrad: optimizer([lr, ["lrDecay", 0.5], decay, ["initialAccumulatorValue", 0.5], eps]),
  NAdam: optimizer([lr, betas, eps, decay, ["momentumDecay", 0.5]], { decoupledWeightDecay: true }),
  RAdam: optimizer([lr, betas, eps, decay], { decoupledWeightDecay: true }),
  Adadelta: optimizer([lr, ["rho", 0.5], eps, decay]),
  packState: () => named([["dict", stepped()]], []),
  unpackState: () => {
    const { tensors, json } = optim.packState(stepped());
    return named([["tensors", tensors], ["json", json]], []);
  },
  ...schedulers,
};
