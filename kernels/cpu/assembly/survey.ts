// What an image holds, before Winograd's transforms mix the pixels of a tile: a huge pixel costs its neighbours their digits there, an infinity
// makes them NaN. Per pixel the largest magnitude over the channels is taken, per output (3×3 pixels) the largest of those; where the outputs
// that may share a tile differ too much, the image is marked, and convolved directly.
import { largest, largestLane, leastLane, magnitudeBits, negative, notFinite, uneven } from "./magnitudes";
import { bytes, larger, loadLanes, smaller } from "./simd";

const none: i32 = 0x7fffffff;
/** Rows of the image at a time, and how many of them the next strip sees again: no tile lies in one strip alone. */
const stripRows: i32 = 48, sharedRows: i32 = 12;
const cells: i32 = 4;

@unmanaged
class Survey {
  source: usize;
  channels: i32;
  height: i32;
  width: i32;
  pitch: i32; // of a row of magnitudes, with zeros on both sides
  flat: usize; // magnitudes of the strip's pixels
  magnitudes: usize; // the same with zeros around: rows top − 1 … of the strip
  tallest: usize; // a row: the largest of three rows
  most: usize; // of each 4×4 block of pixels: its largest magnitude
  least: usize; // and the least of its outputs' that is not 0
  signs: i32;
}
const surveyBytes: usize = 64;
const padding: i32 = 4;

/** Magnitudes of the image's rows first … last − 1, one after the other. Four channels at a time, each a stream: pixel by pixel through all of
 *  them would wait for a line of memory at every step. */
function writeMagnitudes(s: Survey, first: i32, last: i32): void {
  const plane = bytes(s.height * s.width), count = (last - first) * s.width, mask = i32x4.splat(magnitudeBits), zero = i32x4.splat(0);
  let signs = zero;
  memory.fill(s.flat, 0, bytes(count + 4));
  for (let channel = 0; channel < s.channels; channel += 4) {
    const left = s.channels - 1 - channel;
    let at = s.source + <usize>channel * plane + bytes(first * s.width), to = s.flat;
    const second = <usize>smaller(1, left) * plane, third = <usize>smaller(2, left) * plane, fourth = <usize>smaller(3, left) * plane;
    let rest = count;
    for (; rest >= 4; rest -= 4, at += 16, to += 16) {
      const a = v128.load(at), b = v128.load(at + second), c = v128.load(at + third), d = v128.load(at + fourth);
      signs = v128.or(signs, v128.or(v128.or(a, b), v128.or(c, d)));
      const ab = i32x4.max_s(v128.and(a, mask), v128.and(b, mask)), cd = i32x4.max_s(v128.and(c, mask), v128.and(d, mask));
      v128.store(to, i32x4.max_s(v128.load(to), i32x4.max_s(ab, cd)));
    }
    if (rest > 0) {
      for (let k = 0; k < smaller(4, left + 1); k++) {
        const v = loadLanes(at + <usize>k * plane, rest, zero);
        signs = v128.or(signs, v);
        v128.store(to, i32x4.max_s(v128.load(to), v128.and(v, mask)));
      }
    }
  }
  s.signs |= i32x4.bitmask(signs);
}

/** The rows top − 1 … top + rows of the magnitudes with zeros on all sides, from those of the image's rows from `first` on. */
function padMagnitudes(s: Survey, top: i32, rows: i32, first: i32, last: i32): void {
  memory.fill(s.magnitudes, 0, bytes((rows + 2) * s.pitch));
  for (let row = first; row < last; row++) {
    memory.copy(s.magnitudes + bytes((row - top + 1) * s.pitch + padding), s.flat + bytes((row - first) * s.width), bytes(s.width));
  }
}

