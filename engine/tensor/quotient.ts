// Quotients rounded to whole numbers: div with a roundingMode. A float32 quotient can round up to a whole number that the true one does not
// reach (1 / 0.1 gives 10, and 9 is right, for 0.1 lies a little above a tenth), so that "floor" looks at the exact remainder, as PyTorch does.
import { arithmeticDType, promote } from "../dtype.js";
import { noGrad } from "../gradMode.js";
import { argumentError } from "../scope.js";
import type { Tensor } from "./tensor.js";
import { tidy } from "./tidy.js";

export type RoundingMode = "trunc" | "floor";

export function roundedQuotient(a: Tensor, b: Tensor, mode: RoundingMode): Tensor {
  const dtype = arithmeticDType("div", promote(a.dtype, b.dtype));
  if (dtype === "int32") return noGrad(() => tidy(() => wholeQuotient(a.int(), b.int(), mode)));
  return tidy(() => {
    const [x, y] = [a.float(), b.float()], quotient = x.div(y);
    return mode === "trunc" ? truncated(quotient) : quotient.floor().sub(noGrad(() => excess(x, y)));
  });
}

function truncated(x: Tensor): Tensor {
  return x.floor().where(x.ge(0), x.ceil());
}
function unlike(a: Tensor, b: Tensor): Tensor {
  return a.lt(0).logicalAnd(b.gt(0)).logicalOr(a.gt(0).logicalAnd(b.lt(0)));
}

/** 1 where ⌊x/y⌋ as computed is one too large, NaN where x is infinite (as fmod has it), else 0. */
function excess(x: Tensor, y: Tensor): Tensor {
  const quotient = x.div(y).floor();
  const remainder = exactRemainder(x, quotient, y);
  const over = unlike(remainder, y).logicalOr(quotient.eq(0).logicalAnd(unlike(x, y)));
  return over.float().maskedFill(x.abs().eq(Infinity).logicalAnd(y.ne(0)), NaN);
}
/** x − q·y with the product in two parts (Dekker 1971), whose first is so close to x that the difference is exact. */
function exactRemainder(x: Tensor, q: Tensor, y: Tensor): Tensor {
  const product = q.mul(y), [qHigh, qLow] = halves(q), [yHigh, yLow] = halves(y);
  const rest = qHigh.mul(yHigh).sub(product).add(qHigh.mul(yLow)).add(qLow.mul(yHigh)).add(qLow.mul(yLow));
  return x.sub(product).sub(rest);
}
/** x as a sum of two numbers of 12 bits each (Veltkamp). */
function halves(x: Tensor): [Tensor, Tensor] {
  const spread = x.mul(4097), high = spread.sub(spread.sub(x));
  return [high, x.sub(high)];
}

/** int32: an estimate in float32, improved by the quotient of what it leaves over, and by one where that is still outside the divisor. */
function wholeQuotient(a: Tensor, b: Tensor, mode: RoundingMode): Tensor {
  if (!b.device.asynchronous && (b.eq(0).any().dataSync()[0] ?? 0) !== 0) {
    throw argumentError("div", "got a zero among the int32 divisors; expected others (call .float() for infinities).");
  }
  const estimate = truncated(a.float().div(b.float())).int();
  const nearly = estimate.add(truncated(a.sub(estimate.mul(b)).float().div(b.float())).int());
  const rest = a.sub(nearly.mul(b));
  const past = b.gt(0).logicalAnd(rest.ge(b)).logicalOr(b.lt(0).logicalAnd(rest.le(b)));
  const floor = nearly.sub(unlike(rest, b).int()).add(past.int());
  if (mode === "floor") return floor;
  return floor.add(unlike(a, b).logicalAnd(floor.mul(b).ne(a)).int());
}
