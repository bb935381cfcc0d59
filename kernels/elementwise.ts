// The table of element-wise operations: one row says everything (the expression, its scalars, which dtypes it takes, its derivatives), and
// every device compiles the row. A tensor's method and the function of the same name are written from it at build time (scripts/build-methods.mjs).
// To add an operation, add a row here and a row to the fixtures.
//
// A derivative is itself an element-wise expression, over [cotangent, ...inputs, output, ...scalars]: it is compiled like any other kernel,
// and `operandsUsed` finds which of these it reads, so that nothing else is saved for backward.
import { type Algebra, type NumberExpression, type TruthExpression, operandsUsed } from "./algebra.js";

/** What a row takes and gives. float: float32 only (integers are promoted first); arithmetic: float32 or int32 in, the same out; compare:
 *  operands of one dtype in, bool out; logic: bool in and out; choose: a bool condition, then two of one dtype, which is also the result's. */
export type ElementwiseKind = "float" | "arithmetic" | "compare" | "logic" | "choose";

export interface ElementwiseKernel {
  /** Unique; names the compiled kernel on every device: "relu", or "relu'0" for the derivative by input 0. */
  readonly name: string;
  readonly inputs: number;
  readonly scalars: number;
  readonly kind: ElementwiseKind;
  /** Over [...inputs, ...scalars]. */
  readonly expression: NumberExpression | TruthExpression;
}
export interface DerivativeKernel extends ElementwiseKernel {
  /** Which of [cotangent, ...inputs, output] the kernel reads, ascending; `inputs` counts these. */
  readonly operands: readonly number[];
  /** The derivative is the cotangent itself: nothing to compute. */
  readonly identity: boolean;
}
/** The method and the function that a row is: its inputs are the tensor and `other`, its scalars the parameters. */
export interface ElementwiseMethod {
  /** Numbers, by PyTorch's names, with their defaults. */
  readonly parameters: Readonly<Record<string, number>>;
  /** It rounds: integers stay as they are. */
  readonly rounds: boolean;
  /** Its docstring, where the name does not say enough. */
  readonly doc: string;
}
export interface ElementwiseRow extends ElementwiseKernel {
  /** By each input; null where no gradient flows (comparisons, conditions, step functions). */
  readonly derivatives: readonly (DerivativeKernel | null)[];
  /** null for a part of what is written by hand. */
  readonly method: ElementwiseMethod | null;
  /** A step of other operations' formulas, which no function or method is. */
  readonly isStep: boolean;
}

interface KernelOptions {
  readonly inputs?: number;
  readonly kind?: ElementwiseKind;
  /** By input; each over [cotangent, ...inputs, output, ...scalars]. */
  readonly grad?: readonly (NumberExpression | null)[];
}
interface PartOptions extends KernelOptions {
  readonly scalars?: number;
  readonly isStep?: boolean;
}

/** The cotangent as it is. */
const identity: NumberExpression = (_e, g) => g;
/** Step functions: their gradient is zero and exists, as in PyTorch, so that backward through them is no error. */
const nothing: NumberExpression = (e) => e.constant(0);

/** An operation: kernels, gradient, method and function. */
function row(name: string, expression: NumberExpression | TruthExpression, options: KernelOptions & Partial<ElementwiseMethod> = {}): ElementwiseRow {
  const { parameters = {}, rounds = false, doc = "", ...kernel } = options;
  return { ...part(name, expression, { ...kernel, scalars: Object.keys(parameters).length }), method: { parameters, rounds, doc } };
}

/** The kernels and the gradient alone: a function or method written by hand runs them, with arguments that a row cannot describe. */
function part(name: string, expression: NumberExpression | TruthExpression, options: PartOptions = {}): ElementwiseRow {
  const { inputs = 1, scalars = 0, kind = "float", isStep = false, grad = [] } = options;
  const derivatives = Array.from({ length: inputs }, (_, by) => {
    const whole = grad[by];
    return whole ? derivative(`${name}'${by}`, whole, inputs + 2, scalars) : null;
  });
  return { name, inputs, scalars, kind, expression, derivatives, method: null, isStep };
}

/** Narrows a derivative over [cotangent, ...inputs, output, ...scalars] to the operands it reads. */
function derivative(name: string, whole: NumberExpression, tensors: number, scalars: number): DerivativeKernel {
  const operands = operandsUsed(whole, tensors + scalars).filter((i) => i < tensors);
  const expression: NumberExpression = <T, B>(e: Algebra<T, B>, ...given: T[]) => {
    const zero = e.constant(0);
    const all = Array.from({ length: tensors }, () => zero);
    operands.forEach((position, i) => (all[position] = given[i] ?? zero));
    return whole(e, ...all, ...given.slice(operands.length));
  };
  return { name, inputs: operands.length, scalars, kind: "float", expression, operands, identity: whole === identity };
}

