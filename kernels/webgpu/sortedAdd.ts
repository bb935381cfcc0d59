// out's slice index[j] += src's slice j for many indices (the gradient of an embedding), on hardware GPUs: the pairs (index, j) are sorted by index,
// stably, and each run of one index is added in ascending j: the order that every device adds in, so the same bits, without float atomics.
//
// The sort is a radix sort of four bits a round (Satish, Harris & Garland 2009): each workgroup counts the digits of its 256 pairs, one
// workgroup sums the counts over digits and workgroups, and each pair goes to the place that its digit's sum and its rank in its workgroup give.
import { numel } from "../shape.js";
import type { View } from "../types.js";
import { dispatchElements, dispatchKernel } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";

const bits = 4;
const digits = 2 ** bits;
const block = 256;

/** Indices from which sorting beats walking through them all for every column. */
export const leastIndices = 1024;
/** The counts of all workgroups are summed by one. */
export const mostIndices = 2 ** 22;

interface Slices {
  readonly outer: number;
  /** Slices of out along the dimension. */
  readonly limit: number;
  readonly inner: number;
}

export function sortedAdd(runtime: WebGPURuntime, out: View, index: View, src: View, { outer, limit, inner }: Slices): void {
  const count = numel(index.shape), blocks = Math.ceil(count / block);
  // Key `limit` marks a bad index: it sorts to the end and is left out.
  const rounds = Math.ceil(Math.log2(limit + 1) / bits) || 1;
  const scratch = (length: number) => runtime.temporary(length, "int32");
  let from = { keys: scratch(count), places: scratch(count) }, to = { keys: scratch(count), places: scratch(count) };
  const counts = scratch(digits * blocks);
  dispatchElements(runtime, count, {
    name: "indexAdd, keys",
    constants: [],
    inputs: { index },
    outputs: from,
    params: { limit },
    reportsIndices: true,
    body: () => `
  let chosen = index[params.indexOffset + i];
  let bad = chosen < 0 || chosen >= i32(params.limit);
  if (bad) { reportBadIndex(chosen, params.limit); }
  keys[i] = select(chosen, i32(params.limit), bad);
  places[i] = i32(i);`,
  });
  for (let round = 0; round < rounds; round++) {
    const shift = round * bits;
    dispatchKernel(runtime, {
      name: "indexAdd, count digits", constants: [], inputs: { keys: from.keys }, outputs: { counts }, params: { count, blocks, shift },
      workgroups: blocks, body: () => countCode,
    });
    dispatchKernel(runtime, {
      name: "indexAdd, sum counts", constants: [], inputs: {}, outputs: { counts }, params: { count: digits * blocks }, workgroups: 1, body: () => sumCode,
    });
    dispatchKernel(runtime, {
      name: "indexAdd, sort by digit", constants: [], inputs: { keys: from.keys, places: from.places, counts },
      outputs: { sortedKeys: to.keys, sortedPlaces: to.places }, params: { count, blocks, shift }, workgroups: blocks, body: () => sortCode,
    });
    [from, to] = [to, from];
  }
  addRuns(runtime, out, src, from, { outer, limit, inner }, count);
  for (const view of [from.keys, from.places, to.keys, to.places, counts]) runtime.releaseTemporary(view);
}

/** One invocation for each sorted pair and inner element: the first of a run adds the whole run, the others have nothing to do. */
function addRuns(runtime: WebGPURuntime, out: View, src: View, sorted: { keys: View; places: View }, { outer, limit, inner }: Slices, count: number): void {
  dispatchElements(runtime, outer * count * inner, {
    name: "indexAdd, add runs",
    constants: [],
    inputs: { ...sorted, src },
    outputs: { out },
    params: { chosenCount: count, inner, limit },
    body: () => `
  let position = i % params.inner;
  let first = (i / params.inner) % params.chosenCount;
  let outside = i / (params.inner * params.chosenCount);
  let key = keys[first];
  if (u32(key) >= params.limit || (first > 0u && keys[max(first, 1u) - 1u] == key)) { return; }
  let place = params.outOffset + (outside * params.limit + u32(key)) * params.inner + position;
  var total = out[place];
  for (var k = first; k < params.chosenCount && keys[k] == key; k++) {
    total += src[params.srcOffset + (outside * params.chosenCount + u32(places[k])) * params.inner + position];
  }
  out[place] = total;`,
  });
}

const place = "let i = linearWorkgroup(workgroup, grid) * 256u + lane;";
const main = `@compute @workgroup_size(${block})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) lane: u32) {`;

/** counts[digit, workgroup], by integer atomics: whole numbers add up to the same in any order. */
const countCode = `
var<workgroup> found: array<atomic<u32>, ${digits}>;
${main}
  ${place}
  if (i < params.count) { atomicAdd(&found[(u32(keys[i]) >> params.shift) & ${digits - 1}u], 1u); }
  workgroupBarrier();
  let number = linearWorkgroup(workgroup, grid);
  if (lane < ${digits}u && number < params.blocks) { counts[lane * params.blocks + number] = i32(atomicLoad(&found[lane])); }
}
`;

/** Each count becomes the sum of those before it: every lane sums its share, then adds what the lanes before it have. */
const sumCode = `
var<workgroup> shares: array<i32, ${block}>;
${main}
  let length = (params.count + ${block - 1}u) / ${block}u;
  let first = min(lane * length, params.count);
  let last = min(first + length, params.count);
  var share = 0;
  for (var k = first; k < last; k++) { share += counts[k]; }
  shares[lane] = share;
  workgroupBarrier();
  var before = 0;
  for (var other = 0u; other < lane; other++) { before += shares[other]; }
  for (var k = first; k < last; k++) {
    let own = counts[k];
    counts[k] = before;
    before += own;
  }
}
`;

/** A pair's rank among those of its digit in its workgroup is the number of equal digits before it. */
const sortCode = `
var<workgroup> held: array<u32, ${block}>;
${main}
  ${place}
  let exists = i < params.count;
  var digit = ${digits}u;
  if (exists) { digit = (u32(keys[i]) >> params.shift) & ${digits - 1}u; }
  held[lane] = digit;
  workgroupBarrier();
  if (!exists) { return; }
  var rank = 0u;
  for (var other = 0u; other < lane; other++) { rank += u32(held[other] == digit); }
  let target_ = u32(counts[digit * params.blocks + linearWorkgroup(workgroup, grid)]) + rank;
  sortedKeys[target_] = keys[i];
  sortedPlaces[target_] = places[i];
}
`;
