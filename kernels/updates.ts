// The table of optimizer updates: each row maps [parameter, gradient, ...states] and host scalars to the new [parameter, ...states]. Like the
// element-wise rows they are written once and compiled for every device; one call updates all parameters of a group. What depends only on
// the step count (bias corrections, a first momentum step) arrives as a scalar, computed on the host in float64.
import type { Algebra } from "./algebra.js";

export interface UpdateRow {
  /** States per parameter, each of the parameter's length. */
  readonly states: number;
  readonly scalars: readonly string[];
  /** Over [parameter, gradient, ...states, ...scalars]; gives [parameter, ...states]. */
  readonly expression: <T, B>(e: Algebra<T, B>, ...operands: T[]) => T[];
}

/** β·average + (1 − β)·x. The host passes rest = 1 − β: in float32, 1 − 0.999f is already wrong in the fifth digit. */
function movingAverage<T, B>(e: Algebra<T, B>, average: T, x: T, beta: T, rest: T): T {
  return e.add(e.mul(average, beta), e.mul(x, rest));
}

/** β·average + ((1 − β)·x)·x, in PyTorch's order: x² alone may overflow where a hundredth of it does not. */
function squareAverage<T, B>(e: Algebra<T, B>, average: T, x: T, beta: T, rest: T): T {
  return e.add(e.mul(average, beta), e.mul(e.settled(e.mul(rest, x)), x));
}

/** sum + factor·x, without the product where the factor is 0: a term that is switched off stays off beside an infinite x. */
function plus<T, B>(e: Algebra<T, B>, sum: T, factor: T, x: T): T {
  return e.select(e.eq(factor, e.constant(0)), sum, e.add(sum, e.mul(factor, x)));
}

