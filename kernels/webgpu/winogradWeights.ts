// The weights of a convolution by Winograd, transformed: [component][depth][row], rows padded to four. The same workgroups order them for the direct
// product (tappedTiles.ts), which convolves what Winograd would spoil, and note whether they are finite and whether any is negative.
import type { View } from "../types.js";
import { unroll } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import type { TappedProduct } from "./tappedPixels.js";
import type { TappedForm } from "./tappedTiles.js";
import { type Share, shareThreads } from "./winogradShares.js";
import { components, eachCell, transformCode, transforms } from "./winogradTransforms.js";
import { largestMagnitude, magnitudeBits } from "./winogradVerdict.js";

export interface WinogradWeights {
  readonly transformed: View;
  readonly ordered: View;
}

const taps = 9;

/** Scratch that the caller releases. */
export function weightScratch(runtime: WebGPURuntime, p: TappedProduct, { slotTerms, paddedRows }: TappedForm): WinogradWeights {
  return { transformed: runtime.temporary(components * p.depth * paddedRows), ordered: runtime.temporary(taps * slotTerms * paddedRows) };
}

export function transformOfWeights({ transformed, ordered }: WinogradWeights, p: TappedProduct, { slotTerms, paddedRows }: TappedForm, weight: View): Share {
  return {
    call: "weightPanels",
    constants: [p.direction],
    inputs: { weight },
    outputs: { transformed, ordered },
    params: { rows: p.rows, depth: p.depth, rowStride: p.rowStride, depthStride: p.depthStride, slotTerms, paddedRows },
    workgroups: Math.ceil((slotTerms * paddedRows) / shareThreads),
    code: () => weightCode(p.direction),
  };
}

function weightCode(direction: TappedProduct["direction"]): string {
  const { code, value } = transformCode(transforms.weight, "tap");
  // Backward a tap moves the other way.
  const tap = (r: number, s: number): number => (direction === "forward" ? r * 3 + s : (2 - r) * 3 + (2 - s));
  return `
var<workgroup> weightMarks: atomic<u32>;
fn weightPanels(index: u32, thread: u32) {
  let i = index * ${shareThreads}u + thread;
  let row = i % params.paddedRows;
  let depth = i / params.paddedRows;
  let exists = row < params.rows && depth < params.depth;
  let place = params.weightOffset + select(0u, row * params.rowStride + depth * params.depthStride, exists);
${unroll(taps, (k) => `  let weight${k} = select(0.0, weight[place + ${k}u], exists);`)}
  if (depth < params.slotTerms) {
${unroll(taps, (k) => `    ordered[(${k}u * params.slotTerms + depth) * params.paddedRows + row] = weight${k};`)}
  }
  if (depth < params.depth) {
${eachCell(3, (r, s) => `    let tap${r}_${s} = weight${tap(r, s)};`)}
${code}
    let to = depth * params.paddedRows + row;
    let step = params.depth * params.paddedRows;
${eachCell(6, (r, s) => `    transformed[to + ${r * 6 + s}u * step] = ${value(r, s)};`)}
  }
  var most = 0u;
  var signs = 0u;
${unroll(taps, (k) => `  most = max(most, bitcast<u32>(weight${k}) & ${magnitudeBits});
  signs |= bitcast<u32>(weight${k});`)}
  let mine = select(0u, 1u, most >= ${largestMagnitude}) | ((signs >> 31u) << 1u);
  if (mine != 0u) { atomicOr(&weightMarks, mine); }
  workgroupBarrier();
  if (thread != 0u) { return; }
  let all = atomicLoad(&weightMarks);
  if ((all & 1u) != 0u) { noteDirect(); }
  if ((all & 2u) != 0u) { noteNegativeWeight(); }
}
`;
}
