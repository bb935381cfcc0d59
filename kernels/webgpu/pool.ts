// Max and average pooling, forward and backward, as gathers: one invocation for each element written, no atomics. Windows that tile the image
// exactly have a max backward of their own, an invocation a window.
import { lengths4, numel } from "../shape.js";
import type { Pair, Pool2dParams, View } from "../types.js";
import { exactSumCode, quotientCode } from "./exactSums.js";
import { dispatchElements, float, unroll } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";

interface Geometry {
  /** Height and width of the pooled image and of its windows' grid. */
  readonly image: Pair;
  readonly windows: Pair;
  readonly params: Pool2dParams;
}

function geometry(image: View, windows: View, params: Pool2dParams): Geometry {
  const [, , height, width] = lengths4(image), [, , outHeight, outWidth] = lengths4(windows);
  return { image: [height, width], windows: [outHeight, outWidth], params };
}

const reach = ({ params }: Geometry, axis: 0 | 1) => (params.kernel[axis] - 1) * params.dilation[axis] + 1;

/** Whether some window hangs over the image's edge. */
function overhangs(g: Geometry): boolean {
  const over = (axis: 0 | 1) => {
    const { stride, padding } = g.params;
    return padding[axis] > 0 || (g.windows[axis] - 1) * stride[axis] + reach(g, axis) > g.image[axis];
  };
  return over(0) || over(1);
}

/** WGSL: the plane and the place of element i of an image of this size. */
function placeCode([height, width]: Pair): string {
  return `
  let plane = i / ${height * width}u;
  let row = i32(i % ${height * width}u) / ${width};
  let column = i32(i % ${width}u);`;
}

/** WGSL: `each` for every image cell (h, w) of window (row, column). */
function windowLoop(g: Geometry, each: string): string {
  const { kernel, stride, padding, dilation } = g.params;
  return `
  for (var r = 0; r < ${kernel[0]}; r++) { for (var s = 0; s < ${kernel[1]}; s++) {
    let h = row * ${stride[0]} - ${padding[0]} + r * ${dilation[0]};
    let w = column * ${stride[1]} - ${padding[1]} + s * ${dilation[1]};
    ${overhangs(g) ? `if (h < 0 || h >= ${g.image[0]} || w < 0 || w >= ${g.image[1]}) { continue; }` : ""}
    ${each}
  } }`;
}

/** WGSL: `each` for every window (p, q) whose reach covers the image cell (row, column), in ascending order. */
function coveringLoop(g: Geometry, each: string): string {
  const { stride, padding } = g.params;
  const most = (axis: 0 | 1) => Math.ceil(reach(g, axis) / stride[axis]);
  return `
  for (var a = 0; a < ${most(0)}; a++) { for (var b = 0; b < ${most(1)}; b++) {
    let p = (row + ${padding[0]}) / ${stride[0]} - ${most(0) - 1} + a;
    let q = (column + ${padding[1]}) / ${stride[1]} - ${most(1) - 1} + b;
    if (p < 0 || p >= ${g.windows[0]} || q < 0 || q >= ${g.windows[1]}) { continue; }
    ${each}
  } }`;
}

const constantsOf = (g: Geometry) => [JSON.stringify(g)];

// ── maximum ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export function maxPool2d(runtime: WebGPURuntime, out: View, indices: View, x: View, params: Pool2dParams): void {
  const g = geometry(x, out, params), [height, width] = g.image;
  // NaN wins, and is known by its bits: WGSL lets a compiler assume that there is none.
  const isNaN = (value: string) => `((bitcast<u32>(${value}) & 0x7fffffffu) > 0x7f800000u)`;
  dispatchElements(runtime, numel(out.shape), {
    name: "maxPool2d",
    constants: constantsOf(g),
    inputs: { x },
    outputs: { out, indices },
    params: { lowest: float(-Infinity) },
    body: () => `${placeCode(g.windows)}
  let first = params.xOffset + plane * ${height * width}u;
  var best = params.lowest;
  var place = -1;
  ${windowLoop(g, `
    let at = h * ${width} + w;
    let value = x[first + u32(at)];
    if (place < 0 || value > best || (${isNaN("value")} && !${isNaN("best")})) { best = value; place = at; }`)}
  out[i] = best;
  indices[i] = place;`,
  });
}

export function maxPool2dBackward(runtime: WebGPURuntime, gradX: View, grad: View, indices: View, params: Pool2dParams): void {
  const g = geometry(gradX, grad, params);
  const { kernel, stride } = params;
  const tiles = ([0, 1] as const).every((axis) => stride[axis] === kernel[axis] && g.windows[axis] * kernel[axis] === g.image[axis]);
  if (tiles && !overhangs(g) && reach(g, 0) === kernel[0] && reach(g, 1) === kernel[1]) tilingBackward(runtime, g, gradX, grad, indices);
  else coveringBackward(runtime, g, gradX, grad, indices);
}

