// Asks whether images may go through Winograd's transforms: assembly/survey.ts looks, this file decides.
import type { CpuRuntime } from "./runtime.js";

/** How far apart the magnitudes under two outputs of one tile may lie: the errors of the larger are still below those of float32 convolutions
 *  of many channels for the smaller one. */
const mostSpread = 256;
/** Elements that are worth waking a thread for. */
const parallelFrom = 65_536;
const marksOf = { uneven: 1, notFinite: 2, negative: 4 } as const;
/** Rows so wide that a strip of them would not fit the scratch. */
const widestRow = 4096;

export interface Findings {
  /** Which of the `count` hold pixels that would spoil their neighbours. */
  readonly spoilt: readonly boolean[];
  readonly anyNotFinite: boolean;
  readonly anyNegative: boolean;
}

/** Looks through `count` times [channels, height, width] at an address. */
export function survey(runtime: CpuRuntime, address: number, count: number, channels: number, height: number, width: number): Findings {
  if (width > widestRow) return { spoilt: Array.from({ length: count }, () => true), anyNotFinite: true, anyNegative: true };
  const marks = runtime.temporary(count * 4);
  runtime.run("survey", count, [marks, address, channels, height, width, mostSpread], count * channels * height * width >= parallelFrom);
  const found = Array.from(runtime.int32(marks, count));
  runtime.releaseTemporary(marks);
  const any = (mark: number) => found.some((marked) => (marked & mark) !== 0);
  return {
    spoilt: found.map((marked) => (marked & (marksOf.uneven | marksOf.notFinite)) !== 0),
    anyNotFinite: any(marksOf.notFinite), anyNegative: any(marksOf.negative),
  };
}

/** Elements of a task, as in assembly/survey.ts. */
const flatPiece = 16_384;

/** Looks through a weight, of which only what is not finite would spoil anything. */
export function surveyWeight(runtime: CpuRuntime, address: number, length: number): Pick<Findings, "anyNotFinite" | "anyNegative"> {
  const pieces = Math.ceil(length / flatPiece), marks = runtime.temporary(pieces * 4);
  runtime.run("surveyWeights", pieces, [marks, address, length], length >= parallelFrom);
  const found = runtime.int32(marks, pieces).reduce((all, mark) => all | mark, 0);
  runtime.releaseTemporary(marks);
  return { anyNotFinite: (found & marksOf.notFinite) !== 0, anyNegative: (found & marksOf.negative) !== 0 };
}
