// The maximum of a row of logits and the sum of e^(x − maximum), as WGSL: what softmax and cross-entropy both begin with. Software adapters read the row
// for the one and again for the other. Hardware reads it once (Milakov & Gimelshein 2018): each lane keeps the maximum so far and the sum relative to
// it, and the lanes' sums are brought to the row's maximum at the end, in a fixed order.
import { loadsInFlight, type Place } from "./inFlight.js";
import { type RowPlan, rowLoop } from "./workgroupTotals.js";

/** WGSL that exponentialsCode needs before main. `decay` is e^x of x ≤ 0 in a third of exponential's instructions: where the result is a denormal it is
 *  0, and of NaN it is anything, for a row with a NaN has the sum NaN. The whole number n nearest to x/ln 2 is what an addition of 1.5·2²³ leaves in
 *  the last bits. `larger` likewise looks for no NaN. */
export const rowExponentialHelpers = ({ steps }: RowPlan): string => (steps === 1 ? "" : `
fn larger(a: f32, b: f32) -> f32 { return select(a, b, b > a); }
fn decay(x: f32) -> f32 {
  let bounded = select(x, -87.0, x < -87.0);
  let shifted = fma(bounded, 1.44269504089, 12582912.0);
  let n = settled(shifted) - 12582912.0;
  let grown = 1.0 + expm1Reduced(fma(n, 2.12194440e-4, fma(n, -0.693359375, bounded)));
  let scaled = bitcast<f32>(bitcast<u32>(grown) + (bitcast<u32>(shifted) << 23u));
  return select(scaled, 0.0, x < -87.0);
}
`);

/** WGSL, in a row of logits x from `first` on: its `largest` and the `total` of e^(x − largest), which is NaN where the row holds NaN or +∞ or nothing
 *  but −∞. */
export function exponentialsCode(plan: RowPlan): string {
  return plan.steps === 1 ? inTwoReadings(plan) : inOneReading(plan);
}

/** WGSL of e^(x − largest), after exponentialsCode. */
export const exponentialOf = ({ steps }: RowPlan, x: string): string => `${steps === 1 ? "exponential" : "decay"}(${x} - largest)`;

const logits = (at: string): string[] => [`x[params.xOffset + ${at}]`];

function inTwoReadings(plan: RowPlan): string {
  return `
  var best = x[params.xOffset + first];
  ${rowLoop(plan, logits, ({ values: [x] }) => `best = maximum(best, ${x});`)}
  let largest = maxOfRow(best, lane);
  var share = 0.0;
  ${rowLoop(plan, logits, ({ values: [x] }) => `share += exponential(${x} - largest);`)}
  let total = sumOfRow(share, lane);`;
}

/** The maximum starts at the least finite number, so that no −∞ is ever taken from −∞. */
function inOneReading({ lanesPerRow, steps }: RowPlan): string {
  return `
  var best = -3.4028234e38;
  var share = 0.0;
  var magnitude = 0u; // bits: past those of ∞ where a NaN was met
  ${loadsInFlight({
    first: lanesPerRow === 1 ? "0u" : "lane", end: "params.length", stride: lanesPerRow, steps,
    read: (k) => logits(`first + ${k} * params.inner`),
    use: foldRound,
  })}
  let largest = maxOfRow(select(best, notANumber(), magnitude > 0x7f800000u), lane);
  let sum = sumOfRow(share * decay(best - largest), lane);
  let total = select(sum, notANumber(), isNonFinite(largest) || sum < 0.5);`;
}

function foldRound(places: readonly Place[]): string {
  const values = places.map(({ values: [x = ""], inside }, j) => ({ name: `v${j}`, code: inside === null ? x : `select(-infinityOf(), ${x}, ${inside})` }));
  const names = values.map(({ name }) => name);
  const tree = (parts: readonly string[], join: (a: string, b: string) => string): string => {
    if (parts.length === 1) return parts[0] ?? "";
    const half = Math.ceil(parts.length / 2);
    return join(tree(parts.slice(0, half), join), tree(parts.slice(half), join));
  };
  return `${values.map(({ name, code }) => `let ${name} = ${code};`).join(" ")}
      magnitude = max(magnitude, ${tree(names.map((v) => `(bitcast<u32>(${v}) & 0x7fffffffu)`), (a, b) => `max(${a}, ${b})`)});
      let fresh = larger(best, ${tree(names, (a, b) => `larger(${a}, ${b})`)});
      share = share * decay(best - fresh) + ${tree(names.map((v) => `decay(${v} - fresh)`), (a, b) => `(${a} + ${b})`)};
      best = fresh;`;
}
