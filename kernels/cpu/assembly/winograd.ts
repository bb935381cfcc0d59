// 3×3 convolution of step 1 by Winograd's F(2×2, 3×3), forward and for the input's gradient: 2.25 times fewer multiplications. The grid counts
// 2×2 tiles of output; each sees a 4×4 tile of source. The sum over channels becomes 16 matrix products, one for each component of the
// transformed tiles, on the same panels and micro-kernel as everything else. A task transforms one window of tiles, multiplies it by all
// output channels of its range and transforms the products back, so that nothing but the weights is ever stored transformed.
import { Convolution, WeightPacking, Window, aligned, ceilDivide, loadBlock, openWindow, tilesOf, windowBytes, writePixels } from "./convolution";
import { blockBytes, multiplyPanel, panelRowBytes, panelWidth } from "./gemm";
import { smaller } from "./simd";
import { outputLeft, outputRight, transformSource, transformWeight } from "./winogradTransforms";

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

/** Panels [group][component][⌈outChannels / 8⌉][channels][8] of transformed weights. A task is one panel, all components. */
export function winogradWeights(begin: i32, end: i32, scratch: usize, parameters: usize): void {
  const p = changetype<WeightPacking>(parameters);
  const panels = ceilDivide(p.outChannels, panelWidth), panelBytes = (p.channels as usize) * panelRowBytes;
  const step = (panels as usize) * panelBytes;
  for (let task = begin; task < end; task++) {
    const group = task / panels, panel = task % panels;
    for (let half = 0; half < 2; half++) {
      const first = panel * panelWidth + half * 4, rows = p.outChannels - first;
      let from = p.weights + ((group * p.groupStride + first * p.outStride) << 2);
      let to = p.panels + (group as usize) * 16 * step + (panel as usize) * panelBytes + (half << 4);
      for (let channel = 0; channel < p.channels; channel++, from += p.channelStride << 2, to += panelRowBytes) {
        transformWeight(to, step,
          fourTaps(p, from, 0, 0, rows), fourTaps(p, from, 0, 1, rows), fourTaps(p, from, 0, 2, rows),
          fourTaps(p, from, 1, 0, rows), fourTaps(p, from, 1, 1, rows), fourTaps(p, from, 1, 2, rows),
          fourTaps(p, from, 2, 0, rows), fourTaps(p, from, 2, 1, rows), fourTaps(p, from, 2, 2, rows));
      }
    }
  }
}

/** A task's working memory. */
@unmanaged
class Task {
  tiles: usize; // transformed source: [component][panel of 8 tiles][channel][8]
  products: usize; // four output channels: [component][panel of 8 tiles][4][8]
  panels: i32; // of 8 tiles
}
const taskBytes: usize = 64;

function layOut(c: Convolution, w: Window, t: Task, scratch: usize): void {
  const tiles = (c.tileImages * c.tileRows * c.tileColumns + 7) & -8;
  w.pixelOffsets = aligned(scratch + windowBytes + taskBytes);
  w.outOffsets = aligned(w.pixelOffsets + (tiles << 2));
  t.products = aligned(w.outOffsets + (tiles << 2));
  t.tiles = aligned(t.products + ((16 * 4 * tiles) << 2));
  w.block = aligned(t.tiles + ((16 * c.channels * tiles) << 2));
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
        transformSource(to, step, p0, p1, p2, p3, rowBytes);
        p0 += planeBytes; p1 += planeBytes; p2 += planeBytes; p3 += planeBytes;
      }
    }
  }
}

