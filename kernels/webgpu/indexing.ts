// Reading and adding through integer indices. Reads are gathers, one invocation an output. Additions are deterministic without atomics: an
// invocation owns a column of the target (all places that differ only along dim) and adds in ascending order; where there are too few columns
// to fill a hardware GPU, an invocation owns a single target place and looks through the indices; many indices are sorted (sortedAdd.ts). A bad index raises the error flag; a read
// gives 0, an addition is left out.
import { around, numel } from "../shape.js";
import type { View } from "../types.js";
import { dispatchElements } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { leastIndices, mostIndices, sortedAdd } from "./sortedAdd.js";

/** Columns from which the invocations of a GPU are busy enough. */
const manyColumns = 256;

/** Lengths of index and steps of the tensor it points into, as parameters length0 … and step0 …. */
function coordinateParams(index: View, target: View): Record<string, number> {
  const params: Record<string, number> = {};
  index.shape.forEach((length, d) => {
    params[`length${d}`] = length;
    params[`step${d}`] = numel(target.shape, d + 1);
  });
  return params;
}

/** WGSL: from `rest`, a number that counts index's places without those dimensions in `skip`, the `start` of that place in the target and `own`,
 *  its place in index. */
function coordinateCode(rank: number, skip: number | null): string {
  const dims = Array.from({ length: rank }, (_, d) => d).reverse();
  return `
  var start = 0u;
  var own = 0u;
  var ownStep = 1u;
${dims.map((d) => (d === skip ? `  ownStep *= params.length${d};` : `
  { let coordinate = rest % params.length${d}; rest /= params.length${d};
    start += coordinate * params.step${d}; own += coordinate * ownStep; ownStep *= params.length${d}; }`)).join("\n")}
`;
}

const dimOf = (shape: readonly number[], dim: number) => shape[dim] ?? 1;
const isBad = (chosen: string) => `${chosen} < 0 || ${chosen} >= i32(params.limit)`;

export function gather(runtime: WebGPURuntime, out: View, x: View, index: View, dim: number): void {
  const rank = index.shape.length;
  dispatchElements(runtime, numel(out.shape), {
    name: "gather",
    constants: [rank, dim],
    inputs: { x, index },
    outputs: { out },
    params: { ...coordinateParams(index, x), limit: dimOf(x.shape, dim) },
    reportsIndices: true,
    body: () => `
  let chosen = index[params.indexOffset + i];
  if (${isBad("chosen")}) { reportBadIndex(chosen, params.limit); out[i] = ${zero(out)}; return; }
  var rest = i;
  ${coordinateCode(rank, null)}
  let along = ${rank === 0 ? "0u" : `(i / params.along) % params.length${dim}`};
  out[i] = x[params.xOffset + start + (u32(chosen) - along) * ${rank === 0 ? "1u" : `params.step${dim}`}];`
      .replaceAll("params.along", alongCode(rank, dim)),
  });
}

/** WGSL: elements of index from one place along dim to the next. */
function alongCode(rank: number, dim: number): string {
  const inner = Array.from({ length: Math.max(rank - dim - 1, 0) }, (_, i) => `params.length${dim + 1 + i}`);
  return inner.length === 0 ? "1u" : `(${inner.join(" * ")})`;
}
const zero = (view: View) => (view.dtype === "float32" ? "0.0" : view.dtype === "int32" ? "0i" : "0u");

export function indexSelect(runtime: WebGPURuntime, out: View, x: View, index: View, dim: number): void {
  const { length, inner } = around(x.shape, dim);
  dispatchElements(runtime, numel(out.shape), {
    name: "indexSelect",
    constants: [],
    inputs: { x, index },
    outputs: { out },
    params: { chosenCount: numel(index.shape), inner, limit: length },
    reportsIndices: true,
    body: () => `
  let position = i % params.inner;
  let slice = i / params.inner;
  let chosen = index[params.indexOffset + slice % params.chosenCount];
  if (${isBad("chosen")}) {
    if (position == 0u && slice < params.chosenCount) { reportBadIndex(chosen, params.limit); }
    out[i] = ${zero(out)};
    return;
  }
  out[i] = x[params.xOffset + (slice / params.chosenCount * params.limit + u32(chosen)) * params.inner + position];`,
  });
}

