// IDX and PNG files: what is read, and the sentence for each way in which a file can be wrong.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import test from "tape";
import { DataFileError, decodePng, encodePng, loadMnist, MissingFileError, parseIdx, readIdx, readPngFile, writePngFile } from "../data/index.js";
import { packagedMnistFolder } from "./support/mnist.js";
import { thrownBy } from "./support/refusal.js";

/** An IDX file: type code, dimensions, the values' bytes. */
function idx(type: number, shape: number[], values: number[] | Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, type, shape.length]);
  shape.forEach((size, i) => view.setUint32(4 + 4 * i, size));
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

test("IDX: every type of value, plain and gzipped", async (t) => {
  t.deepEqual(parseIdx(idx(0x08, [2, 3], [1, 2, 3, 4, 5, 255]), "x"), { shape: [2, 3], data: new Uint8Array([1, 2, 3, 4, 5, 255]) });
  t.deepEqual(parseIdx(idx(0x09, [2], [255, 127]), "x").data, new Int32Array([-1, 127]), "int8");
  t.deepEqual(parseIdx(idx(0x0b, [2], [255, 254, 1, 0]), "x").data, new Int32Array([-2, 256]), "int16");
  t.deepEqual(parseIdx(idx(0x0c, [1], [255, 255, 255, 253]), "x").data, new Int32Array([-3]), "int32");
  t.deepEqual(parseIdx(idx(0x0d, [1], [0x3f, 0x80, 0, 0]), "x").data, new Float32Array([1]), "float32");
  t.deepEqual(parseIdx(idx(0x0e, [1], [0xc0, 0, 0, 0, 0, 0, 0, 0]), "x").data, new Float32Array([-2]), "float64");
  t.deepEqual(parseIdx(idx(0x08, [0, 28, 28], []), "x").shape, [0, 28, 28], "no images at all");
  const large = idx(0x08, [500, 28, 28], new Uint8Array(500 * 784).map((_, i) => i % 251));
  t.deepEqual(await readIdx(gzipSync(large), "x.gz"), parseIdx(large, "x"), "gzipped");
  const offset = new Uint8Array(large.length + 3);
  offset.set(large, 3);
  t.deepEqual(parseIdx(offset.subarray(3), "x"), parseIdx(large, "x"), "bytes that start inside their buffer");
});

test("IDX: a malformed file is a sentence that names it", async (t) => {
  const good = idx(0x08, [2, 2], [1, 2, 3, 4]);
  const rows: [string, Uint8Array, RegExp][] = [
    ["empty", new Uint8Array(0), /^x: ends inside its header after 0 bytes; the file is truncated/],
    ["cut in the magic", good.subarray(0, 3), /ends inside its header after 3 bytes/],
    ["cut in the dimensions", good.subarray(0, 10), /ends inside its header after 10 bytes/],
    ["cut in the values", good.subarray(0, 14), /says 2×2, which takes 16 bytes, but the file holds 14: it is truncated/],
    ["bytes after the end", new Uint8Array([...good, 0]), /takes 16 bytes, but the file holds 17: it has bytes after its end/],
    ["not IDX", new TextEncoder().encode("<html>not found</html>"), /not an IDX file: it starts with the bytes 60, 104/],
    ["unknown type", idx(0x0a, [1], [0]), /value type 0x0a; IDX knows 0x08 uint8/],
    ["no dimensions", idx(0x08, [], []), /says 0 dimensions; expected 1 to 8/],
    ["200 dimensions", new Uint8Array([0, 0, 8, 200, 0, 0]), /says 200 dimensions/],
    ["a size that cannot be", idx(0x08, [0xffffffff, 0xffffffff], [1]), /4294967295×4294967295, which takes .* bytes, but the file holds 13/],
    ["gzip cut short", gzipSync(good).subarray(0, 20), /cannot be unpacked \(.*\); the file is truncated or damaged/],
    ["gzip of too much", gzipSync(idx(0x08, [2], new Uint8Array(3_000_000))), /says 2, which takes 10 bytes, but it unpacks to more/],
    ["gzip of too little", gzipSync(good.subarray(0, 14)), /takes 16 bytes, but the file holds 14/],
  ];
  for (const [name, bytes, expected] of rows) {
    const error = await thrownBy(() => readIdx(bytes, "x"));
    t.ok(error instanceof DataFileError && expected.test(error.message), `${name}: ${error.message}`);
  }
});