// ── pieces that several rows share ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** 1/(1 + e^−x) without overflow on either side. */
function sigmoid<T, B>(e: Algebra<T, B>, x: T): T {
  const one = e.constant(1);
  const decay = e.exp(e.neg(e.abs(x)));
  const denominator = e.add(one, decay);
  return e.div(e.select(e.lt(x, e.constant(0)), decay, one), denominator);
}
/** log(1 + e^−|x|). */
function logTail<T, B>(e: Algebra<T, B>, x: T): T {
  return e.log1p(e.exp(e.neg(e.abs(x))));
}
function boundedLog<T, B>(e: Algebra<T, B>, x: T): T {
  return e.max(e.log(x), e.constant(-100));
}
function boundedLog1p<T, B>(e: Algebra<T, B>, x: T): T {
  return e.max(e.log1p(x), e.constant(-100));
}
/** Φ(x), the normal distribution's cumulative function. */
function normalCdf<T, B>(e: Algebra<T, B>, x: T): T {
  return e.mul(e.constant(0.5), e.add(e.constant(1), e.erf(e.mul(x, e.constant(Math.SQRT1_2)))));
}
/** 0 of NaN, as in PyTorch. */
function sign<T, B>(e: Algebra<T, B>, x: T): T {
  const zero = e.constant(0);
  return e.select(e.lt(zero, x), e.constant(1), e.select(e.lt(x, zero), e.constant(-1), zero));
}
/** max(x, 0), with NaN and −0 as they are. */
function positivePart<T, B>(e: Algebra<T, B>, x: T): T {
  const zero = e.constant(0);
  return e.select(e.lt(x, zero), zero, x);
}
/** x to the power of a scalar: C's pow, but for ½ and −½, which are roots of −∞ and of −0 too. */
function scalarPower<T, B>(e: Algebra<T, B>, x: T, s: T): T {
  const root = e.sqrt(x), inverse = e.div(e.constant(1), root);
  return e.select(e.eq(s, e.constant(0.5)), root, e.select(e.eq(s, e.constant(-0.5)), inverse, e.pow(x, s)));
}
/** As PyTorch's maximum and minimum: half of g to each side of a tie, all of it to both where one is NaN. */
function shareOfExtreme<T, B>(e: Algebra<T, B>, g: T, mine: T, other: T): T {
  const half = e.mul(g, e.constant(0.5));
  return e.select(e.eq(mine, other), half, e.select(e.lt(mine, other), e.constant(0), g));
}
/** The derivative of smooth-L1 and Huber losses by d = x − t: `outer` to either side of ±bound, `inner` between. Infinite d are outside. */
function betweenBounds<T, B>(e: Algebra<T, B>, d: T, bound: T, outer: T, inner: T): T {
  return e.select(e.le(d, e.neg(bound)), e.neg(outer), e.select(e.le(bound, d), outer, inner));
}
const tanhScale = Math.sqrt(2 / Math.PI), tanhCubic = 0.044715;
/** The inner function of GELU's tanh approximation: √(2/π)·(x + 0.044715·x³). */
function geluInner<T, B>(e: Algebra<T, B>, x: T): T {
  return e.mul(e.constant(tanhScale), e.add(x, e.mul(e.constant(tanhCubic), e.mul(x, e.mul(x, x)))));
}

// ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const arithmetic = [
  part("add", (e, a, b) => e.add(a, b), { inputs: 2, kind: "arithmetic", grad: [identity, identity] }),
  part("sub", (e, a, b) => e.sub(a, b), { inputs: 2, kind: "arithmetic", grad: [identity, (e, g) => e.neg(g)] }),
  part("mul", (e, a, b) => e.mul(a, b), { inputs: 2, kind: "arithmetic", grad: [(e, g, _a, b) => e.mul(g, b), (e, g, a) => e.mul(g, a)] }),
  part("div", (e, a, b) => e.div(a, b), {
    inputs: 2,
    grad: [(e, g, _a, b) => e.div(g, b), (e, g, _a, b, y) => e.neg(e.div(e.mul(g, y), b))],
  }),
  /** The product of all factors but one, from the product with every zero taken for 1 (of that one factor too), and how many of the others are
   *  zero and how many not finite: a zero makes it 0, or NaN beside an infinity or a NaN. */
  part("otherFactors", (e, product, factor, zeros, nonFinite) => {
    const zero = e.constant(0);
    return e.select(e.lt(zero, zeros), e.select(e.lt(zero, nonFinite), e.constant(NaN), zero), e.div(product, factor));
  }, {
    inputs: 4,
    isStep: true,
    grad: [
      (e, g, _product, factor, zeros) => e.select(e.lt(e.constant(0), zeros), e.constant(0), e.div(g, factor)),
      (e, g, _product, factor, zeros, _nonFinite, y) => e.select(e.lt(e.constant(0), zeros), e.constant(0), e.neg(e.div(e.mul(g, y), factor))),
      null, null,
    ],
  }),
  /** a/b, and 0 where b is 0: gradients that PyTorch defines as zero there. */
  part("safeDiv", (e, a, b) => e.select(e.eq(b, e.constant(0)), e.constant(0), e.div(a, b)), { inputs: 2, isStep: true }),
  part("pow", (e, a, b) => e.pow(a, b), {
    inputs: 2,
    grad: [
      (e, g, a, b) => e.select(e.eq(b, e.constant(0)), e.constant(0), e.mul(g, e.mul(b, e.pow(a, e.sub(b, e.constant(1)))))),
      (e, g, a, b, y) => {
        const zero = e.constant(0);
        return e.mul(g, e.select(e.and(e.eq(a, zero), e.le(zero, b)), zero, e.mul(y, e.log(a))));
      },
    ],
  }),
  row("maximum", (e, a, b) => e.max(a, b), {
    inputs: 2, kind: "arithmetic", grad: [(e, g, a, b) => shareOfExtreme(e, g, a, b), (e, g, a, b) => shareOfExtreme(e, g, b, a)],
  }),
  row("minimum", (e, a, b) => e.min(a, b), {
    inputs: 2, kind: "arithmetic",
    grad: [(e, g, a, b) => shareOfExtreme(e, g, e.neg(a), e.neg(b)), (e, g, a, b) => shareOfExtreme(e, g, e.neg(b), e.neg(a))],
  }),
  row("neg", (e, x) => e.neg(x), { kind: "arithmetic", grad: [(e, g) => e.neg(g)] }),
  row("abs", (e, x) => e.abs(x), { kind: "arithmetic", grad: [(e, g, x) => e.mul(g, sign(e, x))] }),
  row("sign", (e, x) => sign(e, x), { kind: "arithmetic", grad: [nothing] }),
  row("square", (e, x) => e.mul(x, x), {
    kind: "arithmetic",
    // 2·(g·x): 2·x alone may overflow where a mean's g brings it back.
    grad: [(e, g, x) => e.mul(e.constant(2), e.settled(e.mul(g, x)))],
  }),
  part("addScalar", (e, x, s) => e.add(x, s), { scalars: 1, kind: "arithmetic", grad: [identity] }),
  part("mulScalar", (e, x, s) => e.mul(x, s), { scalars: 1, kind: "arithmetic", grad: [(e, g, _x, _y, s) => e.mul(g, s)] }),
  part("divScalar", (e, x, s) => e.div(x, s), { scalars: 1, grad: [(e, g, _x, _y, s) => e.div(g, s)] }),
  /** scalar − x and scalar / x. */
  part("reverseSubScalar", (e, x, s) => e.sub(s, x), { scalars: 1, kind: "arithmetic", grad: [(e, g) => e.neg(g)] }),
  part("reverseDivScalar", (e, x, s) => e.div(s, x), { scalars: 1, grad: [(e, g, x, y) => e.neg(e.div(e.mul(g, y), x))] }),
  part("powScalar", (e, x, s) => scalarPower(e, x, s), {
    scalars: 1,
    grad: [(e, g, x, _y, s) => e.select(e.eq(s, e.constant(0)), e.constant(0), e.mul(g, e.mul(s, scalarPower(e, x, e.sub(s, e.constant(1))))))],
  }),
  /** x·scale + shift with per-channel operands broadcast by the caller. */
  part("mulAdd", (e, x, scale, shift) => e.add(e.mul(x, scale), shift), {
    inputs: 3, grad: [(e, g, _x, scale) => e.mul(g, scale), (e, g, x) => e.mul(g, x), identity],
  }),
  part("clamp", (e, x, low, high) => {
    const raised = e.select(e.lt(x, low), low, x);
    return e.select(e.lt(high, raised), high, raised);
  }, {
    scalars: 2, kind: "arithmetic",
    grad: [(e, g, x, _y, low, high) => e.select(e.and(e.le(low, x), e.le(x, high)), g, e.constant(0))],
  }),
];

