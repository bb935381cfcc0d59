// The weight's gradient of a 3×3 convolution of step 1 by Winograd: 36 products [outChannels, tiles]·[tiles, channels] of the transformed
// gradient and source, summed over the tiles, and one transform back at the end (winogradTransforms.ts). A task is one piece of the tiles for
// one group, one range of output channels and one of source channels.
import { Convolution, Window, aligned, ceilDivide, copyRow, loadBlock, openWindow, tilesOf, windowBytes, writePixels } from "./convolution";
import { blockBytes, multiplyPanel, panelRowBytes, panelWidth } from "./gemm";
import { smaller } from "./simd";
import { components, linesBytes, tileCells, transformGradient, transformSource, transformWeightGrad } from "./winogradTransforms";

/** A task's working memory. In the Convolution, blockChannels is the range of output channels and tileChannels that of source channels. */
@unmanaged
class Task {
  gradient: usize; // the window's cells of the output's gradient: [images][outs][4 · rows][4 · columns], zero beyond the edge
  gradientOffsets: usize; // byte offset of each tile in it
  left: usize; // transformed gradient: [component][panel of 8 outs][tile][8]
  right: usize; // transformed source: [component][panel of 8 channels][tile][8]
  sums: usize; // [component][four outs][panel of 8 channels][4][8]
  nine: usize; // the 3×3 gradients of four weights
  lines: usize; // of a transform under way
  outs: i32;
  channels: i32;
}
const taskBytes: usize = 64;
const nineBytes: usize = 192;

function layOut(c: Convolution, w: Window, t: Task, scratch: usize): void {
  const tiles = (c.tileImages * c.tileRows * c.tileColumns + 7) & -8, outs = (c.blockChannels + 7) & -8, channels = (c.tileChannels + 7) & -8;
  t.nine = aligned(scratch + windowBytes + taskBytes);
  t.lines = t.nine + nineBytes;
  w.pixelOffsets = t.lines + linesBytes;
  w.outOffsets = aligned(w.pixelOffsets + (tiles << 2));
  t.gradientOffsets = aligned(w.outOffsets + (tiles << 2));
  t.left = aligned(t.gradientOffsets + (tiles << 2));
  t.right = t.left + ((components * outs * tiles) << 2);
  t.sums = t.right + ((components * channels * tiles) << 2);
  t.gradient = t.sums + ((components * outs * channels) << 2);
  w.block = t.gradient + ((tileCells * tileCells * outs * tiles) << 2);
}

/** Copies the window's part of the gradient, whole tiles. */
function loadGradient(c: Convolution, w: Window, t: Task, firstChannel: i32): void {
  const height = c.outPlane / c.outWidth, rows = tileCells * w.rows, columns = tileCells * w.columns, rowBytes = (columns as usize) << 2;
  let target = t.gradient, offset = t.gradientOffsets;
  for (let image = 0; image < w.images; image++) {
    for (let i = 0; i < w.rows; i++) {
      const from = (image * t.outs * rows + tileCells * i) * columns;
      for (let j = 0; j < w.columns; j++, offset += 4) store<i32>(offset, (from + tileCells * j) << 2);
    }
    for (let channel = 0; channel < t.outs; channel++) {
      const plane = (w.image + image) * c.groups * c.outChannels + firstChannel + channel;
      for (let i = 0; i < rows; i++, target += rowBytes) {
        const row = tileCells * w.row + i;
        if (row >= height) memory.fill(target, 0, rowBytes);
        else copyRow(target, c.weights + ((plane * c.outPlane + row * c.outWidth) << 2), tileCells * w.column, columns, c.outWidth);
      }
    }
  }
}

function transformGradients(w: Window, t: Task): void {
  const rowBytes = ((tileCells * w.columns) as usize) << 2, planeBytes = ((tileCells * w.rows) as usize) * rowBytes;
  const panelBytes = (w.pixels as usize) * panelRowBytes, step = (ceilDivide(t.outs, panelWidth) as usize) * panelBytes;
  for (let o = 0; o < t.outs; o += 4) {
    const last = t.outs - 1 - o, base = t.gradient + (o as usize) * planeBytes;
    const second = (smaller(1, last) as usize) * planeBytes, third = (smaller(2, last) as usize) * planeBytes;
    const fourth = (smaller(3, last) as usize) * planeBytes;
    let to = t.left + ((o >> 3) as usize) * panelBytes + ((o & 4) << 2);
    for (let i = 0; i < w.pixels; i++, to += panelRowBytes) {
      const p = base + load<i32>(t.gradientOffsets + (i << 2));
      transformGradient(to, step, t.lines, p, p + second, p + third, p + fourth, rowBytes);
    }
  }
}

