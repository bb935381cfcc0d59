// Image files: the bytes that PIL reads, broken files named, folders of images.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "tape";
import {
  DataFileError, decodeImage, decodeJpeg, decodePng, encodeJpeg, encodePng, type HostTensor, ImageFileDataset, ImageFiles, ImageFolder, listImages,
  MissingFileError, readImage, transforms, withChannels, writeJpegFile,
} from "../data/index.js";
import { deflateSync } from "node:zlib";
import { drawnImage, imageFolder } from "./support/imageFiles.js";
import { thrownBy } from "./support/refusal.js";
import { pngChunk, pngFile, pngHeader, pngSignature } from "./support/pngFiles.js";

interface Stored {
  readonly shape: readonly number[];
  readonly at: number;
}
interface ImageRow {
  readonly name: string;
  readonly format: string;
  readonly file: Stored;
  readonly rgb: Stored;
  readonly grey: Stored;
}
const fixture = (extension: string) => readFileSync(new URL(`./fixtures/images.${extension}`, import.meta.url));
const rows = JSON.parse(fixture("json").toString()) as readonly ImageRow[];
const stored = new Uint8Array(fixture("bin"));
const bytesOf = ({ shape, at }: Stored): Uint8Array => stored.slice(at, at + shape.reduce((product, size) => product * size, 1));
const fileOf = (name: string): Uint8Array => bytesOf((rows.find((row) => row.name === name) ?? rows[0])?.file ?? { shape: [0], at: 0 });

test("decoding: PIL's bytes from PIL's files", async (t) => {
  t.equal(rows.length, 62);
  for (const { name, file, rgb, grey } of rows) {
    const color = await decodeImage(bytesOf(file), { channels: 3, fileName: name });
    t.deepEqual([color.height, color.width, color.channels], rgb.shape, `${name}: shape`);
    if (name === "cmyk") {
      t.ok(meanGap(color.data, bytesOf(rgb)) < 40, "cmyk: near PIL's (sharp goes by a colour profile, PIL by a formula)");
      continue;
    }
    t.ok(sameBytes(color.data, bytesOf(rgb)), `${name}: RGB`);
    t.ok(sameBytes((await decodeImage(bytesOf(file), { channels: 1 })).data, bytesOf(grey)), `${name}: grey`);
  }
  t.equal((await decodeJpeg(fileOf("grey"))).channels, 1, "a grey file has one channel");
  t.equal((await decodeJpeg(fileOf("progressive"))).channels, 3);
  t.equal((await decodePng(fileOf("opacity"))).channels, 4);
  t.equal((await decodeJpeg(fileOf("grey"), { channels: 4 })).data[3], 255, "full opacity where asked for 4");
});

