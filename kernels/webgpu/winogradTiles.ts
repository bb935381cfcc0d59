// Winograd's transform of what is convolved: [N, C, H, W] becomes [component][channel][tile], the tiles of all images (or of a slice of them) one
// after the other and padded with zeros. "source": 6×6 pixels under a 4×4 tile of output, two of them shared with the next tile. "gradient": the
// 4×4 cells of a tile of the output's gradient, for the weight's.
// A workgroup takes a few tiles side by side and all their channels, neighbouring threads neighbouring tiles; so it also sees what no thread sees
// alone, the largest magnitude under each output of a tile over all channels, and judges whether the tile's outputs may be mixed.
// For a sum over all tiles (the weight's gradient) the last tiles of a plane are moved back until they are whole, and cells that belong to the tile before
// count as zeros: a tile of one cell would not show that its pixels are unlike the others.
import type { Pair, View } from "../types.js";
import { unroll } from "./kernelCall.js";
import { type Share, shareThreads } from "./winogradShares.js";
import { components, eachCell, tileCells, transformCode, transforms } from "./winogradTransforms.js";
import { largestMagnitude, magnitudeBits, mostSpread } from "./winogradVerdict.js";

/** The tiles of an output's plane, and those of a slice of images, padded. */
export interface TileGrid {
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly firstImage: number;
  readonly images: number;
  readonly paddedTiles: number;
}
export interface TransformedPlanes {
  readonly kind: "source" | "gradient";
  /** [N, channels, height, width], contiguous. */
  readonly from: View;
  readonly channels: number;
  readonly plane: Pair;
  /** Where the first tile begins: negative within padding. */
  readonly origin: Pair;
  /** Height and width of the output that is cut into tiles. */
  readonly output: Pair;
  /** One verdict for each image, or one for all, whose tiles are then summed. */
  readonly judges: "image" | "all";
}

/** Tiles of a workgroup; fewer where whole ones would leave a large GPU idle. */
const tileLanes = (tiles: number): number => (tiles >= 4096 ? 16 : tiles >= 1024 ? 8 : 4);

/** Fills `to` of components × channels × paddedTiles elements. The names of its parameters begin with the kind. */
export function transformOfTiles(to: View, planes: TransformedPlanes, grid: TileGrid): Share {
  const { kind, from, channels, plane, origin, output, judges } = planes, lanes = tileLanes(grid.paddedTiles);
  const tilesOfImage = grid.tileRows * grid.tileColumns;
  return {
    call: `${kind}Tiles`,
    constants: [lanes, judges],
    inputs: { [kind]: from },
    outputs: { [`${kind}Transformed`]: to },
    params: named(kind, [
      channels, plane[0], plane[1], output[0], output[1],
      // Wrapping around: a place before the plane is far behind it.
      origin[0] >>> 0, origin[1] >>> 0,
      grid.tileColumns, tilesOfImage, grid.firstImage, tilesOfImage * grid.images, grid.paddedTiles,
    ]),
    workgroups: Math.ceil(grid.paddedTiles / lanes),
    code: () => tileCode(kind, lanes, judges),
  };
}

const fields = [
  "Channels", "Height", "Width", "OutputHeight", "OutputWidth", "OriginRow", "OriginColumn", "TileColumns", "TilesOfImage", "FirstImage", "TileCount", "PaddedTiles",
];
const fieldNames = { source: fields.map((field) => `source${field}`), gradient: fields.map((field) => `gradient${field}`) } as const;

function named(kind: TransformedPlanes["kind"], values: readonly number[]): Record<string, number> {
  const params: Record<string, number> = {};
  fieldNames[kind].forEach((name, i) => (params[name] = values[i] ?? 0));
  return params;
}

