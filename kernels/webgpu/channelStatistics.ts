// Mean and sum of squared deviations of a channel, as WGSL: never E[x²] − E[x]², and of a constant channel exactly its value and 0.
//
// Software adapters read the channel once for a mean that is summed exactly and again for the deviations. Hardware reads it once: a lane takes the
// moments of what it has under way, relative to the first of them, and joins them to those of what it had before; the lanes' are combined at the end,
// those of parts in the next dispatch (Welford 1962, Chan et al. 1979). Of equal numbers every difference in that is 0; numbers that are not finite make
// the mean that their sum has.
import { type Channels, componentSum, elementOf, typeOf, walkChannel } from "./channels.js";
import { exactSumCode, exactTotalCode, quotientCode } from "./exactSums.js";
import type { Place } from "./inFlight.js";

const nearestFinite = "fn finite(x: f32) -> f32 { return select(x, 0.0, isNonFinite(x)); }\n";
const ofFour = `
fn settled4(x: vec4f) -> vec4f { return bitcast<vec4f>(bitcast<vec4u>(x) ^ vec4u(params.zeroBits)); }
fn isNonFinite4(x: vec4f) -> vec4<bool> { return (bitcast<vec4u>(x) & vec4u(0x7f800000u)) == vec4u(0x7f800000u); }
fn finite4(x: vec4f) -> vec4f { return select(x, vec4f(0.0), isNonFinite4(x)); }
`;

/** What statisticsCode needs before main. */
export function statisticsHelpers(sizes: Channels): string {
  if (sizes.steps === 1) return exactSumCode + exactTotalCode(sizes.lanes) + quotientCode;
  const type = typeOf(sizes), isNonFinite = sizes.width === 4 ? "isNonFinite4" : "isNonFinite";
  return `${nearestFinite}${sizes.width === 4 ? ofFour : ""}
var<workgroup> meanOfFirst: f32;
struct Moments { mean: ${type}, squares: ${type}, count: f32 }
fn joined(a: Moments, b: Moments) -> Moments {
  if (a.count == 0.0) { return b; }
  let count = a.count + b.count;
  let distance = b.mean - a.mean;
  let mean = select(a.mean + distance * (b.count / count), a.mean + b.mean, ${isNonFinite}(a.mean) | ${isNonFinite}(b.mean));
  return Moments(mean, a.squares + b.squares + distance * distance * (a.count * b.count / count), count);
}
`;
}

/** WGSL: `centre` and `squares` (Σ of squared deviations) of the images first … last − 1. */
export function statisticsCode(sizes: Channels): string {
  return sizes.steps === 1 ? inTwoReadings(sizes) : inOneReading(sizes);
}

function inTwoReadings(sizes: Channels): string {
  const read = (at: string) => [elementOf(sizes, "x", at)];
  return `
  var sum = vec2f(0.0);
  ${walkChannel(sizes, read, ([place]) => `sum = addExactly(sum, vec2f(${place?.values[0]}, 0.0));`)}
  let centre = quotientOf(exactSumOfLanes(sum, lane), f32((last - first) * ${sizes.inner}u));
  var deviations = 0.0;
  ${walkChannel(sizes, read, ([place]) => `let d = ${place?.values[0]} - centre; deviations += d * d;`)}
  let squares = sumOfLanes(deviations, lane);
`;
}

function inOneReading(sizes: Channels): string {
  const { width, inner } = sizes;
  return `
  var own = Moments(${typeOf(sizes)}(0.0), ${typeOf(sizes)}(0.0), 0.0);
  ${walkChannel(sizes, (at) => [elementOf(sizes, "x", at)], (places) => joinRound(sizes, places))}
  let seen = own.count * ${width}.0;
  ${width === 1 ? "let ownMean = own.mean;\n  let ownSquares = own.squares;" : `
  let middle = finite(own.mean.x);
  let away = settled4(own.mean - middle);
  let ownMean = middle + ${componentSum(sizes, "away")} * 0.25;
  let aside = away - ${componentSum(sizes, "away")} * 0.25;
  let ownSquares = ${componentSum(sizes, "(own.squares + own.count * (aside * aside))")};`}
  if (lane == 0u) { meanOfFirst = finite(ownMean); }
  workgroupBarrier();
  let start = meanOfFirst;
  let centre = start + sumOfLanes(select(0.0, seen * settled(ownMean - start), seen > 0.0), lane) / f32((last - first) * ${inner}u);
  let distance = ownMean - centre;
  let squares = sumOfLanes(select(0.0, ownSquares + seen * distance * distance, seen > 0.0), lane);
`;
}

/** Joins a round of places: all at once where all are inside, else one by one. */
function joinRound(sizes: Channels, places: readonly Place[]): string {
  const values = places.map(({ values: [x = ""] }) => x), four = sizes.width === 4 ? "4" : "";
  if (places.some(({ inside }) => inside !== null) || values.length === 1) {
    return places.map(({ values: [x], inside }) => (
      `${inside === null ? "" : `if ${inside} `}{ own = joined(own, Moments(${x}, ${typeOf(sizes)}(0.0), 1.0)); }`)).join("\n      ");
  }
  const deviations = values.map((_, j) => `(d${j} - beyond) * (d${j} - beyond)`);
  return `let origin = finite${four}(${values[0]});
      ${values.map((x, j) => `let d${j} = settled${four}(${x} - origin);`).join(" ")}
      let beyond = (${values.map((_, j) => `d${j}`).join(" + ")}) * ${1 / values.length};
      own = joined(own, Moments(origin + beyond, ${deviations.join(" + ")}, ${values.length}.0));`;
}

/** What combinedStatisticsCode needs before main. */
export const combinedStatisticsHelpers = nearestFinite;

/** WGSL: the same of all images, from the parts' statistics: means as distances from the first, since those of a constant are 0. */
export function combinedStatisticsCode({ inner, lanes }: Channels): string {
  const each = (body: string) => `
  for (var p = lane; p < params.parts; p += ${lanes}u) {
    let size = f32(imagesOf(p) * ${inner}u);
    let partMean = statistics[2u * (channel * params.parts + p)];
    ${body}
  }`;
  return `
  let firstMean = finite(statistics[2u * channel * params.parts]);
  var weighted = 0.0;${each("weighted += size * (partMean - firstMean);")}
  let centre = firstMean + sumOfLanes(weighted, lane) / f32(params.batch * ${inner}u);
  var partSquares = 0.0;${each("partSquares += statistics[2u * (channel * params.parts + p) + 1u] + size * (partMean - centre) * (partMean - centre);")}
  let squares = sumOfLanes(partSquares, lane);
`;
}
