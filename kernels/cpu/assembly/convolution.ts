// What the direct convolutions share: the description of a convolution, the zero-padded block of the source that a tile of output needs, and
// the packing of its windows into panels. A convolution is a matrix product whose right operand, [channels·taps, pixels], is never stored:
// a tile's panels are packed from the block, in which every tap of every pixel is a plain offset and no bound has to be checked.
import { packStreams, panelRowBytes } from "./gemm";
import { smaller } from "./simd";

/**
 * A convolution over a grid of pixels: grid cell (i, j) of a channel sees source[i·stepRows + originRow + r·dilationRows][…] for each tap r, s.
 * Forward, the grid is the output and the steps are the strides. For the input's gradient the source is the output's gradient, and the grid
 * is one of stride² interleaved grids on the input, which the taps of that phase reach with step 1. Written by conv2dGeometry.ts of the host.
 */
@unmanaged
export class Convolution {
  source: usize; // [images, groups · channels, height, width]
  weights: usize; // panels [groups][⌈outChannels / 8⌉][channels · taps][8]; weight gradient: the gradient of the output
  bias: usize;
  out: usize;
  images: i32;
  groups: i32;
  channels: i32; // of the source, per group
  height: i32;
  width: i32;
  outChannels: i32; // per group
  tapRows: i32;
  tapColumns: i32;
  dilationRows: i32;
  dilationColumns: i32;
  originRow: i32;
  originColumn: i32;
  stepRows: i32;
  stepColumns: i32;
  gridRows: i32;
  gridColumns: i32;
  // Where grid cell (i, j) lies in an output plane: row outRow + i·outRowStep of outWidth columns, …
  outPlane: i32;
  outWidth: i32;
  outRow: i32;
  outColumn: i32;
  outRowStep: i32;
  outColumnStep: i32;
  // How the work is cut.
  tileImages: i32;
  tileRows: i32;
  tileColumns: i32;
  tileChannels: i32; // output channels of a task (weight gradient: source channels)
  blockChannels: i32; // source channels packed at a time
  relu: i32;
  pieces: i32; // weight gradient: into how many sums the pixels are split
  tilesPerPiece: i32;
  nonNegative: i32; // Winograd: neither source nor weights are below 0, so no sum may be
}

/** How a weight [.., rows, columns] becomes the left operand: element (m, channel, r, s) is at m·outStride + channel·channelStride + tap. */
@unmanaged
export class WeightPacking {
  weights: usize;
  panels: usize;
  groups: i32;
  outChannels: i32;
  channels: i32;
  groupStride: i32;
  outStride: i32;
  channelStride: i32;
  tapRows: i32;
  tapColumns: i32;
  firstRow: i32;
  firstColumn: i32;
  rowStep: i32; // may be negative: the gradient meets the taps in reverse order
  columnStep: i32;
  width: i32;
  marks: usize; // of Winograd's panels: what a weight holds
}

/** One tile of the grid, and the block of source that it sees: [images][channels][rows][columns]. */
@unmanaged
export class Window {
  image: i32;
  images: i32;
  row: i32;
  rows: i32;
  column: i32;
  columns: i32;
  block: usize;
  blockRows: i32;
  blockColumns: i32;
  channels: i32; // in the block
  pixels: i32;
  taps: usize; // byte offset in the block of each (channel, r, s)
  pixelOffsets: usize; // byte offset in the block of each pixel's first tap
  outOffsets: usize; // byte offset of each pixel from out, in channel 0
}
export const windowBytes: usize = 64;

@inline
export function ceilDivide(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}

@inline
export function aligned(pointer: usize): usize {
  return (pointer + 63) & ~63;
}

export function tilesOf(c: Convolution): i32 {
  return ceilDivide(c.images, c.tileImages) * ceilDivide(c.gridRows, c.tileRows) * ceilDivide(c.gridColumns, c.tileColumns);
}

/** Sets the window to tile number `tile`. */
export function openWindow(c: Convolution, w: Window, tile: i32): void {
  const acrossColumns = ceilDivide(c.gridColumns, c.tileColumns), acrossRows = ceilDivide(c.gridRows, c.tileRows);
  w.column = (tile % acrossColumns) * c.tileColumns;
  w.row = ((tile / acrossColumns) % acrossRows) * c.tileRows;
  w.image = (tile / acrossColumns / acrossRows) * c.tileImages;
  w.columns = smaller(c.tileColumns, c.gridColumns - w.column);
  w.rows = smaller(c.tileRows, c.gridRows - w.row);
  w.images = smaller(c.tileImages, c.images - w.image);
  w.pixels = w.images * w.rows * w.columns;
  w.blockRows = (w.rows - 1) * c.stepRows + (c.tapRows - 1) * c.dilationRows + 1;
  w.blockColumns = (w.columns - 1) * c.stepColumns + (c.tapColumns - 1) * c.dilationColumns + 1;
}

/** Byte offsets of each (channel, r, s) in a block of `channels` channels. */
export function writeTaps(c: Convolution, w: Window, channels: i32): void {
  w.channels = channels;
  const plane = w.blockRows * w.blockColumns;
  let taps = w.taps;
  for (let channel = 0; channel < channels; channel++) {
    for (let r = 0; r < c.tapRows; r++) {
      for (let s = 0; s < c.tapColumns; s++, taps += 4) {
        store<i32>(taps, (channel * plane + r * c.dilationRows * w.blockColumns + s * c.dilationColumns) << 2);
      }
    }
  }
}