/** An invocation writes its window's whole share of the image. */
function tilingBackward(runtime: WebGPURuntime, g: Geometry, gradX: View, grad: View, indices: View): void {
  const [height, width] = g.image, [kernelHeight, kernelWidth] = g.params.kernel;
  const cell = (k: number) => `corner + ${Math.floor(k / kernelWidth) * width + (k % kernelWidth)}`;
  const write = (at: string) => `gradX[first + u32(${at})] = select(0.0, value, ${at} == place);`;
  dispatchElements(runtime, numel(grad.shape), {
    name: "maxPool2d, backward of tiling windows",
    constants: constantsOf(g),
    inputs: { grad, indices },
    outputs: { gradX },
    body: () => `${placeCode(g.windows)}
  let first = plane * ${height * width}u;
  let corner = (row * ${kernelHeight}) * ${width} + column * ${kernelWidth};
  let value = grad[params.gradOffset + i];
  let place = indices[params.indicesOffset + i];
  ${kernelHeight * kernelWidth <= 16 ? unroll(kernelHeight * kernelWidth, (k) => write(cell(k))) : `
  for (var r = 0; r < ${kernelHeight}; r++) { for (var s = 0; s < ${kernelWidth}; s++) { ${write(`(corner + r * ${width} + s)`)} } }`}`,
  });
}

function coveringBackward(runtime: WebGPURuntime, g: Geometry, gradX: View, grad: View, indices: View): void {
  const windows = g.windows[0] * g.windows[1];
  dispatchElements(runtime, numel(gradX.shape), {
    name: "maxPool2d, backward",
    constants: constantsOf(g),
    inputs: { grad, indices },
    outputs: { gradX },
    body: () => `${placeCode(g.image)}
  let own = row * ${g.image[1]} + column;
  var sum = 0.0;
  ${coveringLoop(g, `
    let at = plane * ${windows}u + u32(p * ${g.windows[1]} + q);
    if (indices[params.indicesOffset + at] == own) { sum += grad[params.gradOffset + at]; }`)}
  gradX[i] = sum;`,
  });
}

// ── average ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** WGSL: `area(p, q)`, the divisor of a window: its cells, those in the padding included place they count. */
function areaCode({ image, params }: Geometry): string {
  const { kernel, stride, padding, countIncludePad } = params;
  const extent = (axis: 0 | 1, p: string) => {
    const start = `(${p} * ${stride[axis]} - ${padding[axis]})`;
    const end = `min(${start} + ${kernel[axis]}i, ${image[axis] + padding[axis]})`;
    return countIncludePad ? `(${end} - ${start})` : `(min(${end}, ${image[axis]}) - max(${start}, 0i))`;
  };
  return `let area = f32(${extent(0, "p")} * ${extent(1, "q")});`;
}

export function avgPool2d(runtime: WebGPURuntime, out: View, x: View, params: Pool2dParams): void {
  const g = geometry(x, out, params), [height, width] = g.image;
  dispatchElements(runtime, numel(out.shape), {
    name: "avgPool2d",
    constants: constantsOf(g),
    inputs: { x },
    outputs: { out },
    helpers: exactSumCode + quotientCode,
    body: () => `${placeCode(g.windows)}
  let first = params.xOffset + plane * ${height * width}u;
  var sum = vec2f(0.0);
  ${windowLoop(g, `sum = addExactly(sum, vec2f(x[first + u32(h * ${width} + w)], 0.0));`)}
  let p = row;
  let q = column;
  ${areaCode(g)}
  out[i] = quotientOf(sum, area);`,
  });
}

export function avgPool2dBackward(runtime: WebGPURuntime, gradX: View, grad: View, params: Pool2dParams): void {
  const g = geometry(gradX, grad, params), windows = g.windows[0] * g.windows[1];
  const { kernel, stride, padding } = params;
  // The window that ends a stride past the cell reaches it only if the kernel is long enough.
  const covers = `row >= p * ${stride[0]} - ${padding[0]} && row < p * ${stride[0]} - ${padding[0]} + ${kernel[0]} && ` +
    `column >= q * ${stride[1]} - ${padding[1]} && column < q * ${stride[1]} - ${padding[1]} + ${kernel[1]}`;
  dispatchElements(runtime, numel(gradX.shape), {
    name: "avgPool2d, backward",
    constants: constantsOf(g),
    inputs: { grad },
    outputs: { gradX },
    body: () => `${placeCode(g.image)}
  var sum = 0.0;
  ${coveringLoop(g, `
    if (${covers}) {
      ${areaCode(g)}
      sum += grad[params.gradOffset + plane * ${windows}u + u32(p * ${g.windows[1]} + q)] / area;
    }`)}
  gradX[i] = sum;`,
  });
}
