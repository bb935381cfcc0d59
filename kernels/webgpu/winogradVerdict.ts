// What Winograd's kernels find in the numbers that they read anyway, for the kernels behind them: which images must be convolved directly, because a
// tile holds one pixel that would cost the others their digits (or make them NaN), and whether there is anything negative at all. A GPU's commands
// cannot wait for the host to decide; so every kernel is issued, and reads here whether its part is wanted.
// A verdict is a number of its own, written over what earlier ones left: nothing has to be cleared.
import type { View } from "../types.js";
import { webgpuBuffer } from "./buffers.js";
import { type SignedParam, signed } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";

export interface Verdict {
  /** Words; those that hold `ticket` say yes. */
  readonly view: View;
  readonly ticket: SignedParam;
}

/** Words: all of it must go directly; a pixel is negative; a weight is; then one for each image (and those a round of images further). */
const directWord = 0, negativePixelWord = 1, negativeWeightWord = 2, imageWords = 4, imageRound = 4092;

interface Verdicts {
  readonly view: View;
  issued: number;
}
const verdictsOf = new WeakMap<WebGPURuntime, Verdicts>();

export function newVerdict(runtime: WebGPURuntime): Verdict {
  let verdicts = verdictsOf.get(runtime);
  if (verdicts === undefined) {
    const words = imageWords + imageRound;
    verdicts = { view: runtime.temporary(words, "int32"), issued: 0 };
    runtime.upload(webgpuBuffer(verdicts.view.buffer), new Int32Array(words));
    verdictsOf.set(runtime, verdicts);
  }
  verdicts.issued = (verdicts.issued % 0x7fffffff) + 1;
  return { view: verdicts.view, ticket: signed(verdicts.issued) };
}

/** Where numbers are looked at: magnitudes are compared as the integers of their bits, NaN is above infinity. Beyond 1e30 a transform could
 *  overflow. */
export const magnitudeBits = "0x7fffffffu", largestMagnitude = "0x7149f2cau";
/** How far apart the magnitudes under two outputs of one tile may lie, as on the CPU (kernels/cpu/survey.ts). */
export const mostSpread = 256;

/** WGSL for kernels that write the verdict (an output of atomics). */
export const verdictNotes = `
fn note(word: u32) { if (atomicLoad(&verdict[word]) != params.ticket) { atomicStore(&verdict[word], params.ticket); } }
fn noteDirect() { note(${directWord}u); }
fn noteNegativePixel() { note(${negativePixelWord}u); }
fn noteNegativeWeight() { note(${negativeWeightWord}u); }
fn noteImage(image: u32) { note(${imageWords}u + image % ${imageRound}u); }
`;

/** WGSL for kernels that read it. */
export const verdictQuestions = `
fn allDirect() -> bool { return verdict[${directWord}] == params.ticket; }
fn nothingNegative() -> bool { return verdict[${negativePixelWord}] != params.ticket && verdict[${negativeWeightWord}] != params.ticket; }
/** Whether one of these images is to be convolved directly. */
fn anyDirect(first: u32, last: u32) -> bool {
  var any = allDirect();
  for (var image = first; image <= last; image++) { any = any || verdict[${imageWords}u + image % ${imageRound}u] == params.ticket; }
  return any;
}
`;
