// Schedules that multiply the rate: in steps (StepLR, MultiStepLR), at every epoch (ExponentialLR), for a while (ConstantLR, LinearLR), down to
// nothing (PolynomialLR).
import { type Call, Signature } from "../../engine/arguments.js";
import { aNumber, numbers } from "../../engine/kinds.js";
import { number, optimizer, refuseValue, startAndVoice, whole } from "./checks.js";
import { LRScheduler, type SchedulerOptions } from "./scheduler.js";

export interface DecayOptions extends SchedulerOptions {
  /** What the rate is multiplied with. Default 0.1. */
  gamma: number;
}
const stepLR = new Signature("optim.StepLR", [["optimizer", optimizer], ["stepSize", aNumber], ["gamma", aNumber, 0.1], ...startAndVoice]);
/** The rate falls by gamma every stepSize epochs. */
export class StepLR extends LRScheduler {
  stepSize: number;
  gamma: number;
  constructor(...given: Call<typeof stepLR>) {
    const [watched, stepSize, gamma, lastEpoch, verbose] = stepLR.read(given, `optim.${new.target.name}`);
    super(watched, { lastEpoch, verbose });
    this.stepSize = whole(this.callee, "stepSize", stepSize, 1);
    this.gamma = number(this.callee, "gamma", gamma);
    this.initialStep();
  }
  getLr(): number[] {
    return this.scaledLr(this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0 ? 1 : this.gamma);
  }
  protected override closedFormLr(): number[] {
    return this.scaledBaseLr(this.gamma ** Math.floor(this.lastEpoch / this.stepSize));
  }
}

const multiStepLR = new Signature("optim.MultiStepLR", [["optimizer", optimizer], ["milestones", numbers], ["gamma", aNumber, 0.1], ...startAndVoice]);
/** The rate falls by gamma at each milestone; one that stands twice counts twice. */
export class MultiStepLR extends LRScheduler {
  milestones: number[];
  gamma: number;
  constructor(...given: Call<typeof multiStepLR>) {
    const [watched, milestones, gamma, lastEpoch, verbose] = multiStepLR.read(given, `optim.${new.target.name}`);
    super(watched, { lastEpoch, verbose });
    this.milestones = milestones.map((epoch) => whole(this.callee, "the milestone", epoch, 0)).sort((a, b) => a - b);
    this.gamma = number(this.callee, "gamma", gamma);
    this.initialStep();
  }
  getLr(): number[] {
    return this.scaledLr(this.gamma ** this.milestones.filter((epoch) => epoch === this.lastEpoch).length);
  }
  protected override closedFormLr(): number[] {
    return this.scaledBaseLr(this.gamma ** this.milestones.filter((epoch) => epoch <= this.lastEpoch).length);
  }
}

const exponentialLR = new Signature("optim.ExponentialLR", [["optimizer", optimizer], ["gamma", aNumber], ...startAndVoice]);
/** The rate is multiplied with gamma at every epoch. */
export class ExponentialLR extends LRScheduler {
  gamma: number;
  constructor(...given: Call<typeof exponentialLR>) {
    const [watched, gamma, lastEpoch, verbose] = exponentialLR.read(given, `optim.${new.target.name}`);
    super(watched, { lastEpoch, verbose });
    this.gamma = number(this.callee, "gamma", gamma);
    this.initialStep();
  }
  getLr(): number[] {
    return this.scaledLr(this.lastEpoch === 0 ? 1 : this.gamma);
  }
  protected override closedFormLr(): number[] {
    return this.scaledBaseLr(this.gamma ** this.lastEpoch);
  }
}

export interface ConstantLROptions extends SchedulerOptions {
  /** What the rate is multiplied with at first, above 0 and at most 1. Default 1/3. */
  factor: number;
  /** How many epochs it is. Default 5. */
  totalIters: number;
}
const constantLR = new Signature("optim.ConstantLR", [["optimizer", optimizer], ["factor", aNumber, 1 / 3], ["totalIters", aNumber, 5], ...startAndVoice]);
/** The rate is factor of its own for totalIters epochs. */
export class ConstantLR extends LRScheduler {
  factor: number;
  totalIters: number;
  constructor(...given: Call<typeof constantLR>) {
    const [watched, factor, totalIters, lastEpoch, verbose] = constantLR.read(given, `optim.${new.target.name}`);
    super(watched, { lastEpoch, verbose });
    this.factor = positiveFraction(this.callee, "factor", factor);
    this.totalIters = whole(this.callee, "totalIters", totalIters, 1);
    this.initialStep();
  }
  getLr(): number[] {
    return this.scaledLr(this.lastEpoch === 0 ? this.factor : this.lastEpoch === this.totalIters ? 1 / this.factor : 1);
  }
  protected override closedFormLr(): number[] {
    return this.scaledBaseLr(this.lastEpoch >= this.totalIters ? 1 : this.factor);
  }
}