function tileCode(kind: TransformedPlanes["kind"], lanes: number, judges: TransformedPlanes["judges"]): string {
  const edge = transforms[kind].from, isWhole = judges === "all", isShared = kind === "gradient" && isWhole, p = `params.${kind}`;
  const { code, value } = transformCode(transforms[kind], isShared ? "cell" : "pixel");
  return `
/** The largest magnitudes under the tiles' outputs, and what signs there are. */
var<workgroup> ${kind}Magnitudes: array<array<atomic<u32>, ${lanes}>, ${tileCells * tileCells}>;
var<workgroup> ${kind}Signs: atomic<u32>;
fn ${kind}Tiles(index: u32, thread: u32) {
  let lane = thread % ${lanes}u;
  let tile = index * ${lanes}u + lane;
  let exists = tile < ${p}TileCount;
  let image = ${p}FirstImage + tile / ${p}TilesOfImage;
  let ownRow = tile % ${p}TilesOfImage / ${p}TileColumns * ${tileCells}u;
  let ownColumn = tile % ${p}TilesOfImage % ${p}TileColumns * ${tileCells}u;
${isWhole ? `  let firstRow = min(ownRow, max(${p}OutputHeight, ${tileCells}u) - ${tileCells}u);
  let firstColumn = min(ownColumn, max(${p}OutputWidth, ${tileCells}u) - ${tileCells}u);` : `  let firstRow = ownRow;
  let firstColumn = ownColumn;`}
${unroll(edge, (i) => `  let row${i} = firstRow + ${i}u + ${p}OriginRow;
  let hasRow${i} = exists && row${i} < ${p}Height;
  let column${i} = firstColumn + ${i}u + ${p}OriginColumn;
  let hasColumn${i} = column${i} < ${p}Width;
  let rowStart${i} = select(0u, row${i} * ${p}Width, hasRow${i});`)}
${eachCell(edge, (i, j) => `  var most${i}_${j} = 0u;`)}
  var signs = 0u;
  for (var channel = thread / ${lanes}u; channel < ${p}Channels; channel += ${shareThreads / lanes}u) {
    let plane = ${p}Offset + select(0u, (image * ${p}Channels + channel) * ${p}Height * ${p}Width, exists);
${eachCell(edge, (i, j) => `    let has${i}_${j} = hasRow${i} && hasColumn${j};
    let pixel${i}_${j} = select(0.0, ${kind}[plane + select(0u, rowStart${i} + column${j}, has${i}_${j})], has${i}_${j});`)}
${eachCell(edge, (i, j) => `    most${i}_${j} = max(most${i}_${j}, bitcast<u32>(pixel${i}_${j}) & ${magnitudeBits});
    signs |= bitcast<u32>(pixel${i}_${j});`)}
${isShared ? eachCell(edge, (i, j) => `    let cell${i}_${j} = select(0.0, pixel${i}_${j}, firstRow + ${i}u >= ownRow && firstColumn + ${j}u >= ownColumn);`) : ""}
${code}
    let place = channel * ${p}PaddedTiles + tile;
    let step = ${p}Channels * ${p}PaddedTiles;
${eachCell(6, (i, j) => `    ${kind}Transformed[place + ${i * 6 + j}u * step] = ${value(i, j)};`)}
  }
${windowCode(kind, edge)}
  if ((signs >> 31u) != 0u) { atomicOr(&${kind}Signs, 1u); }
  workgroupBarrier();
${judgeCode(kind, lanes, judges)}
}
`;
}

/** WGSL: this thread's channels join the magnitudes under each output: of 3×3 pixels, or of a cell and its neighbours within the tile. */
function windowCode(kind: string, edge: number): string {
  const border = (tileCells + 2 - edge) / 2, isThere = (i: number) => i >= border && i < edge + border;
  const largest = (values: readonly string[]): string => values.reduce((all, one) => (all === "" ? one : `max(${all}, ${one})`), "");
  const three = (first: number) => [first, first + 1, first + 2].filter(isThere);
  const rows = Array.from({ length: tileCells + 2 }, (_, i) => i).filter(isThere);
  return `
${rows.map((i) => unroll(tileCells, (j) => `  let tallest${i}_${j} = ${largest(three(j).map((k) => `most${i - border}_${k - border}`))};`)).join("\n")}
${eachCell(tileCells, (i, j) => `  atomicMax(&${kind}Magnitudes[${i * tileCells + j}][lane], ${largest(three(i).map((k) => `tallest${k}_${j}`))});`)}
`;
}

/** WGSL: one thread a tile judges; outputs under which there is nothing but zeros lose nothing. */
function judgeCode(kind: string, lanes: number, judges: TransformedPlanes["judges"]): string {
  return `
  if (thread >= ${lanes}u) { return; }
  if (thread == 0u && atomicLoad(&${kind}Signs) != 0u) { noteNegativePixel(); }
  var most = 0u;
  var least = ${largestMagnitude};
${eachCell(tileCells, (i, j) => `  {
    let magnitude = atomicLoad(&${kind}Magnitudes[${i * tileCells + j}][lane]);
    most = max(most, magnitude);
    let counts = magnitude != 0u && firstRow + ${i}u < params.${kind}OutputHeight && firstColumn + ${j}u < params.${kind}OutputWidth;
    least = select(least, min(least, magnitude), counts);
  }`)}
  if (exists && (most >= ${largestMagnitude} || bitcast<f32>(least) * ${mostSpread}.0 < bitcast<f32>(most))) {
    ${judges === "image" ? "noteImage(image);" : "noteDirect();"}
  }
`;
}

/** How many tiles a slice takes in memory: whole slabs of terms, for the weight's gradient sums over them. */
export function tileGrid(output: Pair, firstImage: number, images: number, multiple: number): TileGrid {
  const tileRows = Math.ceil(output[0] / tileCells), tileColumns = Math.ceil(output[1] / tileCells);
  return { tileRows, tileColumns, firstImage, images, paddedTiles: Math.ceil((tileRows * tileColumns * images) / multiple) * multiple };
}

/** Elements of the transformed planes. */
export const transformedElements = (channels: number, paddedTiles: number): number => components * channels * paddedTiles;
