// A convolution and its input gradient in the blocked product of hardware GPUs (workgroupTile.ts): rows are channels, columns pixels of the
// target, terms the pairs of tap and source channel. One small dispatch brings the weights into the order of the terms,
//   ordered[group, slot, depth, row]  (a slot is a tap of a phase, in the order in which the phases use them; rows padded to four),
// so that they are read by vec4. A thread's four neighbouring columns are pixels a quarter of the tile apart: a warp then reads and writes
// pixels that lie side by side. A layer of few channels has its terms packed without gaps (the place of each is worked out for itself), others
// have each tap's channels padded to whole slabs, so that a slab meets one tap.
import type { View } from "../types.js";
import { dispatchElements, dispatchKernel, inSlices, unroll } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { asLiterals } from "./sizes.js";
import { constantsOf, pixelCode, pixels, placeCode, type ProductSizes, sizesIn, sourceCode, type TappedOperands, type TappedProduct } from "./tappedPixels.js";
import { reluCode } from "./tiles.js";
import {
  type Choice, chooseTile, multiplyTerms, type Piece, slabMemory, type SlabSource, storeSums, threadsOf, tileSums, type WorkgroupTile,
} from "./workgroupTile.js";
import { type Verdict, verdictQuestions } from "./winogradVerdict.js";

interface Slot {
  readonly tap: number;
  readonly offset: readonly [number, number];
}
export interface TappedForm {
  readonly tile: WorkgroupTile;
  /** All phases' slots, one phase after the other, and where each phase's begin. */
  readonly slots: readonly Slot[];
  readonly phaseStarts: readonly number[];
  readonly packed: boolean;
  /** Terms a slot takes, and rows of the ordered weights: padded. */
  readonly slotTerms: number;
  readonly paddedRows: number;
}

export function tappedTiles(runtime: WebGPURuntime, p: TappedProduct, operands: TappedOperands): void {
  const form = tappedForm(runtime, p);
  const ordered = orderedWeights(runtime, p, form, operands.weight);
  productOfTiles(runtime, p, form, { ...operands, weight: ordered }, null);
  runtime.releaseTemporary(ordered);
}

/** The product of weights in their order; with a verdict only for the images that it names, and those that share a tile with them. */
export function productOfTiles(runtime: WebGPURuntime, p: TappedProduct, form: TappedForm, operands: TappedOperands, verdict: Verdict | null): void {
  const { tile } = form, { target, source, weight, bias, activation } = operands;
  const sizes = asLiterals(sizesIn(p)), constants = [...constantsOf(p), ...sizes.constants];
  inSlices(Math.ceil(pixels(p) / tile.columns), (firstTile, tiles) => {
    dispatchKernel(runtime, {
      name: p.name,
      constants: ["tile", ...constants, activation, bias !== null, JSON.stringify(tile)],
      inputs: { source, weight, bias, verdict: verdict?.view ?? null },
      outputs: { target_: target },
      vectors: ["weight"],
      params: { pixels: pixels(p), firstPixel: firstTile * tile.columns, ...(verdict && { ticket: verdict.ticket }) },
      workgroups: [tiles, Math.ceil(p.rows / tile.rows), p.groups * p.phases[0] * p.phases[1]],
      body: () => reluCode + pixelCode(p, sizes, bias !== null, activation) + sourceCode(sizes) + tileCode(p, form, sizes, verdict !== null),
    });
  });
}

const lowChoices: readonly [Choice, ...Choice[]] = [["32×128/4×8", 128], ["32×32/4×4", 0]];
const middleChoices: readonly [Choice, ...Choice[]] = [["64×128/8×8", 256], ["64×64/8×4", 64], ["32×32/4×4", 0]];