test("MNIST: four files, gzipped or not; what is missing or does not belong together is said", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-idx-"));
  const images = idx(0x08, [3, 2, 2], [0, 51, 102, 153, 204, 255, 0, 0, 0, 0, 0, 255]);
  t.ok(/^.*: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte are missing/.test(
    (await thrownBy(() => loadMnist(folder))).message), "an empty folder");
  t.ok((await thrownBy(() => loadMnist(join(folder, "nowhere")))) instanceof MissingFileError, "no folder");
  await writeFile(join(folder, "train-images-idx3-ubyte.gz"), gzipSync(images));
  await writeFile(join(folder, "train-labels-idx1-ubyte"), idx(0x08, [3], [7, 8, 9]));
  await writeFile(join(folder, "t10k-images-idx3-ubyte"), images);
  t.ok(/: t10k-labels-idx1-ubyte is missing/.test((await thrownBy(() => loadMnist(folder))).message), "one of four");
  await writeFile(join(folder, "t10k-labels-idx1-ubyte"), idx(0x08, [2], [1, 2]));
  t.ok(/t10k-images-idx3-ubyte holds 3 images, .*t10k-labels-idx1-ubyte 2 labels; the two do not belong together/.test(
    (await thrownBy(() => loadMnist(folder))).message), "other labels");
  await writeFile(join(folder, "t10k-labels-idx1-ubyte"), idx(0x08, [3, 1], [1, 2, 3]));
  t.ok(/t10k-labels-idx1-ubyte: got 2 dimensions/.test((await thrownBy(() => loadMnist(folder))).message), "labels in two dimensions");
  await writeFile(join(folder, "t10k-labels-idx1-ubyte.gz"), gzipSync(idx(0x08, [3], [1, 2, 3])));
  await rm(join(folder, "t10k-labels-idx1-ubyte"));
  const { train, test: held } = await loadMnist(folder);
  const [first, label] = train.get(0);
  t.deepEqual([first.shape, Array.from(first.data), label, held.label(2)], [[1, 2, 2], [0, 0.2, 0.4, 0.6].map(Math.fround), 7, 3], "the samples");
  await rm(folder, { recursive: true });

  const real = await loadMnist(packagedMnistFolder());
  t.deepEqual([real.train.length, real.test.length, real.train.height, real.train.width], [60000, 10000, 28, 28], "the real one");
  t.deepEqual([0, 1, 2, 3, 4].map((i) => real.train.label(i)), [5, 0, 4, 1, 9], "its first labels");
});

test("PNG: what is written is read", async (t) => {
  const data = Uint8Array.from({ length: 5 * 4 * 3 }, (_, i) => (i * 37) % 256);
  const colour = { width: 5, height: 4, channels: 3, data };
  t.deepEqual(await decodePng(await encodePng(colour)), colour, "colour");
  const grey = { width: 20, height: 3, channels: 1, data };
  t.deepEqual(await decodePng(await encodePng(grey)), grey, "grey");
  const clear = { width: 5, height: 3, channels: 4, data };
  t.deepEqual(await decodePng(await encodePng(clear)), clear, "with opacity");
  t.deepEqual((await decodePng(await encodePng({ width: 1, height: 1, channels: 3, data: new Uint8Array([255, 128, 0]) }), { channels: 1 })).data,
    new Uint8Array([151]), "luma as PIL computes it");
  // Adam7 on 3 × 3: the corner; the column at 2; the row at 2; the column at 1; the row at 1. Each row of a pass starts with its filter.
  const passes = new Uint8Array([0, 1, 0, 3, 0, 7, 9, 0, 2, 0, 8, 0, 4, 5, 6]);
  t.deepEqual(await decodePng(pngOf({ width: 3, height: 3, colorType: 0, interlaced: 1 }, passes)),
    { width: 3, height: 3, channels: 1, data: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9]) }, "interlaced");
  const file = join(await mkdtemp(join(tmpdir(), "athanor-png-")), "a.png");
  await writePngFile(file, colour);
  t.deepEqual(await readPngFile(file), colour, "through a file");
});

