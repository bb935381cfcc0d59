// How a kernel reports what only the data shows (an index or label out of range): a small buffer that the kernel writes and every read-back
// copies along. The first bad index wins; the host turns it into an IndexError with the operation and the module's path.
import { IndexError } from "../errors.js";

/** Words of the flag: how many bad indices were met, the first one's value, its exclusive limit, and the label's number. */
export const flagWords = 4;

/** WGSL: declares the flag at a binding (bind `runtime.errorFlag`, access "write") and
 *  `raiseIndexError(value, limit, label)`; label is a parameter of the kernel, `runtime.labelNumber()` at dispatch. */
export function errorFlagCode(binding: number): string {
  return `
struct ErrorFlag { count: atomic<u32>, value: i32, limit: i32, label: u32 }
@group(0) @binding(${binding}) var<storage, read_write> errorFlag: ErrorFlag;
fn raiseIndexError(value: i32, limit: i32, label: u32) {
  if (atomicAdd(&errorFlag.count, 1u) == 0u) {
    errorFlag.value = value;
    errorFlag.limit = limit;
    errorFlag.label = label;
  }
}
`;
}

/** The labels that kernels with a flag were dispatched under, by number. */
export class LabelTable {
  private readonly labels: string[] = [];
  private readonly numbers = new Map<string, number>();

  numberOf(label: string): number {
    const found = this.numbers.get(label);
    if (found !== undefined) return found;
    const number = this.labels.length;
    this.labels.push(label);
    this.numbers.set(label, number);
    return number;
  }

  /** The error a flag speaks of, or null while it is down. */
  decode(flag: Int32Array): IndexError | null {
    const [count = 0, value = 0, limit = 0, label = 0] = flag;
    if (count === 0) return null;
    const operation = this.labels[label] || "a kernel";
    const others = count === 1 ? "" : ` (and ${count - 1} more)`;
    return new IndexError(
      `${operation}: got the index ${value}${others}, expected 0 ≤ index < ${limit}; check the indices or labels against the size they index.`,
    );
  }
}
