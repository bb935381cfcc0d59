// 3×3 convolution of step 1 by Winograd's F(4×4, 3×3), forward and for the input's gradient: 4 times fewer multiplications. The grid counts
// 4×4 tiles of output; each sees a 6×6 tile of source. The sum over channels becomes 36 matrix products, one for each component of the
// transformed tiles, on the same panels and micro-kernel as everything else. A task transforms one window of tiles, multiplies it by all
// output channels of its range and transforms the products back, so that nothing but the weights is ever stored transformed.
import { Convolution, WeightPacking, Window, aligned, ceilDivide, loadBlock, openWindow, tilesOf, windowBytes, writePixels } from "./convolution";
import { blockBytes, multiplyPanel, panelRowBytes, panelWidth } from "./gemm";
import { largest, largestLane, magnitudeBits, negative, notFinite } from "./magnitudes";
import { smaller, storeLanes } from "./simd";
import { components, linesBytes, tileCells, transformOutput, transformSource, transformWeight } from "./winogradTransforms";

/** Tap (r, s) of four consecutive output channels; beyond `rows` zeros. */
@inline
function fourTaps(p: WeightPacking, from: usize, r: i32, s: i32, rows: i32): v128 {
  const stride = (p.outStride as usize) << 2;
  const at = from + (((p.firstRow + r * p.rowStep) * p.width + p.firstColumn + s * p.columnStep) << 2);
  let v = f32x4.splat(0);
  if (rows > 0) v = v128.load32_lane(at, v, 0);
  if (rows > 1) v = v128.load32_lane(at + stride, v, 1);
  if (rows > 2) v = v128.load32_lane(at + 2 * stride, v, 2);
  if (rows > 3) v = v128.load32_lane(at + 3 * stride, v, 3);
  return v;
}

/** Four weights' nine taps. */
const tapsBytes: usize = 144;

/** Panels [group][component][⌈outChannels / 8⌉][channels][8] of transformed weights, and the marks of each. A task is one panel, all components. */
export function winogradWeights(begin: i32, end: i32, scratch: usize, parameters: usize): void {
  const p = changetype<WeightPacking>(parameters);
  const panels = ceilDivide(p.outChannels, panelWidth), panelBytes = (p.channels as usize) * panelRowBytes;
  const step = (panels as usize) * panelBytes;
  for (let task = begin; task < end; task++) {
    const group = task / panels, panel = task % panels;
    let most = i32x4.splat(0), signs = most;
    for (let half = 0; half < 2; half++) {
      const first = panel * panelWidth + half * 4, rows = p.outChannels - first;
      let from = p.weights + ((group * p.groupStride + first * p.outStride) << 2);
      let to = p.panels + ((group * components) as usize) * step + (panel as usize) * panelBytes + (half << 4);
      for (let channel = 0; channel < p.channels; channel++, from += p.channelStride << 2, to += panelRowBytes) {
        for (let r = 0; r < 3; r++) {
          for (let s = 0; s < 3; s++) {
            const taps = fourTaps(p, from, r, s, rows);
            most = i32x4.max_s(most, v128.and(taps, i32x4.splat(magnitudeBits)));
            signs = v128.or(signs, taps);
            v128.store(scratch + ((r * 3 + s) << 4), taps);
          }
        }
        transformWeight(to, step, scratch + tapsBytes, scratch);
      }
    }
    store<i32>(p.marks + (task << 2), (largestLane(most) >= largest ? notFinite : 0) | (i32x4.bitmask(signs) ? negative : 0));
  }
}

/** A task's working memory. */
@unmanaged
class Task {
  lines: usize; // of a transform under way
  cells: usize; // 4×4 cells of four tiles
  extents: usize; // for each tile, how many of its rows · 8 + columns lie inside the output
  tiles: usize; // transformed source: [component][panel of 8 tiles][channel][8]
  products: usize; // four output channels: [component][panel of 8 tiles][4][8]
  panels: i32; // of 8 tiles
}
const taskBytes: usize = 64;
const cellsBytes: usize = 256;
const wholeTile: i32 = (tileCells << 3) | tileCells;

