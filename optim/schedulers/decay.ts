// Schedules that multiply the rate: in steps (StepLR, MultiStepLR), at every epoch (ExponentialLR), for a while (ConstantLR, LinearLR), down to
// nothing (PolynomialLR).
import { type OptionalTail, optionalTail } from "../../engine/arguments.js";
import type { Optimizer } from "../optimizer.js";
import { number, refuseValue, whole } from "./checks.js";
import { LRScheduler, type SchedulerOptions } from "./scheduler.js";

export interface DecayOptions extends SchedulerOptions {
  /** What the rate is multiplied with. Default 0.1. */
  gamma: number;
}
/** The rate falls by gamma every stepSize epochs. */
export class StepLR extends LRScheduler {
  stepSize: number;
  gamma: number;
  constructor(optimizer: Optimizer, stepSize: number, ...tail: OptionalTail<DecayOptions, ["gamma", "lastEpoch", "verbose"]>) {
    const { gamma = 0.1, ...rest } = optionalTail<DecayOptions>("optim.StepLR", ["gamma", "lastEpoch", "verbose"], tail);
    super(optimizer, rest);
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

/** The rate falls by gamma at each milestone; one that stands twice counts twice. */
export class MultiStepLR extends LRScheduler {
  milestones: number[];
  gamma: number;
  constructor(optimizer: Optimizer, milestones: readonly number[], ...tail: OptionalTail<DecayOptions, ["gamma", "lastEpoch", "verbose"]>) {
    const { gamma = 0.1, ...rest } = optionalTail<DecayOptions>("optim.MultiStepLR", ["gamma", "lastEpoch", "verbose"], tail);
    super(optimizer, rest);
    refuseValue(this.callee, !Array.isArray(milestones), "milestones", milestones, "a list of epochs, such as [30, 80]");
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

/** The rate is multiplied with gamma at every epoch. */
export class ExponentialLR extends LRScheduler {
  gamma: number;
  constructor(optimizer: Optimizer, gamma: number, ...tail: OptionalTail<SchedulerOptions, ["lastEpoch", "verbose"]>) {
    super(optimizer, optionalTail<SchedulerOptions>("optim.ExponentialLR", ["lastEpoch", "verbose"], tail));
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
/** The rate is factor of its own for totalIters epochs. */
export class ConstantLR extends LRScheduler {
  factor: number;
  totalIters: number;
  constructor(optimizer: Optimizer, ...tail: OptionalTail<ConstantLROptions, ["factor", "totalIters", "lastEpoch", "verbose"]>) {
    const names = ["factor", "totalIters", "lastEpoch", "verbose"] as const;
    const { factor = 1 / 3, totalIters = 5, ...rest } = optionalTail<ConstantLROptions>("optim.ConstantLR", names, tail);
    super(optimizer, rest);
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
/** The rate goes in a line from startFactor to endFactor of its own in totalIters epochs: a warm-up. */
export class LinearLR extends LRScheduler {
  startFactor: number;
  endFactor: number;
  totalIters: number;
  constructor(optimizer: Optimizer, ...tail: OptionalTail<LinearLROptions, ["startFactor", "endFactor", "totalIters", "lastEpoch", "verbose"]>) {
    const names = ["startFactor", "endFactor", "totalIters", "lastEpoch", "verbose"] as const;
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5, ...rest } = optionalTail<LinearLROptions>("optim.LinearLR", names, tail);
    super(optimizer, rest);
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
/** The rate falls to 0 in totalIters epochs, as (1 − epoch/totalIters)^power. */
export class PolynomialLR extends LRScheduler {
  totalIters: number;
  power: number;
  constructor(optimizer: Optimizer, ...tail: OptionalTail<PolynomialLROptions, ["totalIters", "power", "lastEpoch", "verbose"]>) {
    const names = ["totalIters", "power", "lastEpoch", "verbose"] as const;
    const { totalIters = 5, power = 1, ...rest } = optionalTail<PolynomialLROptions>("optim.PolynomialLR", names, tail);
    super(optimizer, rest);
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
