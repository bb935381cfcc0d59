// Direct convolution as an implicit matrix product, forward and for the input's gradient (which is a convolution as well, one for each phase
// of the stride). A task is one tile of the grid for one group and one range of output channels.
import { blockBytes, multiplyPanel, panelRowBytes, panelWidth } from "./gemm";
import {
  Convolution, WeightPacking, Window, aligned, ceilDivide, gatherFour, loadBlock, neighbours, openWindow, packPixels, tilesOf, windowBytes,
  writePixels, writeTaps,
} from "./convolution";
import { multiplyAdd, smaller } from "./simd";

/** Panels [group][⌈outChannels / 8⌉][channels · taps][8]. A task is one panel. */
export function packWeights(begin: i32, end: i32, scratch: usize, parameters: usize): void {
  const p = changetype<WeightPacking>(parameters);
  const panelsPerGroup = ceilDivide(p.outChannels, panelWidth), depth = p.channels * p.tapRows * p.tapColumns;
  for (let task = begin; task < end; task++) {
    const group = task / panelsPerGroup, first = (task % panelsPerGroup) * panelWidth;
    const rows = smaller(panelWidth, p.outChannels - first);
    const from = p.weights + ((group * p.groupStride + first * p.outStride) << 2);
    let to = p.panels + (task as usize) * ((depth as usize) * panelRowBytes);
    for (let channel = 0; channel < p.channels; channel++) {
      for (let r = 0; r < p.tapRows; r++) {
        for (let s = 0; s < p.tapColumns; s++, to += panelRowBytes) {
          const tap = channel * p.channelStride + (p.firstRow + r * p.rowStep) * p.width + p.firstColumn + s * p.columnStep;
          for (let m = 0; m < panelWidth; m++) {
            store<f32>(to + (m << 2), m < rows ? load<f32>(from + ((m * p.outStride + tap) << 2)) : 0);
          }
        }
      }
    }
  }
}

/** A task's working memory, and where it stands in the depth. */
@unmanaged
class Task {
  edge: usize; // one 4×8 block
  biases: usize; // a row of 8 equal values for each output channel
  panels: usize;
  sums: usize; // the tile's 4×8 blocks between two blocks of depth
  weights: usize; // panel of the task's first output channel, at the current depth
  weightPanelBytes: usize;
  out: usize; // the task's first output channel
  channels: i32;
  depth: i32;
  first: bool;
  last: bool;
}
const taskBytes: usize = 64;

/** Spreads a block's columns over pixels that are no neighbours in the output. */
function scatterBlock(c: Convolution, out: usize, block: usize, offsets: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++, out += (c.outPlane as usize) << 2, block += panelRowBytes) {
    for (let j = 0; j < columns; j++) store<f32>(out + load<i32>(offsets + (j << 2)), load<f32>(block + (j << 2)));
  }
}

function multiplyWindow(c: Convolution, w: Window, t: Task): void {
  const panelBytes = (t.depth as usize) * panelRowBytes, channelBytes = (c.outPlane as usize) << 2, relu = t.last && c.relu != 0;
  let sums = t.sums;
  for (let m = 0; m < t.channels; m += 4) {
    const a = t.weights + ((m >> 3) as usize) * t.weightPanelBytes + ((m & 4) << 2);
    const rows = smaller(4, t.channels - m);
    const out = t.out + (m as usize) * channelBytes;
    for (let j = 0; j < w.pixels; j += panelWidth, sums += blockBytes) {
      const b = t.panels + ((j >> 3) as usize) * panelBytes;
      const initial = t.first ? t.biases + (m as usize) * panelRowBytes : sums;
      const offsets = w.outOffsets + (j << 2), columns = smaller(panelWidth, w.pixels - j);
      if (!t.last) {
        multiplyPanel(t.depth, a, b, initial, panelRowBytes, sums, panelRowBytes, false);
      } else if (rows == 4 && columns == panelWidth && load<i32>(offsets, 28) - load<i32>(offsets) == 28 && neighbours(offsets, 0)) {
        multiplyPanel(t.depth, a, b, initial, panelRowBytes, out + load<i32>(offsets), channelBytes, relu);
      } else {
        multiplyPanel(t.depth, a, b, initial, panelRowBytes, t.edge, panelRowBytes, relu);
        scatterBlock(c, out, t.edge, offsets, rows, columns);
      }
    }
  }
}

function writeBiases(c: Convolution, t: Task, channel: i32): void {
  for (let m = 0; m < ((t.channels + 3) & -4); m++) {
    const value = v128.splat<f32>(c.bias && m < t.channels ? load<f32>(c.bias + ((channel + m) << 2)) : 0);
    v128.store(t.biases + (m as usize) * panelRowBytes, value);
    v128.store(t.biases + (m as usize) * panelRowBytes, value, 16);
  }
}

