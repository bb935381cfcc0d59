// Winograd's way for 3×3 convolutions of step 1: when it applies, and how it is cut into tasks. 4 times fewer multiplications at the price
// of transforms, which pay from 8 channels on both sides. kernels/NOTES.md has figures of its speed and accuracy.
import { type Axis, type Cut, type Geometry, fitBlock, tile, tilesOf } from "./conv2dGeometry.js";
import { evenBlock } from "./matmul.js";

const fewestChannels = 8;
const mostChannels = 1024;
/** Cells along a tile of output; a smaller output would waste most of a tile. */
const tileCells = 4;
const smallestOutput = 3;
/** Components of a transformed tile; those of all channels stay in the scratch: 36 · channels · tiles floats. */
export const components = 36;
const transformedElements = 160 * 1024;
const mostTiles = 64;
/** The weight gradient's transformed tiles of both operands, beside 36 sums for each of 64 × 64 weights. */
const weightGradElements = 180 * 1024;
/** Windows of a piece: fewer, and transforming the sums back costs more than a sixteenth. */
const leastWindows = 4;

function suits({ taps, dilation, step, outStep, out }: Axis): boolean {
  return taps === 3 && dilation === 1 && step === 1 && outStep === 1 && out >= smallestOutput;
}

export function winogradApplies(g: Geometry): boolean {
  return suits(g.rows) && suits(g.columns) && Math.min(g.channels, g.outChannels) >= fewestChannels && g.channels <= mostChannels;
}

/** The same convolution on a grid of 4×4 tiles, each of which sees a 6×6 tile of source. */
export function winogradGeometry(g: Geometry): Geometry {
  const axis = (a: Axis): Axis => ({ ...a, taps: tileCells + 2, step: tileCells, grid: Math.ceil(a.grid / tileCells), outStep: tileCells });
  return { ...g, rows: axis(g.rows), columns: axis(g.columns) };
}

export function winogradCut(g: Geometry, threads: number): Cut {
  const tiles = Math.max(8, Math.min(mostTiles, Math.floor(transformedElements / (components * g.channels) / 8) * 8));
  const channels = Math.ceil(g.outChannels / 8) * 8;
  const cut = fitBlock(g, { ...tile(g, tiles), channels, blockChannels: Math.min(g.channels, 64), pieces: 1, tilesPerPiece: 0 }, "blockChannels");
  const tasks = () => tilesOf(g, cut) * g.groups * Math.ceil(g.outChannels / cut.channels);
  while (threads > 1 && tasks() < threads * 3) {
    if (cut.images > 1) cut.images = Math.ceil(cut.images / 2);
    else if (cut.channels > 64) cut.channels = Math.ceil(cut.channels / 16) * 8;
    else if (cut.rows > 1 && cut.rows * cut.columns > 8) cut.rows = Math.ceil(cut.rows / 2);
    else if (cut.channels > 16) cut.channels = Math.ceil(cut.channels / 16) * 8;
    else break;
  }
  return cut;
}

/** Ranges of at most 64 × 64 channels; pieces from the sizes alone, since they decide the order of the sum. */
export function winogradWeightGradCut(g: Geometry): Cut {
  const channels = evenBlock(Math.ceil(g.channels / 8), 8) * 8, blockChannels = evenBlock(Math.ceil(g.outChannels / 8), 8) * 8;
  const window = Math.max(8, Math.floor(weightGradElements / (components * (channels + blockChannels)) / 8) * 8);
  const cut = fitBlock(g, { ...tile(g, window), channels, blockChannels, pieces: 1, tilesPerPiece: 1 }, "channels");
  const tiles = tilesOf(g, cut), tasksPerPiece = g.groups * Math.ceil(g.channels / cut.channels) * Math.ceil(g.outChannels / blockChannels);
  const most = Math.max(1, Math.min(Math.floor(tiles / leastWindows), Math.floor(2 ** 22 / (g.groups * g.outChannels * g.channels * 9))));
  cut.tilesPerPiece = Math.ceil(tiles / Math.min(most, Math.ceil(32 / tasksPerPiece)));
  cut.pieces = Math.ceil(tiles / cut.tilesPerPiece);
  return cut;
}