function transformSources(w: Window, t: Task): void {
  const rowBytes = (w.blockColumns as usize) << 2, planeBytes = (w.blockRows as usize) * rowBytes;
  const panelBytes = (w.pixels as usize) * panelRowBytes, step = (ceilDivide(t.channels, panelWidth) as usize) * panelBytes;
  for (let channel = 0; channel < t.channels; channel += 4) {
    const last = t.channels - 1 - channel, base = w.block + (channel as usize) * planeBytes;
    const second = (smaller(1, last) as usize) * planeBytes, third = (smaller(2, last) as usize) * planeBytes;
    const fourth = (smaller(3, last) as usize) * planeBytes;
    let to = t.right + ((channel >> 3) as usize) * panelBytes + ((channel & 4) << 2);
    for (let i = 0; i < w.pixels; i++, to += panelRowBytes) {
      const p = base + load<i32>(w.pixelOffsets + (i << 2));
      transformSource(to, step, t.lines, p, p + second, p + third, p + fourth, rowBytes);
    }
  }
}

function multiplyTiles(w: Window, t: Task, first: bool): void {
  const panelBytes = (w.pixels as usize) * panelRowBytes;
  const leftStep = (ceilDivide(t.outs, panelWidth) as usize) * panelBytes, rightPanels = ceilDivide(t.channels, panelWidth);
  let sums = t.sums;
  for (let component = 0; component < components; component++) {
    const left = t.left + (component as usize) * leftStep, right = t.right + ((component * rightPanels) as usize) * panelBytes;
    for (let o = 0; o < t.outs; o += 4) {
      const a = left + ((o >> 3) as usize) * panelBytes + ((o & 4) << 2);
      for (let panel = 0; panel < rightPanels; panel++, sums += blockBytes) {
        multiplyPanel(w.pixels, a, right + (panel as usize) * panelBytes, first ? 0 : sums, panelRowBytes, sums, panelRowBytes, false);
      }
    }
  }
}

/** Transforms the sums back into the piece's [outChannels, channels, 3, 3]. */
function storeWeights(c: Convolution, t: Task, out: usize): void {
  const rightPanels = ceilDivide(t.channels, panelWidth), step = ((ceilDivide(t.outs, 4) * rightPanels) as usize) * blockBytes;
  for (let o = 0; o < t.outs; o++) {
    for (let channel = 0; channel < t.channels; channel += 4) {
      const block = (o >> 2) * rightPanels + (channel >> 3);
      const source = t.sums + (block as usize) * blockBytes + ((o & 3) as usize) * panelRowBytes + ((channel & 4) << 2);
      transformWeightGrad(t.nine, t.lines, source, step);
      const to = out + (((o * c.channels + channel) * 9) << 2), count = smaller(4, t.channels - channel);
      for (let i = 0; i < count; i++) {
        for (let tap = 0; tap < 9; tap++) store<f32>(to + ((i * 9 + tap) << 2), load<f32>(t.nine + (tap << 4) + (i << 2)));
      }
    }
  }
}

export function winogradWeightGrad(begin: i32, end: i32, scratch: usize, parameters: usize): void {
  const c = changetype<Convolution>(parameters), w = changetype<Window>(scratch), t = changetype<Task>(scratch + windowBytes);
  const tiles = tilesOf(c), ranges = ceilDivide(c.channels, c.tileChannels), outRanges = ceilDivide(c.outChannels, c.blockChannels);
  layOut(c, w, t, scratch);
  for (let task = begin; task < end; task++) {
    const firstChannel = (task % ranges) * c.tileChannels, firstOut = ((task / ranges) % outRanges) * c.blockChannels;
    const group = (task / ranges / outRanges) % c.groups, piece = task / ranges / outRanges / c.groups;
    t.channels = smaller(c.tileChannels, c.channels - firstChannel);
    t.outs = smaller(c.blockChannels, c.outChannels - firstOut);
    const firstTile = piece * c.tilesPerPiece, lastTile = smaller(firstTile + c.tilesPerPiece, tiles);
    for (let tile = firstTile; tile < lastTile; tile++) {
      openWindow(c, w, tile);
      w.channels = t.channels;
      writePixels(c, w);
      loadBlock(c, w, group, firstChannel);
      loadGradient(c, w, t, group * c.outChannels + firstOut);
      transformGradients(w, t);
      transformSources(w, t);
      multiplyTiles(w, t, tile == firstTile);
    }
    const row = (piece * c.groups + group) * c.outChannels + firstOut;
    storeWeights(c, t, c.out + (((row * c.channels + firstChannel) * 9) << 2));
  }
}
