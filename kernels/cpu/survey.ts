// Asks whether images may go through Winograd's transforms: assembly/survey.ts looks, this file decides.
import type { DeviceBuffer, View } from "../types.js";
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

/** What a tensor was last seen to hold, whether it has to be looked at again. */
interface Seen {
  readonly offset: number;
  readonly sizes: readonly number[];
  readonly groups: number;
  readonly findings: Findings;
}
const seen = new WeakMap<DeviceBuffer, Seen>();

/** Looks through a tensor [N, C, H, W], image by image and group by group. */
export function survey(runtime: CpuRuntime, view: View, groups: number): Findings {
  const [images = 1, channels = 1, height = 1, width = 1] = view.shape;
  const findings = look(runtime, runtime.pointer(view), images * groups, channels / groups, height, width);
  seen.set(view.buffer, { offset: view.offset, sizes: view.shape, groups, findings });
  return findings;
}

/** The findings for a tensor that was saved for backward: those of forward, where it went through Winograd's transforms too, for the tape has seen
 *  to it that nothing changed since. */
export function surveyOfSaved(runtime: CpuRuntime, view: View, groups: number): Findings {
  const known = seen.get(view.buffer);
  const isKnown = known?.offset === view.offset && known.groups === groups && known.sizes.every((size, dim) => size === view.shape[dim]);
  return isKnown ? known.findings : survey(runtime, view, groups);
}

/** A buffer's values were written by the host. */
export function forgetSurvey(buffer: DeviceBuffer): void {
  seen.delete(buffer);
}

function look(runtime: CpuRuntime, address: number, count: number, channels: number, height: number, width: number): Findings {
  if (width > widestRow) return { spoilt: Array.from({ length: count }, () => true), anyNotFinite: true, anyNegative: true };
  const marks = runtime.temporary(count * 4);
  runtime.run("survey", count, [marks, address, channels, height, width, mostSpread], count * channels * height * width >= parallelFrom);
  const found = runtime.int32(marks, count).slice();
  runtime.releaseTemporary(marks);
  return { spoilt: Array.from(found, (marked) => (marked & (marksOf.uneven | marksOf.notFinite)) !== 0), ...findingsOf(found) };
}

/** What the marks of a weight's panels say together. */
export function findingsOf(marks: Int32Array): Omit<Findings, "spoilt"> {
  const found = marks.reduce((all, mark) => all | mark, 0);
  return { anyNotFinite: (found & marksOf.notFinite) !== 0, anyNegative: (found & marksOf.negative) !== 0 };
}