export interface LinearLROptions extends SchedulerOptions {
  /** Above 0 and at most 1. Default 1/3. */
  startFactor: number;
  /** From 0 to 1. Default 1. */
  endFactor: number;
  /** How many epochs it takes from the one to the other. Default 5. */
  totalIters: number;
}
const linearLR = new Signature("optim.LinearLR", [["optimizer", optimizer], ["startFactor", aNumber, 1 / 3], ["endFactor", aNumber, 1], ["totalIters", aNumber, 5], ...startAndVoice]);
/** The rate goes in a line from startFactor to endFactor of its own in totalIters epochs: a warm-up. */
export class LinearLR extends LRScheduler {
  startFactor: number;
  endFactor: number;
  totalIters: number;
  constructor(...given: Call<typeof linearLR>) {
    const [watched, startFactor, endFactor, totalIters, lastEpoch, verbose] = linearLR.read(given, `optim.${new.target.name}`);
    super(watched, { lastEpoch, verbose });
    this.startFactor = positiveFraction(this.callee, "startFactor", startFactor);
    this.endFactor = number(this.callee, "endFactor", endFactor, 0, 1);
    this.totalIters = whole(this.callee, "totalIters", totalIters, 1);
    this.initialStep();
  }
  getLr(): number[] {
    const { lastEpoch, startFactor, endFactor, totalIters } = this;
    if (lastEpoch === 0) return this.scaledLr(startFactor);
    if (lastEpoch > totalIters) return this.currentLr();
    const rise = endFactor - startFactor;
    return this.scaledLr(1 + rise / (totalIters * startFactor + (lastEpoch - 1) * rise));
  }
  protected override closedFormLr(): number[] {
    const { lastEpoch, startFactor, endFactor, totalIters } = this;
    return this.scaledBaseLr(startFactor + ((endFactor - startFactor) * Math.min(totalIters, lastEpoch)) / totalIters);
  }
}

export interface PolynomialLROptions extends SchedulerOptions {
  /** How many epochs the rate takes to 0. Default 5. */
  totalIters: number;
  /** Default 1: a line. */
  power: number;
}
const polynomialLR = new Signature("optim.PolynomialLR", [["optimizer", optimizer], ["totalIters", aNumber, 5], ["power", aNumber, 1], ...startAndVoice]);
/** The rate falls to 0 in totalIters epochs, as (1 − epoch/totalIters)^power. */
export class PolynomialLR extends LRScheduler {
  totalIters: number;
  power: number;
  constructor(...given: Call<typeof polynomialLR>) {
    const [watched, totalIters, power, lastEpoch, verbose] = polynomialLR.read(given, `optim.${new.target.name}`);
    super(watched, { lastEpoch, verbose });
    this.totalIters = whole(this.callee, "totalIters", totalIters, 1);
    this.power = number(this.callee, "power", power);
    this.initialStep();
  }
  getLr(): number[] {
    const { lastEpoch, totalIters, power } = this;
    if (lastEpoch === 0 || lastEpoch > totalIters) return this.currentLr();
    return this.scaledLr(((1 - lastEpoch / totalIters) / (1 - (lastEpoch - 1) / totalIters)) ** power);
  }
  protected override closedFormLr(): number[] {
    return this.scaledBaseLr((1 - Math.min(this.totalIters, this.lastEpoch) / this.totalIters) ** this.power);
  }
}

/** From 0 no later factor leads back. */
function positiveFraction(callee: string, name: string, value: number): number {
  refuseValue(callee, !(value > 0 && value <= 1), name, value, "a number above 0 and at most 1");
  return value;
}