// ── additions ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** How the columns of an addition lie: WGSL lets from `rest`, the column's number. */
interface Columns {
  readonly name: string;
  readonly count: number;
  readonly constants: readonly number[];
  readonly params: Readonly<Record<string, number>>;
  /** Defines `start` (of the target), `own` (of src) and, if it differs, `ownIndex` (of index). */
  readonly code: string;
  /** WGSL: from one j to the next in index, in src and in the target. */
  readonly indexStep: string;
  readonly sourceStep: string;
  readonly targetStep: string;
}

export function scatterAdd(runtime: WebGPURuntime, out: View, index: View, src: View, dim: number): void {
  const rank = index.shape.length, along = dimOf(index.shape, dim);
  addColumns(runtime, out, index, src, dimOf(out.shape, dim), along, {
    name: "scatterAdd",
    count: along === 0 ? 0 : numel(index.shape) / along,
    constants: [rank, dim],
    params: coordinateParams(index, out),
    code: `${coordinateCode(rank, dim)}\n  let ownIndex = own;`,
    indexStep: alongCode(rank, dim),
    sourceStep: alongCode(rank, dim),
    targetStep: rank === 0 ? "1u" : `params.step${dim}`,
  });
}

export function indexAdd(runtime: WebGPURuntime, out: View, index: View, src: View, dim: number): void {
  const { outer, length, inner } = around(out.shape, dim), count = numel(index.shape);
  if (!runtime.isSoftware && count >= leastIndices && count <= mostIndices && length > 0 && outer * inner > 0) {
    sortedAdd(runtime, out, index, src, { outer, limit: length, inner });
    return;
  }
  addColumns(runtime, out, index, src, length, numel(index.shape), {
    name: "indexAdd",
    count: outer * inner,
    constants: [],
    params: { inner },
    code: `
  let start = (rest / params.inner) * params.limit * params.inner + rest % params.inner;
  let own = (rest / params.inner) * params.chosenCount * params.inner + rest % params.inner;
  let ownIndex = 0u;`,
    indexStep: "1u",
    sourceStep: "params.inner",
    targetStep: "params.inner",
  });
}

function addColumns(runtime: WebGPURuntime, out: View, index: View, src: View, limit: number, chosenCount: number, columns: Columns): void {
  if (columns.count === 0 || chosenCount === 0) return;
  const byColumn = runtime.isSoftware || columns.count >= manyColumns || limit === 0;
  const report = columns.name === "indexAdd" ? "i == 0u" : byColumn ? "true" : "place == 0u";
  dispatchElements(runtime, columns.count * (byColumn ? 1 : limit), {
    name: `${columns.name}, ${byColumn ? "a column" : "a place"} each`,
    constants: columns.constants,
    inputs: { index, src },
    outputs: { out },
    params: { ...columns.params, limit, chosenCount },
    reportsIndices: true,
    body: () => `
  var rest = i${byColumn ? "" : " / params.limit"};
  ${byColumn ? "" : "let place = i % params.limit;"}
  ${columns.code}
  for (var j = 0u; j < params.chosenCount; j++) {
    let chosen = index[params.indexOffset + ownIndex + j * ${columns.indexStep}];
    if (${isBad("chosen")}) {
      if (${report}) { reportBadIndex(chosen, params.limit); }
      continue;
    }
    ${byColumn ? "let place = u32(chosen);" : "if (u32(chosen) != place) { continue; }"}
    out[params.outOffset + start + place * ${columns.targetStep}] += src[params.srcOffset + own + j * ${columns.sourceStep}];
  }`,
  });
}