const transcendental = [
  row("sqrt", (e, x) => e.sqrt(x), { grad: [(e, g, _x, y) => e.div(g, e.add(y, y))] }),
  row("rsqrt", (e, x) => e.div(e.constant(1), e.sqrt(x)), {
    grad: [(e, g, _x, y) => e.mul(e.mul(e.mul(e.constant(-0.5), g), y), e.mul(y, y))],
  }),
  row("reciprocal", (e, x) => e.div(e.constant(1), x), { grad: [(e, g, _x, y) => e.neg(e.mul(g, e.mul(y, y)))] }),
  row("exp", (e, x) => e.exp(x), { grad: [(e, g, _x, y) => e.mul(g, y)] }),
  row("expm1", (e, x) => e.expm1(x), { grad: [(e, g, _x, y) => e.mul(g, e.add(y, e.constant(1)))] }),
  row("log", (e, x) => e.log(x), { grad: [(e, g, x) => e.div(g, x)] }),
  row("log1p", (e, x) => e.log1p(x), { grad: [(e, g, x) => e.div(g, e.add(x, e.constant(1)))] }),
  row("sin", (e, x) => e.sin(x), { grad: [(e, g, x) => e.mul(g, e.cos(x))] }),
  row("cos", (e, x) => e.cos(x), { grad: [(e, g, x) => e.neg(e.mul(g, e.sin(x)))] }),
  row("tanh", (e, x) => e.tanh(x), { grad: [(e, g, _x, y) => e.mul(g, e.sub(e.constant(1), e.mul(y, y)))] }),
  row("erf", (e, x) => e.erf(x), {
    grad: [(e, g, x) => e.mul(g, e.mul(e.constant(2 / Math.sqrt(Math.PI)), e.exp(e.neg(e.mul(x, x)))))],
  }),
  row("floor", (e, x) => e.floor(x), { rounds: true, grad: [nothing] }),
  row("ceil", (e, x) => e.ceil(x), { rounds: true, grad: [nothing] }),
  row("trunc", (e, x) => e.select(e.lt(x, e.constant(0)), e.ceil(x), e.floor(x)), { rounds: true, doc: "Rounds towards zero.", grad: [nothing] }),
  row("round", (e, x) => e.round(x), { rounds: true, doc: "Halves go to the even neighbour.", grad: [nothing] }),
];