export const updates = {
  /** Plain gradient descent: p − lr·(g + decay·p). */
  sgd: {
    states: 0, scalars: ["lr", "decay"],
    expression: (e, p, g, lr, decay) => [e.sub(p, e.mul(lr, plus(e, g, decay, p)))],
  },
  /** buffer ← keep·buffer + take·d (first step: keep 0, take 1, since PyTorch copies the gradient); direction = gradientShare·d +
   *  bufferShare·buffer (plain: 0, 1; Nesterov: 1, momentum). */
  sgdMomentum: {
    states: 1, scalars: ["lr", "decay", "keep", "take", "gradientShare", "bufferShare"],
    expression: (e, p, g, buffer, lr, decay, keep, take, gradientShare, bufferShare) => {
      const d = plus(e, g, decay, p);
      const next = e.add(e.mul(keep, buffer), e.mul(take, d));
      const direction = plus(e, e.mul(bufferShare, next), gradientShare, d);
      return [e.sub(p, e.mul(lr, direction)), next];
    },
  },
  /** Kingma & Ba 2015, and Loshchilov & Hutter's decoupled decay: Adam has shrink = 1 and decay ≥ 0, AdamW shrink = 1 − lr·λ and decay = 0.
   *  stepSize = lr/(1 − β₁ᵗ), rootCorrection = √(1 − β₂ᵗ); eps sits outside the root. */
  adam: {
    states: 2, scalars: ["stepSize", "beta1", "rest1", "beta2", "rest2", "eps", "rootCorrection", "decay", "shrink"],
    expression: (e, p, g, m, v, stepSize, beta1, rest1, beta2, rest2, eps, rootCorrection, decay, shrink) => {
      const shrunk = e.mul(p, shrink);
      const d = plus(e, g, decay, p);
      const nextM = movingAverage(e, m, d, beta1, rest1), nextV = squareAverage(e, v, d, beta2, rest2);
      const denominator = e.add(e.div(e.sqrt(nextV), rootCorrection), eps);
      return [e.sub(shrunk, e.mul(stepSize, e.div(nextM, denominator))), nextM, nextV];
    },
  },
  /** Adam whose denominator is the largest second moment so far (Reddi et al. 2018). */
  adamAmsgrad: {
    states: 3, scalars: ["stepSize", "beta1", "rest1", "beta2", "rest2", "eps", "rootCorrection", "decay", "shrink"],
    expression: (e, p, g, m, v, largest, stepSize, beta1, rest1, beta2, rest2, eps, rootCorrection, decay, shrink) => {
      const shrunk = e.mul(p, shrink);
      const d = plus(e, g, decay, p);
      const nextM = movingAverage(e, m, d, beta1, rest1), nextV = squareAverage(e, v, d, beta2, rest2);
      const nextLargest = e.max(largest, nextV);
      const denominator = e.add(e.div(e.sqrt(nextLargest), rootCorrection), eps);
      return [e.sub(shrunk, e.mul(stepSize, e.div(nextM, denominator))), nextM, nextV, nextLargest];
    },
  },
  /** Dozat 2016, Adam with Nesterov's momentum: direction = gradientStep·d + momentumStep·m, the schedules of both on the host. decay and
   *  shrink as in adam. */
  nadam: {
    states: 2, scalars: ["gradientStep", "momentumStep", "beta1", "rest1", "beta2", "rest2", "eps", "rootCorrection", "decay", "shrink"],
    expression: (e, p, g, m, v, gradientStep, momentumStep, beta1, rest1, beta2, rest2, eps, rootCorrection, decay, shrink) => {
      const shrunk = e.mul(p, shrink);
      const d = plus(e, g, decay, p);
      const nextM = movingAverage(e, m, d, beta1, rest1), nextV = squareAverage(e, v, d, beta2, rest2);
      const direction = e.add(e.mul(gradientStep, d), e.mul(momentumStep, nextM));
      return [e.sub(shrunk, e.div(direction, e.add(e.div(e.sqrt(nextV), rootCorrection), eps))), nextM, nextV];
    },
  },
  /** Liu et al. 2020, Adam with a rectified variance: the denominator is √v + eps (rectified = 1, floor = eps), or 1 in the first steps, whose
   *  variance is intractable (rectified = 0, floor = 1); stepSize holds both bias corrections and the rectification. */
  radam: {
    states: 2, scalars: ["stepSize", "beta1", "rest1", "beta2", "rest2", "rectified", "floor", "decay", "shrink"],
    expression: (e, p, g, m, v, stepSize, beta1, rest1, beta2, rest2, rectified, floor, decay, shrink) => {
      const shrunk = e.mul(p, shrink);
      const d = plus(e, g, decay, p);
      const nextM = movingAverage(e, m, d, beta1, rest1), nextV = squareAverage(e, v, d, beta2, rest2);
      const denominator = plus(e, floor, rectified, e.sqrt(nextV));
      return [e.sub(shrunk, e.mul(stepSize, e.div(nextM, denominator))), nextM, nextV];
    },
  },
  /** Hinton's RMSprop: v ← α·v + (1−α)·d²; centred subtracts the squared mean (centre = 1, else 0); with momentum the quotient goes through
   *  a buffer (momentum = 0 makes the buffer the quotient itself). */
  rmsprop: {
    states: 3, scalars: ["lr", "alpha", "rest", "eps", "decay", "momentum", "centre"],
    expression: (e, p, g, v, mean, buffer, lr, alpha, rest, eps, decay, momentum, centre) => {
      const d = plus(e, g, decay, p);
      const nextV = squareAverage(e, v, d, alpha, rest), nextMean = movingAverage(e, mean, d, alpha, rest);
      const average = e.add(e.sqrt(plus(e, nextV, e.neg(centre), e.mul(nextMean, nextMean))), eps);
      const nextBuffer = plus(e, e.div(d, average), momentum, buffer);
      return [e.sub(p, e.mul(lr, nextBuffer)), nextV, nextMean, nextBuffer];
    },
  },
  /** Duchi et al. 2011; lr arrives divided by 1 + (t−1)·lrDecay. */
  adagrad: {
    states: 1, scalars: ["lr", "eps", "decay"],
    expression: (e, p, g, sum, lr, eps, decay) => {
      const d = plus(e, g, decay, p);
      const nextSum = e.add(sum, e.mul(d, d));
      return [e.sub(p, e.mul(lr, e.div(d, e.add(e.sqrt(nextSum), eps)))), nextSum];
    },
  },
  /** Zeiler 2012: the step is d scaled by the ratio of the running root mean squares of steps and gradients; eps sits inside both roots. */
  adadelta: {
    states: 2, scalars: ["lr", "rho", "rest", "eps", "decay"],
    expression: (e, p, g, v, u, lr, rho, rest, eps, decay) => {
      const d = plus(e, g, decay, p);
      const nextV = squareAverage(e, v, d, rho, rest);
      const delta = e.mul(e.div(e.sqrt(e.add(u, eps)), e.sqrt(e.add(nextV, eps))), d);
      return [e.sub(p, e.mul(lr, delta)), nextV, squareAverage(e, u, delta, rho, rest)];
    },
  },
} as const satisfies Record<string, UpdateRow>;

export type UpdateName = keyof typeof updates;
