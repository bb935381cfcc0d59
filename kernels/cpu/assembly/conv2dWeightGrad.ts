// The weight's gradient: [outChannels, pixels] of the output's gradient times [pixels, channels·taps] of the source's windows. The pixels of
// the whole batch are the depth of this product. A task is one piece of them (conv2dGrad.ts of the host cuts by the sizes alone and adds the
// pieces in order, so that the sum does not depend on the threads), for one group and one range of source channels.
import {
  Convolution, Window, aligned, ceilDivide, gatherFour, loadBlock, neighbours, openWindow, packPixelStreams, tilesOf, windowBytes,
  writePixels, writeTaps,
} from "./convolution";
import { blockBytes, copyBlock, multiplyPanel, panelRowBytes, panelWidth } from "./gemm";
import { multiplyAdd, smaller, sumLanes } from "./simd";

/** A task's working memory. */
@unmanaged
class Task {
  edge: usize; // one 4×8 block
  gradient: usize; // packed: panels of 8 output channels; direct: the pixels of one output channel
  windows: usize; // panels of 8 taps
  source: usize; // the gradient of the task's group, offset 0
  out: usize; // row 0, column of the task's first tap
  outStride: usize;
  taps: i32;
  first: bool;
}
const taskBytes: usize = 64;

function layOut(c: Convolution, w: Window, t: Task, scratch: usize): void {
  const taps = c.tileChannels * c.tapRows * c.tapColumns, pixels = (c.tileImages * c.tileRows * c.tileColumns + 7) & -8;
  t.edge = aligned(scratch + windowBytes + taskBytes);
  w.taps = t.edge + blockBytes;
  w.pixelOffsets = aligned(w.taps + (taps << 2));
  w.outOffsets = aligned(w.pixelOffsets + (pixels << 2));
  t.gradient = aligned(w.outOffsets + (pixels << 2));
  t.windows = t.gradient + ((((c.outChannels + 7) & -8) * pixels) << 2);
  w.block = t.windows + ((((taps + 7) & -8) * pixels) << 2);
}

function packGradient(c: Convolution, w: Window, t: Task): void {
  const plane = (c.outPlane as usize) << 2, panelBytes = (w.pixels as usize) * panelRowBytes;
  for (let m = 0; m < c.outChannels; m += 4) {
    const last = c.outChannels - 1 - m, p = t.source + (m as usize) * plane;
    packPixelStreams(
      t.gradient + ((m >> 3) as usize) * panelBytes + ((m & 4) << 2), w.outOffsets, w.pixels,
      p, p + (smaller(1, last) as usize) * plane, p + (smaller(2, last) as usize) * plane, p + (smaller(3, last) as usize) * plane,
    );
  }
}

function packWindows(w: Window, t: Task): void {
  const panelBytes = (w.pixels as usize) * panelRowBytes;
  for (let tap = 0; tap < t.taps; tap += 4) {
    const at = w.taps + (tap << 2), last = t.taps - 1 - tap;
    packPixelStreams(
      t.windows + ((tap >> 3) as usize) * panelBytes + ((tap & 4) << 2), w.pixelOffsets, w.pixels,
      w.block + load<i32>(at), w.block + load<i32>(at + (smaller(1, last) << 2)),
      w.block + load<i32>(at + (smaller(2, last) << 2)), w.block + load<i32>(at + (smaller(3, last) << 2)),
    );
  }
}

