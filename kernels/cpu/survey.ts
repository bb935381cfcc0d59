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

/** What was found in a tensor, and where and when. */
interface Seen {
  readonly version: number;
  readonly offset: number;
  readonly sizes: readonly number[];
  readonly groups: number;
  readonly findings: Findings;
}
const seen = new WeakMap<DeviceBuffer, Seen>();

/** Looks through a tensor [N, C, H, W], image by image and group by group; not again where its owner says that it is what it was. */
export function survey(runtime: CpuRuntime, view: View, groups: number): Findings {
  const { version, buffer, offset, shape } = view, known = seen.get(buffer);
  if (known !== undefined && known.version === version && known.offset === offset && known.groups === groups && known.sizes.every((size, dim) => size === shape[dim])) {
    return known.findings;
  }
  const [images = 1, channels = 1, height = 1, width = 1] = shape;
  const findings = look(runtime, runtime.pointer(view), images * groups, channels / groups, height, width);
  if (version !== undefined) seen.set(buffer, { version, offset, sizes: shape, groups, findings });
  return findings;
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