/** Lays the working memory out in the thread's scratch; the host has seen to it that it fits (conv2dGeometry.ts). */
function layOut(c: Convolution, w: Window, t: Task, scratch: usize): void {
  const taps = c.tapRows * c.tapColumns, pixels = (c.tileImages * c.tileRows * c.tileColumns + 7) & -8;
  t.edge = aligned(scratch + windowBytes + taskBytes);
  t.biases = t.edge + blockBytes;
  w.taps = t.biases + (((c.tileChannels + 3) & -4) as usize) * panelRowBytes;
  w.pixelOffsets = aligned(w.taps + ((c.blockChannels * taps) << 2));
  w.outOffsets = aligned(w.pixelOffsets + (pixels << 2));
  t.panels = aligned(w.outOffsets + (pixels << 2));
  t.sums = aligned(t.panels + ((c.blockChannels * taps * pixels) << 2));
  // Accumulators outlive a block of depth only where there are several.
  w.block = c.blockChannels < c.channels ? t.sums + ((((c.tileChannels + 3) & -4) * pixels) << 2) : t.sums;
}

/** One block of few output channels (depthwise: one) straight from the block, without packing: 16 pixels at a time. */
function multiplyDirect(c: Convolution, w: Window, t: Task): void {
  const relu = t.last && c.relu != 0, channelBytes = (c.outPlane as usize) << 2, zero = f32x4.splat(0);
  const lastTap = w.taps + (t.depth << 2);
  let sums = t.sums;
  for (let m = 0; m < t.channels; m++) {
    const weights = t.weights + (m << 2), out = t.out + (m as usize) * channelBytes;
    for (let j = 0; j < w.pixels; j += 4, sums += 16) {
      let total = t.first ? v128.load(t.biases + (m as usize) * panelRowBytes) : v128.load(sums);
      const offsets = w.pixelOffsets + (j << 2);
      let weight = weights;
      if (neighbours(w.pixelOffsets, j)) {
        const base = w.block + load<i32>(offsets);
        for (let tap = w.taps; tap < lastTap; tap += 4, weight += panelRowBytes) {
          total = multiplyAdd(v128.load32_splat(weight), v128.load(base + load<i32>(tap)), total);
        }
      } else {
        for (let tap = w.taps; tap < lastTap; tap += 4, weight += panelRowBytes) {
          total = multiplyAdd(v128.load32_splat(weight), gatherFour(w.block + load<i32>(tap), offsets), total);
        }
      }
      if (relu) total = f32x4.pmax(total, zero);
      if (!t.last) v128.store(sums, total);
      else if (j + 4 <= w.pixels && neighbours(w.outOffsets, j)) v128.store(out + load<i32>(w.outOffsets + (j << 2)), total);
      else {
        v128.store(t.edge, total);
        scatterBlock(c, out, t.edge, w.outOffsets + (j << 2), 1, smaller(4, w.pixels - j));
      }
    }
  }
}

/** Below so many output channels a group's product is computed without packing. */
const directChannels: i32 = 3;

export function convolve(begin: i32, end: i32, scratch: usize, parameters: usize): void {
  const c = changetype<Convolution>(parameters), w = changetype<Window>(scratch), t = changetype<Task>(scratch + windowBytes);
  const tiles = tilesOf(c), taps = c.tapRows * c.tapColumns;
  layOut(c, w, t, scratch);
  for (let task = begin; task < end; task++) {
    const group = (task / tiles) % c.groups, firstChannel = (task / tiles / c.groups) * c.tileChannels;
    openWindow(c, w, task % tiles);
    t.channels = smaller(c.tileChannels, c.outChannels - firstChannel);
    t.weightPanelBytes = ((c.channels * taps) as usize) * panelRowBytes;
    const panel = group * ceilDivide(c.outChannels, panelWidth) + (firstChannel >> 3);
    t.out = c.out + (((group * c.outChannels + firstChannel) as usize) * (c.outPlane as usize) << 2);
    writeBiases(c, t, group * c.outChannels + firstChannel);
    let channel = 0;
    do { // once even where there is nothing to sum: the bias remains
      const count = smaller(c.blockChannels, c.channels - channel);
      t.depth = count * taps;
      t.first = channel == 0;
      t.last = channel + count >= c.channels;
      t.weights = c.weights + (panel as usize) * t.weightPanelBytes + ((channel * taps) as usize) * panelRowBytes;
      writeTaps(c, w, count);
      writePixels(c, w);
      if (t.depth > 0) loadBlock(c, w, group, channel);
      if (c.outChannels <= directChannels) multiplyDirect(c, w, t);
      else {
        packPixels(w, t.panels, t.depth);
        multiplyWindow(c, w, t);
      }
      channel += count;
    } while (channel < c.channels);
  }
}