test("PNG: a malformed file is a sentence", async (t) => {
  const image = { width: 9, height: 7, channels: 3, data: Uint8Array.from({ length: 189 }, (_, i) => (i * 91) % 256) };
  const good = await encodePng(image);
  const faults: string[] = [];
  const pixelsEnd = good.length - 16; // behind them: the check sum of their chunk, and the end
  for (let length = 0; length < pixelsEnd; length++) {
    const error = await thrownBy(() => decodePng(good.subarray(0, length), { fileName: "x.png" }));
    if (!(error instanceof DataFileError) || !error.message.startsWith("x.png: ")) faults.push(`${length} bytes: ${error.message}`);
  }
  t.deepEqual(faults, [], `cut at each byte of its pixels, up to ${pixelsEnd}`);
  for (let length = pixelsEnd; length < good.length; length++) {
    t.deepEqual(await decodePng(good.subarray(0, length)), image, `cut after its pixels, at byte ${length}, it is read as PIL 9.4 reads it`);
  }
  const changed = (offset: number, byte: number): Uint8Array => good.map((old, i) => (i === offset ? byte : old));
  const size = { width: 9, height: 7, colorType: 2, interlaced: 0 };
  const rows: [string, Uint8Array, RegExp][] = [
    ["not PNG", new TextEncoder().encode("GIF89a and so on"), /not a PNG file/],
    ["an absurd size", pngOf({ ...size, width: 2130706441 }, new Uint8Array(196)), /header says 2130706441×7 pixels/],
    ["a header that is not its check sum's", changed(16, 0x7f), /check sum of its chunk "IHDR" is wrong/],
    ["an unknown colour type", pngOf({ ...size, colorType: 5 }, new Uint8Array(196)), /colour type 5, 8 bits, filtering 0, interlacing 0; PNG knows no such/],
    ["a wrong check sum", changed(good.length - 20, 0x55), /check sum of its chunk "IDAT" is wrong; the file is damaged/],
    ["pixels cut short inside a whole file", pngOf(size, new Uint8Array(40)), /its pixels take 196 bytes, 40 are there/],
  ];
  for (const [name, bytes, expected] of rows) {
    const error = await thrownBy(() => decodePng(bytes));
    t.ok(error instanceof DataFileError && expected.test(error.message), `${name}: ${error.message}`);
  }
  // PIL 9.4 takes the rows that the header names and leaves the rest.
  const rowsAndMore = Uint8Array.from({ length: 400 }, (_, i) => (i % 28 === 0 ? 0 : i % 256));
  t.deepEqual((await decodePng(pngOf(size, rowsAndMore))).data, rowsAndMore.subarray(0, 196).filter((_, i) => i % 28 !== 0), "more pixels than the size");
  const { message } = await thrownBy(() => encodePng({ width: 2, height: 2, channels: 3, data: new Uint8Array(11) }));
  t.ok(/takes 12 bytes, got 11/.test(message), `writing too few bytes: ${message}`);
});

/** A PNG of these pixels, filter bytes included, with chunk lengths and check sums as they should be. */
function pngOf(header: { width: number; height: number; colorType: number; interlaced: number }, pixels: Uint8Array): Uint8Array {
  const start = new Uint8Array(13);
  const view = new DataView(start.buffer);
  view.setUint32(0, header.width);
  view.setUint32(4, header.height);
  start.set([8, header.colorType, 0, 0, header.interlaced], 8);
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  return Uint8Array.from([...signature, ...chunk("IHDR", start), ...chunk("IDAT", deflateSync(pixels)), ...chunk("IEND", new Uint8Array(0))]);
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, crc32(bytes.subarray(4, 8 + body.length)));
  return bytes;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