/** Not deepEqual, which would print thousands of numbers. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a instanceof Uint8Array && Buffer.compare(a, b) === 0;
}

function meanGap(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

test("encodeJpeg: what is written reads back, near at 75, nearer at 98", async (t) => {
  for (const channels of [1, 3]) {
    const image = drawnImage(0, 40, 25, channels);
    const gaps = await Promise.all([40, 75, 98].map(async (quality) => {
      const back = await decodeJpeg(await encodeJpeg(image, { quality }));
      t.deepEqual([back.width, back.height, back.channels], [40, 25, channels]);
      return meanGap(back.data, image.data);
    }));
    const [low = 0, middle = 0, high = 0] = gaps;
    const bound = channels === 1 ? 1 : 3; // 4:2:0 halves the resolution of colours at every quality
    t.ok(low > middle && middle > high && high < bound, `${channels} channels: mean differences ${gaps.map((gap) => gap.toFixed(2)).join(", ")}`);
  }
  for (const [image, options, expected] of [
    [drawnImage(1, 4, 4, 4), {}, /expected 1 or 3 channels, got 4/],
    [drawnImage(1), { quality: 0 }, /quality 0; expected a whole number from 1 to 100/],
    [{ ...drawnImage(1), width: 5 }, {}, /an image of 5×18 with 3 channels takes 270 bytes, got 1296/],
    [{ width: 0, height: 0, channels: 3, data: new Uint8Array() }, {}, /1 to 65535 pixels on each side, got 0×0/],
  ] as const) {
    const { message } = await thrownBy(() => encodeJpeg(image, options));
    t.match(message, expected);
  }
});

test("encodeJpeg: files larger than their pixels (noise, tiny images) do no harm", async (t) => {
  let larger = 0, wrong = 0;
  for (let i = 0; i < 60; i++) {
    const width = 9 + ((i * 7) % 31), height = 10 + ((i * 5) % 23);
    const data = Uint8Array.from({ length: width * height }, (_, k) => (Math.imul(k + 1, 2654435761 + i) >>> 13) & 255);
    const file = await encodeJpeg({ width, height, channels: 1, data }, { quality: 100 });
    if (file.length > data.length) larger++;
    if (meanGap((await decodeJpeg(file)).data, data) > 1) wrong++;
  }
  t.ok(larger > 30, `${larger} of 60 files are larger than their pixels`);
  t.equal(wrong, 0, "and all read back");
  t.match((await thrownBy(() => encodeJpeg(drawnImage(1, 5, 5)))).message, /5×5 is too small for a JPEG, which takes 88 values or more/);
});

test("withChannels: grey, colour, opacity", (t) => {
  const color = { width: 2, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0, 10, 200, 30) };
  t.deepEqual(Array.from(withChannels(color, 1).data), [76, 124], "luma");
  t.deepEqual(Array.from(withChannels(color, 4).data), [255, 0, 0, 255, 10, 200, 30, 255]);
  t.deepEqual(Array.from(withChannels(withChannels(color, 4), 3).data), Array.from(color.data));
  t.deepEqual(Array.from(withChannels({ width: 1, height: 1, channels: 1, data: Uint8Array.of(9) }, 3).data), [9, 9, 9]);
  t.equal(withChannels(color), color);
  t.end();
});

test("a broken image is a sentence that names its file", async (t) => {
  const jpeg = fileOf("colour 4:2:0"), png = await encodePng(drawnImage(2));
  const hugeJpeg = jpeg.slice(), frame = findFrame(hugeJpeg);
  hugeJpeg.set([0xff, 0xff, 0xff, 0xff], frame + 5);
  const cases: [string, Uint8Array, RegExp][] = [
    ["empty.jpg", new Uint8Array(), /empty\.jpg: is empty/],
    ["text.jpg", new TextEncoder().encode("<html>not found</html>"), /text\.jpg: cannot be decoded/],
    ["start.jpg", jpeg.slice(0, 3), /start\.jpg: ends after 3 bytes without a frame header; the file is truncated/],
    ["header.jpg", jpeg.slice(0, frame + 6), /header\.jpg: ends after \d+ bytes without a frame header/],
    ["tables.jpg", jpeg.slice(0, frame + 40), /tables\.jpg: cannot be decoded; the file is truncated or damaged/],
    ["half.jpg", jpeg.slice(0, jpeg.length >> 1), /half\.jpg: cannot be decoded; the file is truncated or damaged/],
    ["huge.jpg", hugeJpeg, /huge\.jpg: its header says 65535×65535 pixels; expected 1 to 268435456/],
    ["noFrame.jpg", Uint8Array.of(0xff, 0xd8, 0xff, 0xd9, ...new Uint8Array(20)), /noFrame\.jpg: holds no frame header before byte 2/],
    ["half.png", png.slice(0, png.length >> 1), /half\.png: .*truncated/],
    ["twisted.png", png.map((byte, i) => (i > 60 && i < 90 ? byte ^ 0x55 : byte)), /twisted\.png: the check sum of its chunk "IDAT" is wrong/],
  ];
  const folder = mkdtempSync(join(tmpdir(), "athanor-broken-"));
  for (const [name, bytes, expected] of cases) {
    writeFileSync(join(folder, name), bytes);
    const error = await thrownBy(() => readImage(join(folder, name)));
    t.ok(error instanceof DataFileError, `${name}: a DataFileError`);
    t.match(error.message, expected);
    t.ok(error.message.startsWith(join(folder, name)), "which opens with the whole path");
  }
  const missing = await thrownBy(() => readImage(join(folder, "none.png")));
  t.ok(missing instanceof MissingFileError && /none\.png: cannot be read/.test(missing.message), missing.message);
  t.ok((await thrownBy(() => readImage(folder))) instanceof MissingFileError, "a folder is no image");
  t.match((await thrownBy(() => decodeJpeg(fileOf("cmyk"), { fileName: "c.jpg" }))).message, /c\.jpg: is a JPEG of CMYK in 8 bits; expected grey/);
  t.match((await thrownBy(() => decodeJpeg(png, { fileName: "p" }))).message, /p: not a JPEG file/);
  for (let i = 0; i < 50; i++) await thrownBy(() => decodeJpeg(jpeg.slice(0, 400)));
  t.equal((await decodeJpeg(jpeg)).width, 45, "after many failures the decoder still works");
  rmSync(folder, { recursive: true, force: true });
});

test("PNG: what follows the pixels does no harm, as in PIL; what is missing of them is a sentence", async (t) => {
  const pixels = Uint8Array.from({ length: 60 }, (_, i) => (37 * i) & 255);
  const rows = Uint8Array.from({ length: 64 }, (_, i) => (i % 16 === 0 ? 0 : (pixels[Math.floor(i / 16) * 15 + (i % 16) - 1] ?? 0)));
  const packed = new Uint8Array(deflateSync(rows)), header = pngHeader(5, 4, 8, 2), end = pngChunk("IEND", new Uint8Array());
  const idat = (data: Uint8Array) => pngChunk("IDAT", data), joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  const wrongSum = (chunk: Uint8Array) => chunk.map((byte, i) => (i >= chunk.length - 4 ? byte ^ 0x55 : byte));
  const start = joined(pngSignature, header), tooMany = new Uint8Array(deflateSync(joined(rows, new Uint8Array(16))));
  const read: [string, Uint8Array][] = [
    ["bytes after the end", joined(start, idat(packed), end, new TextEncoder().encode("hello"))],
    ["no end", joined(start, idat(packed))],
    ["half an end", joined(start, idat(packed), end.slice(0, 5))],
    ["an end with a wrong sum", joined(start, idat(packed), wrongSum(end))],
    ["4 bytes after the packed pixels", joined(start, idat(joined(packed, Uint8Array.of(1, 2, 3, 4))), end)],
    ["a second chunk after them", joined(start, idat(packed), idat(Uint8Array.of(1, 2, 3, 4)), end)],
    ["a row too many", joined(start, idat(tooMany), end)],
    ["no zlib sum", joined(start, idat(packed.slice(0, -4)), end)],
    ["cut in the last chunk's sum", joined(start, idat(packed)).slice(0, -2)],
    ["an empty chunk before", joined(start, idat(new Uint8Array()), idat(packed), end)],
    ["a comment with a wrong sum", joined(start, idat(packed), wrongSum(pngChunk("tEXt", Uint8Array.of(65, 0, 66))), end)],
    ["garbage after the pixels", joined(start, idat(packed), new TextEncoder().encode("garbage garbage"))],
    ["a chunk before the header", joined(pngSignature, pngChunk("tEXt", Uint8Array.of(65, 0, 66)), header, idat(packed), end)],
  ];
  for (const [what, bytes] of read) t.ok(sameBytes((await decodePng(bytes)).data, pixels), what);
  const refused: [string, Uint8Array, RegExp][] = [
    ["a row too few", joined(start, idat(new Uint8Array(deflateSync(rows.slice(0, 48)))), end), /its pixels take 64 bytes, 48 are there/],
    ["a byte too few", joined(start, idat(new Uint8Array(deflateSync(rows.slice(0, -1)))), end), /its pixels take 64 bytes, 63 are there/],
    ["a wrong sum of the pixels' chunk", joined(start, wrongSum(idat(packed)), end), /the check sum of its chunk "IDAT" is wrong/],
    ["a wrong sum of the header", joined(pngSignature, wrongSum(header), idat(packed), end), /the check sum of its chunk "IHDR" is wrong/],
    ["a wrong zlib sum", joined(start, idat(packed.map((byte, i) => (i >= packed.length - 4 ? byte ^ 1 : byte))), end), /incorrect data check/],
    ["a filter that there is not", joined(start, idat(new Uint8Array(deflateSync(rows.map((byte, i) => (i === 0 ? 7 : byte))))), end), /names a filter/],
    ["cut in the pixels", joined(start, idat(packed)).slice(0, -10), /its chunk "IDAT" should end at byte \d+, the file at \d+; the file is truncated/],
    ["no pixels", joined(start, end), /without pixels/],
    ["no header", joined(pngSignature, idat(packed), end), /its first chunk is no PNG header/],
  ];
  for (const [what, bytes, expected] of refused) {
    const error = await thrownBy(() => decodePng(bytes, { fileName: "a.png" }));
    t.ok(error instanceof DataFileError && expected.test(error.message), `${what}: ${error.message}`);
  }
});

test("PNG: a colour that stands for transparent keeps its own value", async (t) => {
  const file = (depth: number, type: number, row: number[], key: number[]) =>
    pngFile(pngHeader(2, 1, depth, type), pngChunk("tRNS", Uint8Array.from(key)), pngChunk("IDAT", new Uint8Array(deflateSync(Uint8Array.from(row)))));
  const grey = file(8, 0, [0, 100, 50], [0, 100]), color = file(8, 2, [0, 1, 2, 3, 4, 5, 6], [0, 1, 0, 2, 0, 3]);
  const wide = file(16, 0, [0, 0x64, 0x11, 0x64, 0x12], [0x64, 0x11]);
  t.deepEqual(Array.from((await decodeImage(grey, { channels: 3 })).data), [100, 100, 100, 50, 50, 50], "grey, read as colour");
  t.deepEqual(Array.from((await decodeImage(grey, { channels: 1 })).data), [100, 50], "grey, read as grey");
  t.deepEqual(Array.from((await decodeImage(color, { channels: 3 })).data), [1, 2, 3, 4, 5, 6], "colour");
  t.deepEqual(Array.from((await decodeImage(color)).data), [1, 2, 3, 0, 4, 5, 6, 255], "with its opacity");
  t.deepEqual(Array.from((await decodeImage(wide)).data), [100, 100, 100, 0, 100, 100, 100, 255], "grey of 16 bits: the whole value is compared");
});

test("BMP and PNM: a damaged file is a sentence", async (t) => {
  const bmp = fileOf("bmp"), runs = fileOf("bmp of runs"), ppm = fileOf("ppm"), text = new TextEncoder();
  const cases: [string, Uint8Array, RegExp][] = [
    ["half.bmp", bmp.slice(0, bmp.length >> 1), /its pixels should end at byte 831, the file at 417; the file is truncated/],
    ["start.bmp", bmp.slice(0, 30), /inside its header; the file is truncated/],
    ["runs.bmp", runs.slice(0, -4), /inside its pixels; the file is truncated/],
    ["bits.bmp", bmp.map((byte, i) => (i === 28 ? 7 : byte)), /says 7 bits a pixel, compression 0; expected 1, 4, 8, 16, 24 or 32/],
    ["huge.bmp", bmp.map((byte, i) => (i >= 18 && i < 26 ? 0x7f : byte)), /says 2139062143×2139062143 pixels/],
    ["half.ppm", ppm.slice(0, ppm.length >> 1), /its pixels take 741 bytes, 364 are there; the file is truncated/],
    ["start.ppm", text.encode("P6 19"), /in place of its height; the file is truncated/],
    ["word.ppm", text.encode("P6 19 wide 255 "), /has "wide" for its height; expected a whole number/],
    ["large.pgm", text.encode("P2 2 1 9 3 12"), /has the value 12 where 9 is the largest/],
    ["none.pgm", text.encode("P2 2 1 70000 3 12"), /its largest value is 70000; expected 1 to 65535/],
    ["huge.pgm", text.encode("P5 100000 100000 255 "), /says 100000×100000 pixels/],
  ];
  for (const [fileName, bytes, expected] of cases) {
    const error = await thrownBy(() => decodeImage(bytes, { fileName }));
    t.ok(error instanceof DataFileError && error.message.startsWith(fileName) && expected.test(error.message), error.message);
  }
});

function findFrame(jpeg: Uint8Array): number {
  return jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
}

test("a small fault inside a JPEG is read over where sharp is installed, as PIL does", async (t) => {
  const jpeg = fileOf("colour 4:2:0"), whole = await decodeJpeg(jpeg);
  const faulty = Uint8Array.of(...jpeg.slice(0, -2), 1, 2, 3, 0xff, 0xd9); // extraneous bytes before the end: common in the wild
  t.match((await thrownBy(() => decodeJpeg(faulty))).message, /truncated or damaged/, "our decoder alone refuses");
  t.ok(sameBytes((await decodeImage(faulty)).data, whole.data));
});

test("listImages: a folder's images, sorted; FoodDataset as the notes have it", async (t) => {
  const { folder, remove } = await imageFolder(["10_2.jpg", "3_217.jpg", "0_1.PNG", "inside/5_5.png"]);
  writeFileSync(join(folder, "notes.txt"), "no image");
  const names = (files: readonly string[]) => files.map((file) => file.slice(folder.length + 1));
  t.deepEqual(names(listImages(folder)), ["0_1.PNG", "10_2.jpg", "3_217.jpg"]);
  t.deepEqual(names(listImages(folder, { recursive: true })), ["0_1.PNG", "10_2.jpg", "3_217.jpg", "inside/5_5.png"]);
  t.deepEqual(names(listImages(folder, { extensions: [".jpg"] })), ["10_2.jpg", "3_217.jpg"]);
  t.match((await thrownBy(() => listImages(folder, { extensions: [".bmp"] }))).message, /holds no image; expected files that end in \.bmp/);
  t.match((await thrownBy(() => listImages(join(folder, "none")))).message, /none: cannot be listed .*expected a folder of images/);

  class FoodDataset extends ImageFileDataset<HostTensor, [HostTensor, number]> {
    constructor(path: string, tfm = transforms.Compose([transforms.Resize([8, 8]), transforms.ToTensor()])) {
      super(listImages(path), { transform: tfm });
    }
    sample(image: HostTensor, index: number): [HostTensor, number] {
      const label = /(\d+)_\d+\.\w+$/.exec(this.files[index] ?? "")?.[1];
      return [image, label === undefined ? -1 : Number(label)];
    }
  }
  const food = new FoodDataset(folder);
  t.equal(food.length, 3);
  const [image, label] = await food.get(2);
  t.deepEqual([image.shape, label], [[3, 8, 8], 3]);
  t.deepEqual(image.data, transforms.Compose([transforms.Resize([8, 8]), transforms.ToTensor()])(await readImage(join(folder, "3_217.jpg"))).data);
  t.match((await thrownBy(() => food.get(3))).message, /FoodDataset: index 3 is outside its 3 samples/);
  const plain = new ImageFiles(listImages(folder), { channels: 1 });
  t.deepEqual((await plain.get(0)).shape, [1, 18, 24], "ImageFiles: the image alone, ToTensor by default, grey where asked");
  remove();
});

test("ImageFolder: classes and files in torchvision's order", async (t) => {
  // Python 3 with torchvision 0.14 lists these so: by code points, and a folder's files before those of the folders inside it.
  const names = ["\u{1f600}/1.png", "！/b-c/1.png", "！/b.png", "！/b/2.png", "！/b/a/3.png", "！/b0.png", "！/\u{1f600}.png", "！/！.png", "Z/1.png", "a/1.png"];
  const { folder, remove } = await imageFolder(names);
  const found = new ImageFolder(folder);
  t.deepEqual(found.classes, ["Z", "a", "！", "\u{1f600}"]);
  t.deepEqual(found.files.map((file) => file.slice(folder.length + 1)), [
    "Z/1.png", "a/1.png", "！/b.png", "！/b0.png", "！/！.png", "！/\u{1f600}.png", "！/b/2.png", "！/b-c/1.png", "！/b/a/3.png", "\u{1f600}/1.png",
  ]);
  t.deepEqual(Array.from(found.targets), [0, 1, 2, 2, 2, 2, 2, 2, 2, 3]);
  remove();
});

test("ImageFolder: every ending that torchvision takes, and links", async (t) => {
  const { folder, remove } = await imageFolder(["a/1.png"]);
  for (const [name, row] of [["2.bmp", "bmp"], ["3.ppm", "ppm"], ["4.PGM", "pgm"], ["5.webp", "lossless webp"], ["6.tif", "tiff"]] as const) {
    writeFileSync(join(folder, "a", name), fileOf(row));
  }
  symlinkSync("itself.png", join(folder, "a", "itself.png"));
  const images = new ImageFolder(folder);
  t.deepEqual(images.files.map((file) => file.slice(folder.length + 3)), ["1.png", "2.bmp", "3.ppm", "4.PGM", "5.webp", "6.tif", "itself.png"]);
  for (const i of [1, 2, 3, 4, 5]) t.equal((await images.image(i)).channels, 3, images.files[i]);
  t.match((await thrownBy(() => images.image(6))).message, /itself\.png: cannot be read \(ELOOP/, "a link to itself is named when it is read");
  symlinkSync("..", join(folder, "a", "up"));
  const looped = await thrownBy(() => new ImageFolder(folder));
  t.match(looped.message, /up\/a: is .*\/a once more, which holds it: .*remove the link/);
  remove();
});

test("ImageFolder: classes by folder, malformed ones in a sentence", async (t) => {
  const { folder, remove } = await imageFolder(["dog/b.png", "cat/2.jpg", "cat/1.png", "cat/deep/3.png"]);
  const pets = new ImageFolder(folder, { transform: transforms.ToTensor() });
  t.deepEqual([pets.classes, pets.classToIdx], [["cat", "dog"], { cat: 0, dog: 1 }]);
  const found = pets.samples.map(([file, target]) => [file.slice(folder.length + 1), target]);
  t.deepEqual(found, [["cat/1.png", 0], ["cat/2.jpg", 0], ["cat/deep/3.png", 0], ["dog/b.png", 1]]);
  t.deepEqual(Array.from(pets.targets), [0, 0, 0, 1]);
  const [image, target] = await pets.get(3);
  t.deepEqual([image.data, target], [transforms.ToTensor()(drawnImage(0)).data, 1]);
  t.equal(new ImageFolder(join(folder, "cat")).classes.join(), "deep", "one class is enough");
  const onlyJpeg = await thrownBy(() => new ImageFolder(folder, { extensions: [".jpg"] }));
  t.match(onlyJpeg.message, /no image for the class dog; expected files that end in \.jpg/);
  mkdirSync(join(folder, "empty"));
  t.match((await thrownBy(() => new ImageFolder(folder))).message, /no image for the class empty/);
  t.match((await thrownBy(() => new ImageFolder(join(folder, "dog")))).message, /dog: holds no folder; expected one for each class/);
  t.match((await thrownBy(() => new ImageFolder(join(folder, "none")))).message, /none: cannot be listed/);
  t.match((await thrownBy(() => new ImageFolder(join(folder, "dog", "b.png")))).message, /b\.png: cannot be listed/);
  await writeJpegFile(join(folder, "empty", "x.jpg"), drawnImage(5));
  t.equal(new ImageFolder(folder).length, 5);
  remove();
});