/** The row `row` of the strip (its magnitudes lie one further down) joins its row of blocks. */
function addRow(s: Survey, row: i32): void {
  const above = s.magnitudes + bytes(row * s.pitch), own = above + bytes(s.pitch), below = own + bytes(s.pitch);
  for (let i: usize = 0; i < bytes(s.pitch); i += 16) {
    v128.store(s.tallest + i, i32x4.max_s(i32x4.max_s(v128.load(above + i), v128.load(own + i)), v128.load(below + i)));
  }
  const blocks = (s.width + cells - 1) / cells, first = bytes((row / cells) * blocks), zero = i32x4.splat(0);
  for (let block = 0; block < blocks; block++) {
    const at = bytes(padding + block * cells), middle = s.tallest + at, to = first + bytes(block);
    const output = i32x4.max_s(i32x4.max_s(v128.load(middle - 4), v128.load(middle)), v128.load(middle + 4));
    const counted = v128.bitselect(i32x4.splat(none), output, i32x4.eq(output, zero));
    const fresh = row % cells == 0;
    store<i32>(s.most + to, larger(fresh ? 0 : load<i32>(s.most + to), largestLane(v128.load(own + at))));
    store<i32>(s.least + to, smaller(fresh ? none : load<i32>(s.least + to), leastLane(counted)));
  }
}

/** Whether blocks that may share a tile (three by three of them hold it) differ by more than `spread`. */
function isUneven(s: Survey, blockRows: i32, spread: f32): bool {
  const blocks = (s.width + cells - 1) / cells;
  for (let i = 0; i < blockRows; i++) {
    for (let j = 0; j < blocks; j++) {
      const limit = reinterpret<f32>(load<i32>(s.most + bytes(i * blocks + j))) / spread;
      for (let k = larger(i - 1, 0); k < smaller(i + 2, blockRows); k++) {
        for (let l = larger(j - 1, 0); l < smaller(j + 2, blocks); l++) {
          const least = load<i32>(s.least + bytes(k * blocks + l));
          if (least != none && reinterpret<f32>(least) < limit) return true;
        }
      }
    }
  }
  return false;
}

/** The marks of the strip from row `top` on. Most are known by their pixels: what sees one is at least as large. */
function surveyStrip(s: Survey, top: i32, rows: i32, spread: f32): i32 {
  const first = larger(top - 1, 0), last = smaller(top + rows + 1, s.height);
  writeMagnitudes(s, first, last);
  const nothing = i32x4.splat(none), zero = i32x4.splat(0);
  let most = zero, least = nothing;
  for (let at = s.flat, end = at + bytes((last - first) * s.width); at < end; at += 16) {
    const v = v128.load(at);
    most = i32x4.max_s(most, v);
    least = i32x4.min_s(least, v128.bitselect(nothing, v, i32x4.eq(v, zero)));
  }
  const tallest = largestLane(most);
  if (tallest >= largest) return notFinite;
  if (reinterpret<f32>(tallest) <= spread * reinterpret<f32>(smaller(leastLane(least), largest))) return 0;
  padMagnitudes(s, top, rows, first, last);
  for (let row = 0; row < rows; row++) addRow(s, row);
  return isUneven(s, (rows + cells - 1) / cells, spread) ? uneven : 0;
}

/** Writes the marks of each [channels, height, width]; a task is one of them. */
export function survey(begin: i32, end: i32, scratch: usize, marks: usize, source: usize, channels: i32, height: i32, width: i32, spread: f32): void {
  const s = changetype<Survey>(scratch), blocks = ((width + cells - 1) / cells) * (stripRows / cells);
  s.channels = channels;
  s.height = height;
  s.width = width;
  s.pitch = ((width + 3) & -4) + 2 * padding;
  s.tallest = scratch + surveyBytes;
  s.most = s.tallest + bytes(s.pitch);
  s.least = s.most + bytes(blocks);
  s.flat = s.least + bytes(blocks);
  s.magnitudes = s.flat + bytes((stripRows + 2) * width + 4);
  for (let task = begin; task < end; task++) {
    s.source = source + bytes(task) * <usize>(channels * height * width);
    s.signs = 0;
    let found = 0;
    for (let top = 0; top < height; top += stripRows - sharedRows) {
      const rows = smaller(stripRows, height - top);
      found |= surveyStrip(s, top, rows, spread);
      if (top + rows == height) break;
    }
    store<i32>(marks + bytes(task), found | (s.signs ? negative : 0));
  }
}