function layOut(c: Convolution, w: Window, t: Task, scratch: usize): void {
  const tiles = (c.tileImages * c.tileRows * c.tileColumns + 7) & -8;
  t.lines = aligned(scratch + windowBytes + taskBytes);
  t.cells = t.lines + linesBytes;
  w.pixelOffsets = t.cells + cellsBytes;
  w.outOffsets = aligned(w.pixelOffsets + (tiles << 2));
  t.extents = aligned(w.outOffsets + (tiles << 2));
  t.products = aligned(t.extents + (tiles << 2));
  t.tiles = aligned(t.products + ((components * 4 * tiles) << 2));
  w.block = aligned(t.tiles + ((components * c.channels * tiles) << 2));
}

function writeExtents(c: Convolution, w: Window, t: Task): void {
  const height = c.outPlane / c.outWidth;
  let at = t.extents;
  for (let image = 0; image < w.images; image++) {
    for (let i = w.row; i < w.row + w.rows; i++) {
      const rows = smaller(tileCells, height - i * tileCells);
      for (let j = w.column; j < w.column + w.columns; j++, at += 4) {
        store<i32>(at, (rows << 3) | smaller(tileCells, c.outWidth - j * tileCells));
      }
    }
  }
}

/** Transforms the window's tiles, a block of channels at a time. */
function transformWindow(c: Convolution, w: Window, t: Task, group: i32): void {
  const panelBytes = (c.channels as usize) * panelRowBytes, step = (t.panels as usize) * panelBytes;
  const rowBytes = (w.blockColumns as usize) << 2, planeBytes = (w.blockRows as usize) * rowBytes;
  for (let first = 0; first < c.channels; first += c.blockChannels) {
    w.channels = smaller(c.blockChannels, c.channels - first);
    loadBlock(c, w, group, first);
    writePixels(c, w);
    for (let i = 0; i < t.panels * panelWidth; i += 4) {
      const offsets = w.pixelOffsets + (i << 2);
      let p0 = w.block + load<i32>(offsets), p1 = w.block + load<i32>(offsets, 4);
      let p2 = w.block + load<i32>(offsets, 8), p3 = w.block + load<i32>(offsets, 12);
      let to = t.tiles + ((i >> 3) as usize) * panelBytes + (first as usize) * panelRowBytes + ((i & 4) << 2);
      for (let channel = 0; channel < w.channels; channel++, to += panelRowBytes) {
        transformSource(to, step, t.lines, p0, p1, p2, p3, rowBytes);
        p0 += planeBytes; p1 += planeBytes; p2 += planeBytes; p3 += planeBytes;
      }
    }
  }
}

/** A tile's four cells of one output row. */
@inline
function storeCells(to: usize, cells: v128, row: i32, extent: i32): void {
  if (extent == wholeTile) v128.store(to, cells);
  else if (row < extent >> 3) {
    if ((extent & 7) == tileCells) v128.store(to, cells);
    else storeLanes(to, cells, extent & 7);
  }
}

/** Writes row `row` of up to four tiles, whose cells stand in one vector a column. */
@inline
function storeRow(out: usize, offsets: usize, extents: usize, tiles: i32, row: i32, y0: v128, y1: v128, y2: v128, y3: v128): void {
  const low01 = v128.shuffle<f32>(y0, y1, 0, 4, 1, 5), low23 = v128.shuffle<f32>(y2, y3, 0, 4, 1, 5);
  storeCells(out + load<i32>(offsets), v128.shuffle<f32>(low01, low23, 0, 1, 4, 5), row, load<i32>(extents));
  if (tiles > 1) storeCells(out + load<i32>(offsets, 4), v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), row, load<i32>(extents, 4));
  const high01 = v128.shuffle<f32>(y0, y1, 2, 6, 3, 7), high23 = v128.shuffle<f32>(y2, y3, 2, 6, 3, 7);
  if (tiles > 2) storeCells(out + load<i32>(offsets, 8), v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), row, load<i32>(extents, 8));
  if (tiles > 3) storeCells(out + load<i32>(offsets, 12), v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), row, load<i32>(extents, 12));
}