const activations = [
  row("relu", (e, x) => positivePart(e, x), {
    kind: "arithmetic", grad: [(e, g, _x, y) => e.select(e.le(y, e.constant(0)), e.constant(0), g)],
  }),
  row("leakyRelu", (e, x, slope) => e.select(e.lt(e.constant(0), x), x, e.mul(x, slope)), {
    parameters: { negativeSlope: 0.01 }, grad: [(e, g, x, _y, slope) => e.select(e.lt(e.constant(0), x), g, e.mul(g, slope))],
  }),
  row("sigmoid", (e, x) => sigmoid(e, x), { grad: [(e, g, _x, y) => e.mul(g, e.mul(y, e.sub(e.constant(1), y)))] }),
  row("logSigmoid", (e, x) => e.sub(e.min(x, e.constant(0)), logTail(e, x)), { grad: [(e, g, x) => e.mul(g, sigmoid(e, e.neg(x)))] }),
  row("softplus", (e, x) => e.add(positivePart(e, x), logTail(e, x)), { grad: [(e, g, x) => e.mul(g, sigmoid(e, x))] }),
  row("silu", (e, x) => e.mul(x, sigmoid(e, x)), {
    grad: [(e, g, x) => {
      const s = sigmoid(e, x);
      return e.mul(g, e.mul(s, e.add(e.constant(1), e.mul(x, e.sub(e.constant(1), s)))));
    }],
  }),
  part("gelu", (e, x) => e.mul(x, normalCdf(e, x)), {
    grad: [(e, g, x) => {
      const density = e.mul(e.constant(1 / Math.sqrt(2 * Math.PI)), e.exp(e.mul(e.constant(-0.5), e.mul(x, x))));
      return e.mul(g, e.add(normalCdf(e, x), e.mul(x, density)));
    }],
  }),
  part("geluTanh", (e, x) => e.mul(e.mul(e.constant(0.5), x), e.add(e.constant(1), e.tanh(geluInner(e, x)))), {
    grad: [(e, g, x) => {
      const one = e.constant(1), half = e.constant(0.5), t = e.tanh(geluInner(e, x));
      const slope = e.mul(e.constant(tanhScale), e.add(one, e.mul(e.constant(3 * tanhCubic), e.mul(x, x))));
      const left = e.mul(half, e.add(one, t));
      const right = e.mul(e.mul(half, x), e.mul(e.sub(one, e.mul(t, t)), slope));
      return e.mul(g, e.add(left, right));
    }],
  }),
  /** max(x, 0) − x·t + log1p(e^−|x|): binary cross-entropy of logits x against targets t; its derivative by x is σ(x) − t. The first two terms
   *  are one product on either side of 0, since of an infinite x their difference would be NaN. */
  part("bceWithLogits", (e, x, t) => {
    const linear = e.select(e.lt(x, e.constant(0)), e.neg(e.mul(x, t)), e.mul(x, e.sub(e.constant(1), t)));
    return e.add(linear, logTail(e, x));
  }, {
    inputs: 2, grad: [(e, g, x, t) => e.mul(g, e.sub(sigmoid(e, x), t)), (e, g, x) => e.neg(e.mul(g, x))],
  }),
  /** −t·log p − (1 − t)·log(1 − p) of probabilities p, each logarithm at least −100 and each division by at least 1e-12, as PyTorch has it. */
  part("bce", (e, p, t) => e.sub(e.mul(e.sub(t, e.constant(1)), boundedLog1p(e, e.neg(p))), e.mul(t, boundedLog(e, p))), {
    inputs: 2,
    grad: [
      (e, g, p, t) => e.div(e.mul(g, e.sub(p, t)), e.max(e.mul(p, e.sub(e.constant(1), p)), e.constant(1e-12))),
      (e, g, p) => e.mul(g, e.sub(e.log1p(e.neg(p)), e.log(p))),
    ],
  }),
  /** d²/(2·beta) where |d| < beta, else |d| − beta/2, for d = x − t. */
  part("smoothL1", (e, x, t, beta) => {
    const d = e.sub(x, t), distance = e.abs(d), half = e.constant(0.5);
    return e.select(e.lt(distance, beta), e.div(e.mul(e.mul(half, d), d), beta), e.sub(distance, e.mul(half, beta)));
  }, {
    inputs: 2, scalars: 1,
    grad: [
      (e, g, x, t, _y, beta) => betweenBounds(e, e.sub(x, t), beta, g, e.div(e.mul(g, e.sub(x, t)), beta)),
      (e, g, x, t, _y, beta) => e.neg(betweenBounds(e, e.sub(x, t), beta, g, e.div(e.mul(g, e.sub(x, t)), beta))),
    ],
  }),
  /** d²/2 where |d| ≤ delta, else delta·(|d| − delta/2), for d = x − t. */
  part("huber", (e, x, t, delta) => {
    const d = e.sub(x, t), distance = e.abs(d), half = e.constant(0.5);
    return e.select(e.le(distance, delta), e.mul(e.mul(half, d), d), e.mul(delta, e.sub(distance, e.mul(half, delta))));
  }, {
    inputs: 2, scalars: 1,
    grad: [
      (e, g, x, t, _y, delta) => betweenBounds(e, e.sub(x, t), delta, e.mul(g, delta), e.mul(g, e.sub(x, t))),
      (e, g, x, t, _y, delta) => e.neg(betweenBounds(e, e.sub(x, t), delta, e.mul(g, delta), e.mul(g, e.sub(x, t)))),
    ],
  }),
];

/** σ(x)·(1 − σ(x)), the sigmoid's slope. */
function sigmoidSlope<T, B>(e: Algebra<T, B>, x: T): T {
  const s = sigmoid(e, x);
  return e.mul(s, e.sub(e.constant(1), s));
}
/** 1 − tanh², from tanh: its slope. */
function tanhSlope<T, B>(e: Algebra<T, B>, tanh: T): T {
  return e.sub(e.constant(1), e.mul(tanh, tanh));
}