/** Both cells of one output row for four tiles, left and right interleaved; the last tile of an odd row has no right cell. */
function storeOutputRow(c: Convolution, out: usize, offsets: usize, tiles: i32, left: v128, right: v128): void {
  let pairs = v128.shuffle<f32>(left, right, 0, 4, 1, 5);
  for (let i = 0; i < tiles; i++, offsets += 4) {
    if (i == 2) pairs = v128.shuffle<f32>(left, right, 2, 6, 3, 7);
    const to = out + load<i32>(offsets);
    // Where the output is odd, whether a tile's right cell exists follows from its column; even outputs (nearly all) never ask.
    const single = (c.outWidth & 1) != 0 && ((load<u32>(offsets) >> 2) % (c.outWidth as u32)) as i32 == c.outWidth - 1;
    if (i & 1) {
      if (single) v128.store32_lane(to, pairs, 2);
      else v128.store64_lane(to, pairs, 1);
    } else if (single) v128.store32_lane(to, pairs, 0);
    else v128.store64_lane(to, pairs, 0);
  }
}

/** Transforms four output channels' products back and writes the 2×2 cells. */
function storeOutput(c: Convolution, w: Window, t: Task, out: usize, channel: i32, rows: i32): void {
  const step = (t.panels as usize) * blockBytes, zero = f32x4.splat(0), rowBytes = (c.outWidth as usize) << 2;
  const height = c.outPlane / c.outWidth;
  for (let m = 0; m < rows; m++, out += (c.outPlane as usize) << 2) {
    const bias = v128.splat<f32>(c.bias ? load<f32>(c.bias + ((channel + m) << 2)) : 0);
    for (let i = 0; i < w.pixels; i += 4) {
      const source = t.products + ((i >> 3) as usize) * blockBytes + (m as usize) * panelRowBytes + ((i & 4) << 2);
      const offsets = w.outOffsets + (i << 2), tiles = smaller(4, w.pixels - i);
      let left = f32x4.add(outputLeft(source, step, 0), bias), right = f32x4.add(outputRight(source, step, 0), bias);
      if (c.relu) { left = f32x4.pmax(left, zero); right = f32x4.pmax(right, zero); }
      storeOutputRow(c, out, offsets, tiles, left, right);
      left = f32x4.add(outputLeft(source, step, 1), bias); right = f32x4.add(outputRight(source, step, 1), bias);
      if (c.relu) { left = f32x4.pmax(left, zero); right = f32x4.pmax(right, zero); }
      if ((height & 1) == 0) storeOutputRow(c, out + rowBytes, offsets, tiles, left, right);
      else storeLowerRow(c, w, out + rowBytes, i, tiles, left, right);
    }
  }
}

/** The second row of the tiles of an odd output: the tiles of the last tile row have none. */
function storeLowerRow(c: Convolution, w: Window, out: usize, first: i32, tiles: i32, left: v128, right: v128): void {
  for (let i = 0; i < tiles; i++) {
    const row = w.row + ((first + i) / w.columns) % w.rows;
    if (row < c.gridRows - 1) storeOutputRow(c, out, w.outOffsets + ((first + i) << 2), 1, left, right);
    left = v128.shuffle<f32>(left, left, 1, 2, 3, 0);
    right = v128.shuffle<f32>(right, right, 1, 2, 3, 0);
  }
}

function multiplyWindow(c: Convolution, w: Window, t: Task, weights: usize, out: usize, channel: i32, channels: i32): void {
  const panelBytes = (c.channels as usize) * panelRowBytes, step = (t.panels as usize) * panelBytes;
  const weightStep = (ceilDivide(c.outChannels, panelWidth) as usize) * panelBytes;
  for (let m = 0; m < channels; m += 4) {
    let a = weights + ((m >> 3) as usize) * panelBytes + ((m & 4) << 2), b = t.tiles, product = t.products;
    for (let component = 0; component < 16; component++, a += weightStep) {
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
    const weights = c.weights + ((group * 16 * weightPanels + (firstChannel >> 3)) as usize) * panelBytes;
    const channel = group * c.outChannels + firstChannel;
    multiplyWindow(c, w, t, weights, c.out + ((channel * c.outPlane) << 2), channel, smaller(c.tileChannels, c.outChannels - firstChannel));
  }
}