/** `floor`: what no sum may be below, where neither pixels nor weights are negative: rounding errors of a tile's other pixels remain else. */
@inline
function finish(cells: usize, floor: v128, bias: v128, relu: bool): v128 {
  const value = f32x4.add(f32x4.pmax(v128.load(cells), floor), bias);
  return relu ? f32x4.pmax(value, f32x4.splat(0)) : value;
}

/** Transforms four output channels' products back and writes the cells. */
function storeOutput(c: Convolution, w: Window, t: Task, out: usize, channel: i32, rows: i32): void {
  const step = (t.panels as usize) * blockBytes, rowBytes = (c.outWidth as usize) << 2, relu = c.relu != 0;
  const floor = f32x4.splat(c.nonNegative ? 0 : -Infinity);
  for (let m = 0; m < rows; m++, out += (c.outPlane as usize) << 2) {
    const bias = v128.splat<f32>(c.bias ? load<f32>(c.bias + ((channel + m) << 2)) : 0);
    for (let i = 0; i < w.pixels; i += 4) {
      const source = t.products + ((i >> 3) as usize) * blockBytes + (m as usize) * panelRowBytes + ((i & 4) << 2);
      transformOutput(t.cells, t.lines, source, step);
      const offsets = w.outOffsets + (i << 2), extents = t.extents + (i << 2), tiles = w.pixels - i;
      for (let row = 0; row < tileCells; row++) {
        const cells = t.cells + ((row as usize) << 6);
        storeRow(out + (row as usize) * rowBytes, offsets, extents, tiles, row, finish(cells, floor, bias, relu), finish(cells + 16, floor, bias, relu),
          finish(cells + 32, floor, bias, relu), finish(cells + 48, floor, bias, relu));
      }
    }
  }
}

function multiplyWindow(c: Convolution, w: Window, t: Task, weights: usize, out: usize, channel: i32, channels: i32): void {
  const panelBytes = (c.channels as usize) * panelRowBytes, step = (t.panels as usize) * panelBytes;
  const weightStep = (ceilDivide(c.outChannels, panelWidth) as usize) * panelBytes;
  for (let m = 0; m < channels; m += 4) {
    let a = weights + ((m >> 3) as usize) * panelBytes + ((m & 4) << 2), b = t.tiles, product = t.products;
    for (let component = 0; component < components; component++, a += weightStep) {
      for (let panel = 0; panel < t.panels; panel++, b += panelBytes, product += blockBytes) {
        multiplyPanel(c.channels, a, b, 0, 0, product, panelRowBytes, false);
      }
    }
    storeOutput(c, w, t, out + ((m * c.outPlane) << 2), channel + m, smaller(4, channels - m));
  }
}

export function winograd(begin: i32, end: i32, scratch: usize, parameters: usize): void {
  const c = changetype<Convolution>(parameters), w = changetype<Window>(scratch), t = changetype<Task>(scratch + windowBytes);
  const tiles = tilesOf(c), weightPanels = ceilDivide(c.outChannels, panelWidth), panelBytes = (c.channels as usize) * panelRowBytes;
  layOut(c, w, t, scratch);
  for (let task = begin; task < end; task++) {
    const group = (task / tiles) % c.groups, firstChannel = (task / tiles / c.groups) * c.tileChannels;
    openWindow(c, w, task % tiles);
    t.panels = ceilDivide(w.pixels, panelWidth);
    transformWindow(c, w, t, group);
    writeExtents(c, w, t);
    const weights = c.weights + ((group * components * weightPanels + (firstChannel >> 3)) as usize) * panelBytes;
    const channel = group * c.outChannels + firstChannel;
    multiplyWindow(c, w, t, weights, c.out + ((channel * c.outPlane) << 2), channel, smaller(c.tileChannels, c.outChannels - firstChannel));
  }
}
