// Softmax cross-entropy of logits [rows, classes] against labels: (1 − ε)·w[label]·(−log p[label]) + ε/C·Σ_c w[c]·(−log p[c]). The caller has
// checked the labels and sums the rows. A class of weight 0 has no share, even where its logit is −∞.
import { exp, log } from "./math";
import { bytes, loadUpTo, splat, storeUpTo, sumLanes } from "./simd";

@inline
function largestLogit(row: usize, classes: i32): f32 {
  let most = splat(-Infinity);
  for (let c = 0; c < classes; c += 4) most = f32x4.max(most, loadUpTo(row + bytes(c), classes - c, splat(-Infinity)));
  return max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
}

@inline
function sumOfExponentials(row: usize, classes: i32, largest: f32): f32 {
  let sum = splat(0);
  for (let c = 0; c < classes; c += 4) {
    sum = f32x4.add(sum, exp(f32x4.sub(loadUpTo(row + bytes(c), classes - c, splat(-Infinity)), splat(largest))));
  }
  return sumLanes(sum);
}

/** The weights of four classes; lanes past the last one weigh nothing. */
@inline
function weightsAt(weight: usize, c: i32, classes: i32): v128 {
  const left = classes - c;
  if (weight) return loadUpTo(weight + bytes(c), left, splat(0));
  return v128.and(splat(1), i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(left)));
}
@inline
function weightOf(weight: usize, label: i32): f32 {
  return weight ? load<f32>(weight + bytes(label)) : 1;
}

/** Losses and label weights of the rows, both 0 where the label is ignored. */
export function crossEntropyRows(
  begin: i32, end: i32, scratch: usize, losses: usize, weights: usize, x: usize, labels: usize, weight: usize, classes: i32, ignoreIndex: i32,
  smoothing: f32,
): void {
  const share = smoothing / <f32>classes;
  for (let row = begin; row < end; row++) {
    const label = load<i32>(labels + bytes(row));
    let loss: f32 = 0, own: f32 = 0;
    if (label != ignoreIndex) {
      const logits = x + bytes(row) * <usize>classes;
      own = weightOf(weight, label);
      const largest = largestLogit(logits, classes);
      const logTotal = f32x4.extract_lane(log(splat(sumOfExponentials(logits, classes, largest))), 0);
      if (own != 0 && smoothing < 1) loss = (<f32>1 - smoothing) * own * (logTotal - (load<f32>(logits + bytes(label)) - largest));
      if (smoothing > 0) loss += share * smoothed(logits, weight, classes, largest, logTotal);
    }
    store<f32>(losses + bytes(row), loss);
    store<f32>(weights + bytes(row), own);
  }
}

/** Σ_c w[c]·(−log p[c]). */
@inline
function smoothed(logits: usize, weight: usize, classes: i32, largest: f32, logTotal: f32): f32 {
  let sum = splat(0);
  for (let c = 0; c < classes; c += 4) {
    const distance = f32x4.sub(loadUpTo(logits + bytes(c), classes - c, splat(0)), splat(largest));
    const w = weightsAt(weight, c, classes);
    sum = f32x4.add(sum, v128.andnot(f32x4.mul(w, f32x4.sub(splat(logTotal), distance)), f32x4.eq(w, splat(0))));
  }
  return sumLanes(sum);
}

/** gradX = cotangent·(p·Σ shares − share); cotangents step by 4 bytes (reduction none) or 0, and are divided by `divisor`. */
export function crossEntropyBackwardRows(
  begin: i32, end: i32, scratch: usize, gradX: usize, cotangents: usize, cotangentStep: i32, divisor: f32, x: usize, labels: usize,
  weight: usize, classes: i32, ignoreIndex: i32, smoothing: f32, weightSum: f32,
): void {
  const share = smoothing / <f32>classes;
  for (let row = begin; row < end; row++) {
    const logits = x + bytes(row) * <usize>classes, target = gradX + bytes(row) * <usize>classes;
    const label = load<i32>(labels + bytes(row));
    if (label == ignoreIndex) {
      memory.fill(target, 0, bytes(classes));
      continue;
    }
    const cotangent = load<f32>(cotangents + <usize>row * <usize>cotangentStep) / divisor;
    const own = (<f32>1 - smoothing) * weightOf(weight, label);
    const largest = largestLogit(logits, classes);
    const scale = splat((own + share * weightSum) / sumOfExponentials(logits, classes, largest));
    for (let c = 0; c < classes; c += 4) {
      const left = classes - c;
      const e = exp(f32x4.sub(loadUpTo(logits + bytes(c), left, splat(0)), splat(largest)));
      const shares = smoothing > 0 ? f32x4.mul(splat(share), weightsAt(weight, c, classes)) : splat(0);
      storeUpTo(target + bytes(c), f32x4.mul(splat(cotangent), f32x4.sub(f32x4.mul(e, scale), shares)), left);
    }
    const labelled = target + bytes(label);
    store<f32>(labelled, load<f32>(labelled) - cotangent * own);
  }
}