export function tappedForm(runtime: WebGPURuntime, p: TappedProduct): TappedForm {
  const columns = pixels(p), layers = p.groups * p.phases[0] * p.phases[1];
  const tile = chooseTile(runtime, p.rows <= 32 ? lowChoices : p.rows <= 64 ? middleChoices : [["128×128/8×16", 400], ...middleChoices], layers, p.rows, columns);
  const slots: Slot[] = [], phaseStarts: number[] = [];
  for (let phase = 0; phase < p.phases[0] * p.phases[1]; phase++) {
    phaseStarts.push(slots.length);
    for (const r of p.taps(0, Math.floor(phase / p.phases[1]))) {
      for (const s of p.taps(1, phase % p.phases[1])) slots.push({ tap: r.tap * p.kernel[1] + s.tap, offset: [r.offset, s.offset] });
    }
  }
  const padded = Math.ceil(p.depth / tile.terms) * tile.terms, packed = padded > 1.5 * p.depth;
  return {
    tile, slots, phaseStarts: [...phaseStarts, slots.length], packed,
    slotTerms: packed ? p.depth : padded, paddedRows: Math.ceil(p.rows / 4) * 4,
  };
}

/** The weights in the order of the terms, zero where padded; scratch that the caller releases. */
function orderedWeights(runtime: WebGPURuntime, p: TappedProduct, { slots, slotTerms, paddedRows }: TappedForm, weight: View): View {
  const count = p.groups * slots.length * slotTerms * paddedRows;
  const out = runtime.temporary(count);
  dispatchElements(runtime, count, {
    name: `${p.name}, weights in order`,
    constants: [...constantsOf(p), ...asLiterals(sizesIn(p)).constants, slotTerms],
    inputs: { weight },
    outputs: { out },
    body: () => `
  let row = i % ${paddedRows}u;
  let depth = (i / ${paddedRows}u) % ${slotTerms}u;
  let slot = (i / ${paddedRows * slotTerms}u) % ${slots.length}u;
  let group = i / ${paddedRows * slotTerms * slots.length}u;
  var taps = array<u32, ${slots.length}>(${slots.map(({ tap }) => `${tap}u`).join(", ")});
  let place = params.weightOffset + group * ${p.groupStride}u + min(row, ${p.rows - 1}u) * ${p.rowStride}u + min(depth, ${p.depth - 1}u) * ${p.depthStride}u + taps[slot];
  out[i] = select(0.0, weight[place], row < ${p.rows}u && depth < ${p.depth}u);`,
  });
  return out;
}

function tileCode(p: TappedProduct, form: TappedForm, sizes: ProductSizes, judged: boolean): string {
  const { tile, slots, phaseStarts, slotTerms, paddedRows } = form;
  return `
${slabMemory(tile, "outputs", "outputs")}
const slotOffsets = array<vec2i, ${slots.length}>(${slots.map(({ offset }) => `vec2i(${offset[0]}, ${offset[1]})`).join(", ")});
const phaseStarts = array<u32, ${phaseStarts.length}>(${phaseStarts.map((start) => `${start}u`).join(", ")});
${form.packed ? packedCode(p, form) : ""}
${judged ? verdictQuestions : ""}
@compute @workgroup_size(${threadsOf(tile)})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
${placeCode(p, sizes)}
  let firstSlot = phaseStarts[workgroup.z % ${phaseStarts.length - 1}u];
  let lastTerm = (phaseStarts[workgroup.z % ${phaseStarts.length - 1}u + 1u] - firstSlot) * ${slotTerms}u;
  let firstWeight = (group * ${slots.length}u + firstSlot) * ${slotTerms}u;
  let firstRow = workgroup.y * ${tile.rows}u;
  let firstPixel = params.firstPixel + workgroup.x * ${tile.columns}u;
${judged ? `  let lastPixel = min(firstPixel + ${tile.columns}u, params.pixels) - 1u;
  if (!anyDirect(firstPixel / ${sizes.text.phasePixels}, lastPixel / ${sizes.text.phasePixels})) { return; }` : ""}
${tileSums(tile)}
${multiplyTerms(tile, weightSource(paddedRows, form), form.packed ? packedSource(tile) : pixelSource(p, form), "0u", "lastTerm")}
${storeCode(p, tile)}
}
`;
}