/** What a step of a recurrent layer does with the sums of its gates; nn/functional/recurrent.ts puts them together. */
const recurrent = [
  /** c′ = σ(f)·c + σ(i)·tanh(g) */
  part("lstmCell", (e, i, f, g, c) => e.add(e.mul(sigmoid(e, f), c), e.mul(sigmoid(e, i), e.tanh(g))), {
    inputs: 4,
    grad: [
      (e, grad, i, _f, g) => e.mul(grad, e.mul(sigmoidSlope(e, i), e.tanh(g))),
      (e, grad, _i, f, _g, c) => e.mul(grad, e.mul(sigmoidSlope(e, f), c)),
      (e, grad, i, _f, g) => e.mul(grad, e.mul(sigmoid(e, i), tanhSlope(e, e.tanh(g)))),
      (e, grad, _i, f) => e.mul(grad, sigmoid(e, f)),
    ],
  }),
  /** h′ = σ(o)·tanh(c′) */
  part("lstmHidden", (e, o, c) => e.mul(sigmoid(e, o), e.tanh(c)), {
    inputs: 2,
    grad: [
      (e, grad, o, c) => e.mul(grad, e.mul(sigmoidSlope(e, o), e.tanh(c))),
      (e, grad, o, c) => e.mul(grad, e.mul(sigmoid(e, o), tanhSlope(e, e.tanh(c)))),
    ],
  }),
  /** n = tanh(x_n + σ(r)·h_n) */
  part("gruCandidate", (e, r, xn, hn) => e.tanh(e.add(xn, e.mul(sigmoid(e, r), hn))), {
    inputs: 3,
    grad: [
      (e, grad, r, _xn, hn, n) => e.mul(e.mul(grad, tanhSlope(e, n)), e.mul(sigmoidSlope(e, r), hn)),
      (e, grad, _r, _xn, _hn, n) => e.mul(grad, tanhSlope(e, n)),
      (e, grad, r, _xn, _hn, n) => e.mul(e.mul(grad, tanhSlope(e, n)), sigmoid(e, r)),
    ],
  }),
  /** h′ = (1 − σ(z))·n + σ(z)·h */
  part("gruHidden", (e, z, n, h) => e.add(n, e.mul(sigmoid(e, z), e.sub(h, n))), {
    inputs: 3,
    grad: [
      (e, grad, z, n, h) => e.mul(grad, e.mul(sigmoidSlope(e, z), e.sub(h, n))),
      (e, grad, z) => e.mul(grad, sigmoid(e, e.neg(z))),
      (e, grad, z) => e.mul(grad, sigmoid(e, z)),
    ],
  }),
];

const comparisons = [
  row("lt", (e, a, b) => e.lt(a, b), { inputs: 2, kind: "compare" }),
  row("le", (e, a, b) => e.le(a, b), { inputs: 2, kind: "compare" }),
  row("gt", (e, a, b) => e.lt(b, a), { inputs: 2, kind: "compare" }),
  row("ge", (e, a, b) => e.le(b, a), { inputs: 2, kind: "compare" }),
  row("eq", (e, a, b) => e.eq(a, b), { inputs: 2, kind: "compare" }),
  row("ne", (e, a, b) => e.ne(a, b), { inputs: 2, kind: "compare" }),
  row("isnan", (e, x) => e.isNaN(x), { kind: "compare" }),
  row("logicalAnd", (e, a, b) => e.and(e.truth(a), e.truth(b)), { inputs: 2, kind: "logic" }),
  row("logicalOr", (e, a, b) => e.or(e.truth(a), e.truth(b)), { inputs: 2, kind: "logic" }),
  row("logicalNot", (e, x) => e.not(e.truth(x)), { kind: "logic" }),
  part("where", (e, condition, a, b) => e.select(e.truth(condition), a, b), {
    inputs: 3, kind: "choose",
    grad: [null, (e, g, condition) => e.select(e.truth(condition), g, e.constant(0)), (e, g, condition) => e.select(e.truth(condition), e.constant(0), g)],
  }),
];

/** Every row by its name. The order is the order in which devices generate their code. */
export const elementwiseRows: ReadonlyMap<string, ElementwiseRow> = new Map(
  [...arithmetic, ...transcendental, ...activations, ...recurrent, ...comparisons].map((r) => [r.name, r]),
);

/** The row of that name, which must exist. */
export function elementwiseRow(name: string): ElementwiseRow {
  const found = elementwiseRows.get(name);
  if (found === undefined) throw new RangeError(`There is no element-wise row "${name}".`);
  return found;
}

/** Rows and derivatives together: every kernel a device must be able to run. */
export function elementwiseKernels(): ElementwiseKernel[] {
  return [...elementwiseRows.values()].flatMap((r) => [r, ...r.derivatives.filter((d) => d !== null && !d.identity)]) as ElementwiseKernel[];
}