/** Byte offsets of each pixel in the block (of w.channels channels) and in the output. */
export function writePixels(c: Convolution, w: Window): void {
  let at = w.pixelOffsets, out = w.outOffsets;
  for (let image = 0; image < w.images; image++) {
    for (let i = 0; i < w.rows; i++) {
      const from = (image * w.channels * w.blockRows + i * c.stepRows) * w.blockColumns;
      const row = (w.image + image) * c.groups * c.outChannels * c.outPlane + (c.outRow + (w.row + i) * c.outRowStep) * c.outWidth;
      for (let j = 0; j < w.columns; j++, at += 4, out += 4) {
        store<i32>(at, (from + j * c.stepColumns) << 2);
        store<i32>(out, (row + c.outColumn + (w.column + j) * c.outColumnStep) << 2);
      }
    }
  }
  for (let rest = w.pixels; rest & 7; rest++, at += 4) store<i32>(at, 0); // the last panel's surplus reads anything
}

/** Row of the block: zeros, the source's columns [start, start + count) as far as they exist, zeros. */
export function copyRow(target: usize, row: usize, start: i32, count: i32, width: i32): void {
  let i = 0;
  for (; i < count && start + i < 0; i++) store<f32>(target + (i << 2), 0);
  const last = smaller(count, width - start);
  for (; i + 4 <= last; i += 4) v128.store(target + (i << 2), v128.load(row + ((start + i) << 2)));
  for (; i < last; i++) store<f32>(target + (i << 2), load<f32>(row + ((start + i) << 2)));
  for (; i < count; i++) store<f32>(target + (i << 2), 0);
}

/** Fills the block with the channels [first, first + w.channels) of the group. */
export function loadBlock(c: Convolution, w: Window, group: i32, first: i32): void {
  const top = w.row * c.stepRows + c.originRow, left = w.column * c.stepColumns + c.originColumn;
  const rowBytes = (w.blockColumns as usize) << 2;
  let target = w.block;
  for (let image = 0; image < w.images; image++) {
    for (let channel = 0; channel < w.channels; channel++) {
      const plane = (((w.image + image) * c.groups + group) * c.channels + first + channel) * c.height;
      for (let i = 0; i < w.blockRows; i++, target += rowBytes) {
        const row = top + i;
        if (row < 0 || row >= c.height) memory.fill(target, 0, rowBytes);
        else copyRow(target, c.source + (((plane + row) as usize) * (c.width as usize) << 2), left, w.blockColumns, c.width);
      }
    }
  }
}

/** Whether pixels i … i + 3 are neighbours in the table of byte offsets. */
@inline
export function neighbours(offsets: usize, i: i32): bool {
  const at = offsets + (i << 2);
  return load<i32>(at, 12) - load<i32>(at) == 12 && load<i32>(at, 4) - load<i32>(at) == 4 && load<i32>(at, 8) - load<i32>(at) == 8;
}

/** Four floats at the four pixels' offsets from `base`. */
@inline
export function gatherFour(base: usize, offsets: usize): v128 {
  let v = v128.load32_zero(base + load<i32>(offsets));
  v = v128.load32_lane(base + load<i32>(offsets, 4), v, 1);
  v = v128.load32_lane(base + load<i32>(offsets, 8), v, 2);
  return v128.load32_lane(base + load<i32>(offsets, 12), v, 3);
}

/** Panels of 8 pixels with the block's taps along their depth: the right operand of the forward product. */
export function packPixels(w: Window, target: usize, depth: i32): void {
  for (let i = 0; i < w.pixels; i += 4) {
    let to = target + ((i >> 3) as usize) * ((depth as usize) * panelRowBytes) + ((i & 4) << 2);
    const offsets = w.pixelOffsets + (i << 2), lastTap = w.taps + (depth << 2);
    if (neighbours(w.pixelOffsets, i)) {
      const base = w.block + load<i32>(offsets);
      for (let tap = w.taps; tap < lastTap; tap += 4, to += panelRowBytes) v128.store(to, v128.load(base + load<i32>(tap)));
    } else {
      for (let tap = w.taps; tap < lastTap; tap += 4, to += panelRowBytes) v128.store(to, gatherFour(w.block + load<i32>(tap), offsets));
    }
  }
}

/** Half a panel (4 streams) whose depth are the window's pixels; as many at once as lie side by side, a row where the step is 1. */
export function packPixelStreams(target: usize, offsets: usize, pixels: i32, p0: usize, p1: usize, p2: usize, p3: usize): void {
  for (let i = 0; i < pixels;) {
    const offset = load<i32>(offsets + (i << 2));
    let run = 1;
    while (i + run < pixels && load<i32>(offsets + ((i + run) << 2)) == offset + (run << 2)) run++;
    packStreams(target, run, p0 + offset, p1 + offset, p2 + offset, p3 + offset);
    target += (run as usize) * panelRowBytes;
    i += run;
  }
}