function weightSource(paddedRows: number, { packed }: TappedForm): SlabSource {
  return {
    unit: "outputs",
    prepare: (piece) => `  let weightAt${piece.number} = min(firstRow + ${piece.quad} * 4u, ${paddedRows - 4}u);`,
    load: (piece) => {
      const value = `weight[((firstWeight + slabStart + ${piece.term}) * ${paddedRows}u + weightAt${piece.number}) / 4u]`;
      return packed ? `select(vec4f(), ${value}, slabStart + ${piece.term} < lastTerm)` : value;
    },
  };
}

/** The thread's four pixels, a quarter of the tile apart; the same for all its pieces, for the threads are a multiple of the quads. */
const fourPixels = (tile: WorkgroupTile) => (piece: Piece): string =>
  (piece.number > 0 ? "" : unroll(4, (i) => `  let pixel${i} = pixelAt(firstPixel + ${piece.quad} + ${(i * tile.columns) / 4}u);`));

/** A slab's terms are channels of one slot. */
function pixelSource(p: TappedProduct, { tile, slotTerms }: TappedForm): SlabSource {
  const plane = p.source[1] * p.source[2], guarded = p.depth !== slotTerms;
  const depth = (piece: Piece) => (guarded ? `min(depthStart + ${piece.term}, ${p.depth - 1}u)` : `(depthStart + ${piece.term})`);
  const inside = (piece: Piece, i: number) => (guarded ? `at${i}.x != 0u && depthStart + ${piece.term} < ${p.depth}u` : `at${i}.x != 0u`);
  return {
    unit: "outputs",
    prepare: fourPixels(tile),
    each: `
      let offset = slotOffsets[firstSlot + slabStart / ${slotTerms}u];
      let depthStart = slabStart % ${slotTerms}u;
${unroll(4, (i) => `      let at${i} = sourceAt(pixel${i}, group, offset);`)}
`,
    load: (piece) => `vec4f(${[0, 1, 2, 3].map((i) => `select(0.0, source[at${i}.y + ${depth(piece)} * ${plane}u], ${inside(piece, i)})`).join(", ")})`,
  };
}

/** Terms follow on each other: tap and channel of each are worked out for itself. */
function packedSource(tile: WorkgroupTile): SlabSource {
  return {
    unit: "outputs",
    prepare: fourPixels(tile),
    load: (piece) => `vec4f(${[0, 1, 2, 3].map((i) => `packedAt(pixel${i}, group, firstSlot, slabStart + ${piece.term}, lastTerm)`).join(", ")})`,
  };
}
function packedCode(p: TappedProduct, { slots, slotTerms }: TappedForm): string {
  return `
fn packedAt(pixel: Pixel, group: u32, firstSlot: u32, term: u32, lastTerm: u32) -> f32 {
  let at = sourceAt(pixel, group, slotOffsets[min(firstSlot + term / ${slotTerms}u, ${slots.length - 1}u)]);
  return select(0.0, source[at.y + term % ${slotTerms}u * ${p.source[1] * p.source[2]}u], at.x != 0u && term < lastTerm);
}
`;
}

/** The places of the thread's pixels are worked out once for all its rows. */
function storeCode(p: TappedProduct, tile: WorkgroupTile): string {
  const groups = tile.columns / tile.threadColumns, quads = tile.threadColumns / 4, plane = p.target[1] * p.target[2];
  const places = unroll(quads, (j) => unroll(4, (i) =>
    `  let place${j}_${i} = targetAt(pixelAt(firstPixel + columnGroup + ${j * groups + (i * tile.columns) / 4}u), group, phase);`));
  const stores = storeSums(tile, (row, _quad, value, j) => `  {
    let row = firstRow + ${row};
    if (row < ${p.rows}u) {
      let shift = biasOf(group, row);
${unroll(4, (i) => `      if (place${j}_${i}.x != 0u) { target_[place${j}_${i}.y + row * ${plane}u] = finish(${value}[${i}], shift); }`)}
    }
  }`);
  return `${places}\n${stores}`;
}