function multiplyPacked(c: Convolution, w: Window, t: Task): void {
  const panelBytes = (w.pixels as usize) * panelRowBytes;
  for (let m = 0; m < c.outChannels; m += 4) {
    const a = t.gradient + ((m >> 3) as usize) * panelBytes + ((m & 4) << 2), rows = smaller(4, c.outChannels - m);
    for (let j = 0; j < t.taps; j += panelWidth) {
      const b = t.windows + ((j >> 3) as usize) * panelBytes, columns = smaller(panelWidth, t.taps - j);
      const out = t.out + (m as usize) * t.outStride + (j << 2);
      if (rows == 4 && columns == panelWidth) {
        multiplyPanel(w.pixels, a, b, t.first ? 0 : out, t.outStride, out, t.outStride, false);
      } else {
        memory.fill(t.edge, 0, blockBytes);
        if (!t.first) copyBlock(t.edge, panelRowBytes, out, t.outStride, rows, columns);
        multiplyPanel(w.pixels, a, b, t.edge, panelRowBytes, t.edge, panelRowBytes, false);
        copyBlock(out, t.outStride, t.edge, panelRowBytes, rows, columns);
      }
    }
  }
}

/** Σ over the window's pixels of gradient · source at one tap. */
function dotPixels(w: Window, gradient: usize, base: usize): f32 {
  let total = f32x4.splat(0), i = 0;
  for (; i + 4 <= w.pixels; i += 4) {
    const offsets = w.pixelOffsets + (i << 2);
    const x = neighbours(w.pixelOffsets, i) ? v128.load(base + load<i32>(offsets)) : gatherFour(base, offsets);
    total = multiplyAdd(v128.load(gradient + (i << 2)), x, total);
  }
  let sum = sumLanes(total);
  for (; i < w.pixels; i++) sum += load<f32>(gradient + (i << 2)) * load<f32>(base + load<i32>(w.pixelOffsets + (i << 2)));
  return sum;
}

/** Few output channels in a group (depthwise: one): dot products straight from the block. */
function multiplyDirect(c: Convolution, w: Window, t: Task): void {
  for (let m = 0; m < c.outChannels; m++) {
    const plane = t.source + ((m * c.outPlane) << 2), out = t.out + (m as usize) * t.outStride;
    for (let i = 0; i < w.pixels; i++) store<f32>(t.gradient + (i << 2), load<f32>(plane + load<i32>(w.outOffsets + (i << 2))));
    for (let tap = 0; tap < t.taps; tap++) {
      const sum = dotPixels(w, t.gradient, w.block + load<i32>(w.taps + (tap << 2)));
      store<f32>(out + (tap << 2), t.first ? sum : load<f32>(out + (tap << 2)) + sum);
    }
  }
}

const directChannels: i32 = 2;

export function convolveWeightGrad(begin: i32, end: i32, scratch: usize, parameters: usize): void {
  const c = changetype<Convolution>(parameters), w = changetype<Window>(scratch), t = changetype<Task>(scratch + windowBytes);
  const tiles = tilesOf(c), ranges = ceilDivide(c.channels, c.tileChannels), taps = c.tapRows * c.tapColumns;
  t.outStride = (c.channels * taps) << 2;
  layOut(c, w, t, scratch);
  for (let task = begin; task < end; task++) {
    const firstChannel = (task % ranges) * c.tileChannels, group = (task / ranges) % c.groups, piece = task / ranges / c.groups;
    const channels = smaller(c.tileChannels, c.channels - firstChannel);
    t.taps = channels * taps;
    t.source = c.weights + (((group * c.outChannels) as usize) * (c.outPlane as usize) << 2);
    t.out = c.out + (((piece * c.groups + group) * c.outChannels) as usize) * t.outStride + ((firstChannel * taps) << 2);
    const firstTile = piece * c.tilesPerPiece, lastTile = smaller(firstTile + c.tilesPerPiece, tiles);
    for (let tile = firstTile; tile < lastTile; tile++) {
      t.first = tile == firstTile;
      openWindow(c, w, tile);
      writeTaps(c, w, channels);
      writePixels(c, w);
      loadBlock(c, w, group, firstChannel);
      if (c.outChannels <= directChannels) multiplyDirect(c, w, t);
      else {
        packGradient(c, w, t);
        packWindows(w, t);
        multiplyPacked(c, w, t);
      }
    }
  }
}
