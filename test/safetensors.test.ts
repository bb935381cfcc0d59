// safetensors: what is written is read, by the format's own rules; each malformed file is refused with a sentence; a crash leaves the old file.
import { spawn } from "node:child_process";
import { chmod, lstat, mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "tape";
import { load, loadPyTorch, loadWithMetadata, save, writeFileAtomically } from "../serialization/files.js";
import { memory, tensor, Tensor, zeros } from "../engine/index.js";
import { readFrom } from "../serialization/byteReading.js";
import { decodeSafetensors, encodeSafetensors, readSafetensors, SafetensorsError } from "../serialization/safetensors.js";

/** A file with this header (text, or an object to be written as JSON) and so many bytes of data, or these. */
function file(header: object | string, data: number | readonly number[] = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const values = typeof data === "number" ? new Uint8Array(data) : Uint8Array.from(data);
  const bytes = new Uint8Array(8 + text.length + values.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(values, 8 + text.length);
  return bytes;
}
const entry = (dtype: string, shape: unknown, start: unknown, end: unknown) => ({ dtype, shape, data_offsets: [start, end] });

function samples(): Record<string, Tensor> {
  return {
    "fc.weight": tensor([[1.5, -2, 3], [0, Infinity, 1e-40]]),
    "bn.num_batches_tracked": tensor(Int32Array.of(7), { shape: [] }),
    labels: tensor(Int32Array.of(-(2 ** 31), 2 ** 31 - 1)),
    mask: tensor([true, false, true]),
    pixels: tensor(Uint8Array.of(0, 128, 255)),
    empty: zeros(0, 4),
  };
}

test("safetensors: what is written is read", async (t) => {
  const bytes = await encodeSafetensors(samples(), { model: "cnn" });
  const { tensors, metadata } = decodeSafetensors(bytes);
  t.deepEqual(metadata, { model: "cnn" }, "metadata");
  for (const [name, expected] of Object.entries(samples())) {
    const got = tensors[name];
    t.deepEqual([got?.dtype, got?.shape, got && (await got.data())], [expected.dtype, expected.shape, await expected.data()], name);
  }
  const transposed = await encodeSafetensors({ x: tensor([[1, 2], [3, 4]]).t() });
  t.deepEqual(await decodeSafetensors(transposed).tensors["x"]?.tolist(), [[1, 3], [2, 4]], "a view is written in its own order");
  t.deepEqual(Object.keys(decodeSafetensors(await encodeSafetensors({ ["__proto__"]: zeros(1) })).tensors), ["__proto__"], "any name");
});

test("safetensors: the file is as the format says", async (t) => {
  const bytes = await encodeSafetensors(samples());
  const view = new DataView(bytes.buffer);
  const length = Number(view.getBigUint64(0, true));
  t.equal(length % 8, 0, "the header ends at a multiple of 8");
  const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  t.deepEqual(header, {
    "bn.num_batches_tracked": entry("I64", [], 0, 8), "fc.weight": entry("F32", [2, 3], 8, 32), labels: entry("I32", [2], 32, 40),
    empty: entry("F32", [0, 4], 40, 40), mask: entry("BOOL", [3], 40, 43), pixels: entry("U8", [3], 43, 46),
  }, "wide types first, no gaps; the batch norm's counter is I64");
  t.equal(bytes.length, 8 + length + 46, "nothing after the data");
  t.equal(view.getFloat32(8 + length + 8, true), 1.5, "little-endian");
  t.throws(() => decodeSafetensors(bytes.subarray(0, -1)), SafetensorsError);
});

test("safetensors: the other types become ours", async (t) => {
  const rows: [string, number[], string, number[]][] = [
    ["F16", [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0x00, 0x7c, 0xff, 0x7b], "float32", [1, -2, 2 ** -24, Infinity, 65504]],
    ["BF16", [0x80, 0x3f, 0x00, 0xc0, 0x80, 0xff], "float32", [1, -2, -Infinity]],
    ["F64", [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], "float32", [1.5]],
    ["I64", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "int32", [-1]],
    ["U64", [5, 0, 0, 0, 0, 0, 0, 0], "int32", [5]],
    ["I16", [0xfe, 0xff], "int32", [-2]],
    ["U16", [0xfe, 0xff], "int32", [65534]],
    ["I8", [0xfd], "int32", [-3]],
    ["U32", [1, 0, 0, 0], "int32", [1]],
  ];
  for (const [type, data, dtype, expected] of rows) {
    const x = decodeSafetensors(file({ x: entry(type, [expected.length], 0, data.length) }, data)).tensors["x"];
    t.deepEqual([x?.dtype, await x?.tolist()], [dtype, expected], type);
  }
});

test("safetensors: each malformed file is refused with a sentence", async (t) => {
  const good = await encodeSafetensors({ x: tensor([1, 2, 3]) });
  const lengthOf = (length: bigint): Uint8Array => {
    const bytes = new Uint8Array(good);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return bytes;
  };
  const a = entry("F32", [1], 0, 4);
  const rows: [string, Uint8Array, RegExp][] = [
    ["empty", new Uint8Array(0), /holds 0 bytes; a safetensors file starts with 8 bytes/],
    ["seven bytes", new Uint8Array(7), /holds 7 bytes/],
    ["header length 0", lengthOf(0n), /said to take 0 bytes; even an empty one takes 2/],
    ["header past the end", lengthOf(5000n), /should end at byte 5008, but the file ends at \d+: it is truncated/],
    ["header past the bound", lengthOf(100_000_001n), /at most 100000000 are allowed/],
    ["header length 2^64 − 1", lengthOf(2n ** 64n - 1n), /18446744073709551615 bytes; at most/],
    ["cut in the header", good.subarray(0, 30), /it is truncated/],
    ["cut in the data", good.subarray(0, good.length - 1), /should end at byte 12 of the data, but there are 11: the file is truncated/],
    ["bytes after the end", new Uint8Array([...good, 0]), /take 12 bytes, but 13 follow the header: the file has bytes after its end/],
    ["not UTF-8", lengthOf(8n).fill(0xff, 8, 16), /not UTF-8/],
    ["not JSON", file("{\"x\": "), /not valid JSON/],
    ["an array", file("[1, 2]"), /not a JSON object/],
    ["null", file("null"), /not a JSON object/],
    ["a name twice", file(`{"x": ${JSON.stringify(a)}, "x": ${JSON.stringify(a)}}`, 4), /names "x" twice/],
    ["a name twice, spelt otherwise", file(`{"x": ${JSON.stringify(a)}, "\\u0078": ${JSON.stringify(a)}}`, 4), /names "x" twice/],
    ["a field twice", file('{"x": {"dtype": "F32", "dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}', 4), /names "dtype" twice/],
    ["an entry that is no object", file({ x: 3 }), /entry "x" is no object/],
    ["no dtype", file({ x: { shape: [1], data_offsets: [0, 4] } }, 4), /dtype of "x" is undefined; expected one of/],
    ["an unknown dtype", file({ x: entry("F8_E4M3", [4], 0, 4) }, 4), /dtype of "x" is "F8_E4M3"/],
    ["a dtype from Object", file({ x: entry("constructor", [4], 0, 4) }, 4), /dtype of "x" is "constructor"/],
    ["no shape", file({ x: { dtype: "F32", data_offsets: [0, 4] } }, 4), /shape of "x" is undefined/],
    ["a negative size", file({ x: entry("F32", [-1], 0, 4) }, 4), /shape of "x" is \[-1\]; expected a list of whole numbers/],
    ["a fractional size", file({ x: entry("F32", [0.5], 0, 4) }, 4), /shape of "x" is \[0.5\]/],
    ["a size as text", file({ x: entry("F32", ["1"], 0, 4) }, 4), /shape of "x" is \["1"\]/],
    ["a shape past counting", file({ x: entry("F32", [2 ** 40, 2 ** 40], 0, 4) }, 4), /more elements than can be counted/],
    ["no offsets", file({ x: { dtype: "F32", shape: [1] } }, 4), /data_offsets of "x" are undefined/],
    ["three offsets", file({ x: { dtype: "F32", shape: [1], data_offsets: [0, 4, 8] } }, 8), /data_offsets of "x" are \[0, 4, 8\]/],
    ["a negative offset", file({ x: entry("F32", [1], -4, 0) }, 4), /data_offsets of "x" are \[-4, 0\]/],
    ["the end before the start", file({ x: entry("F32", [1], 4, 0) }, 4), /starts at byte 4 and ends at 0/],
    ["an end past the data", file({ x: entry("F32", [2], 0, 8) }, 4), /should end at byte 8 of the data, but there are 4/],
    ["too few bytes for the shape", file({ x: entry("F32", [2], 0, 4) }, 4), /F32 \[2\], which takes 8 bytes, but its data_offsets span 4/],
    ["too many bytes for the type", file({ x: entry("I8", [2], 0, 4) }, 4), /takes 2 bytes, but its data_offsets span 4/],
    ["overlapping tensors", file({ x: entry("F32", [2], 0, 8), y: entry("F32", [1], 4, 8) }, 8), /"y" starts at byte 4 .* inside "x"/],
    ["a gap between tensors", file({ x: a, y: entry("F32", [1], 8, 12) }, 12), /"y" starts at byte 8 of the data, but "x" ends at 4/],
    ["a gap at the start", file({ x: entry("F32", [1], 4, 8) }, 8), /"x" starts at byte 4 of the data, but the start ends at 0/],
    ["data without tensors", file({}, 4), /take 0 bytes, but 4 follow/],
    ["an unknown field", file({ x: { ...a, stride: [1] } }, 4), /has the field "stride"/],
    ["metadata that is no object", file({ __metadata__: "v1", x: a }, 4), /"__metadata__" is no object/],
    ["metadata that is no text", file({ __metadata__: { epoch: 3 }, x: a }, 4), /metadata "epoch" is 3; expected a string/],
    ["an I64 past int32", file({ x: entry("I64", [1], 0, 8) }, [0, 0, 0, 128, 0, 0, 0, 0]), /0 of "x" is 2147483648 \(I64\), which int32 cannot/],
    ["a U32 past int32", file({ x: entry("U32", [1], 0, 4) }, [255, 255, 255, 255]), /4294967295 \(U32\)/],
  ];
  for (const [name, bytes, expected] of rows) {
    let message = "it was read";
    try {
      decodeSafetensors(bytes, "a.safetensors");
    } catch (error) {
      message = error instanceof SafetensorsError ? error.message : `not a SafetensorsError: ${String(error)}`;
    }
    t.ok(expected.test(message) && message.startsWith("a.safetensors: "), `${name}: ${message}`);
  }
});

test("save and load: files, modules, devices, and what goes wrong", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-safetensors-"));
  const path = join(folder, "model.safetensors");
  await save(path, samples(), { epoch: "3" });
  t.deepEqual(await (await load(path))["labels"]?.tolist(), [-(2 ** 31), 2 ** 31 - 1], "a state dict");
  t.deepEqual((await loadWithMetadata(path)).metadata, { epoch: "3" }, "metadata");
  await save(path, { stateDict: () => ({ w: tensor([4]) }) });
  t.deepEqual(Object.keys(await load(path)), ["w"], "whatever has a state dict");
  t.deepEqual(await readdir(folder), ["model.safetensors"], "no other file is left");

  const old = await readFile(path);
  const lost: Tensor = tensor([1]);
  lost.dispose();
  await rejects(t, () => save(path, { w: tensor([5]), lost }), /disposed/, "a tensor that cannot be read");
  await rejects(t, () => save(join(folder, "nowhere", "x"), { w: tensor([5]) }), /cannot be written .*as it was/, "a folder that is not there");
  await rejects(t, () => writeFileAtomically(folder, new Uint8Array(3)), /cannot be written/, "a folder in the file's place");
  t.deepEqual(await readFile(path), old, "the old file is as it was");
  t.deepEqual(await readdir(folder), ["model.safetensors"], "and no piece of a new one is left");
  await rejects(t, () => load(join(folder, "absent")), /absent cannot be read/, "a file that is not there");
  await writeFile(path, old.subarray(0, old.length - 2));
  await rejects(t, () => load(path), /model\.safetensors: .*truncated/, "a truncated file, named");
});

async function rejects(t: test.Test, action: () => Promise<unknown>, expected: RegExp, name: string): Promise<void> {
  const message = await action().then(() => "it went well", (error: unknown) => (error instanceof Error ? error.message : String(error)));
  t.ok(expected.test(message), `${name}: ${message}`);
}

test("files past 2 GiB are read in pieces", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-large-")), path = join(folder, "large.safetensors");
  const elements = 46_000_000, bytes = 8 * elements, names = ["a", "b", "c", "d", "e", "f"]; // 2.2 GB in all
  const head = file(Object.fromEntries(names.map((name, i) => [name, entry("F64", [elements], i * bytes, (i + 1) * bytes)])));
  const handle = await open(path, "w");
  await handle.write(head, 0, head.length, 0);
  await handle.truncate(head.length + names.length * bytes); // a hole: it takes no place on the disk
  await handle.write(new Uint8Array(Float64Array.of(1.5).buffer), 0, 8, head.length + 6 * bytes - 8);
  await handle.close();
  const tensors = await load(path);
  t.deepEqual(Object.values(tensors).map(({ shape }) => shape[0]), names.map(() => elements), "six tensors of 46 million values");
  t.equal(await tensors["f"]?.select(0, elements - 1).item(), 1.5, "the last value");
  t.equal(await tensors["f"]?.select(0, elements - 2).item(), 0);
  for (const one of Object.values(tensors)) one.dispose();
  await rm(folder, { recursive: true });
});

test("pieces of any size give the same values, and a refusal leaves nothing", async (t) => {
  const bytes = await encodeSafetensors(samples()), whole = decodeSafetensors(bytes).tensors;
  const source = { size: bytes.length, read: async ({ start, length }: { start: number; length: number }) => bytes.slice(start, start + length) };
  for (const piece of [8, 16, 24]) {
    const { tensors } = await readFrom(readSafetensors(bytes.length, "x", { piece }), source);
    for (const [name, expected] of Object.entries(whole)) t.deepEqual(await tensors[name]?.data(), await expected.data(), `${name} by ${piece} bytes`);
  }
  const alive = () => memory().find(({ device }) => device === "cpu")?.liveTensors;
  const before = alive();
  const large = file({ a: entry("F32", [2], 0, 8), b: entry("I64", [2], 8, 24) }, [...new Array<number>(16).fill(0), 0, 0, 0, 128, 0, 0, 0, 0]);
  t.throws(() => decodeSafetensors(large), /element 1 of "b" is 2147483648/);
  t.equal(alive(), before, "the tensor before the one that cannot be read is gone again");
});

test("save: what is written is what was there at the call, and saves of one path queue", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-snapshot-")), path = join(folder, "a.safetensors");
  const values = zeros(300_000), view = values.view(600, 500).t();
  const saves = [1, 2, 3].map((step) => {
    values.fill_(step);
    return save(path, { values, view }, { step: String(step) });
  });
  values.fill_(4);
  const beside = save(join(folder, "b.pt"), { values, list: [1] });
  values.fill_(5);
  const { tensors, metadata } = await loadWithMetadata(path); // waits for what is under way
  t.deepEqual([metadata["step"], await tensors["values"]?.min().item(), await tensors["view"]?.max().item()], ["3", 3, 3], "the last call's values");
  await Promise.all([...saves, beside]);
  const pytorch = await loadPyTorch(join(folder, "b.pt"));
  const stored = pytorch !== null && typeof pytorch === "object" && "values" in pytorch && pytorch["values"] instanceof Tensor ? pytorch["values"] : null;
  t.deepEqual([await stored?.min().item(), await stored?.max().item()], [4, 4], "a .pt likewise");
  const lost = tensor([1]);
  lost.dispose();
  const mixed = [save(path, { lost }), save(path, { w: tensor([7]) })];
  t.deepEqual((await Promise.allSettled(mixed)).map(({ status }) => status), ["rejected", "fulfilled"], "one that fails does not stop the next");
  t.deepEqual(Object.keys(await load(path)), ["w"]);
  await rm(folder, { recursive: true });
});

test("save: links, rights, long names, what is no file", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-places-")), one = { w: tensor([1]) }, two = { w: tensor([2]) };
  const at = (name: string) => join(folder, name);
  await mkdir(at("inside"));
  await save(at("inside/real.safetensors"), one);
  await symlink("inside/real.safetensors", at("link.safetensors"));
  await symlink("link.safetensors", at("second.safetensors"));
  await save(at("second.safetensors"), two);
  t.ok((await lstat(at("link.safetensors"))).isSymbolicLink() && (await lstat(at("second.safetensors"))).isSymbolicLink(), "links stay links");
  t.deepEqual(await (await load(at("inside/real.safetensors")))["w"]?.tolist(), [2], "and lead to the new file");
  await symlink("inside/new.safetensors", at("ahead.safetensors"));
  await save(at("ahead.safetensors"), one);
  t.ok((await lstat(at("inside/new.safetensors"))).isFile(), "a link to a file that is not there yet makes it");
  await chmod(at("inside/real.safetensors"), 0o600);
  await save(at("inside/real.safetensors"), one);
  t.equal((await stat(at("inside/real.safetensors"))).mode & 0o777, 0o600, "rights stay");
  for (const name of [`${"x".repeat(233)}.safetensors`, `${"é".repeat(116)}.safetensors`]) {
    await save(at(name), one);
    t.deepEqual(await (await load(at(name)))["w"]?.tolist(), [1], `a name of ${Buffer.byteLength(name)} bytes`);
  }
  await save(pathToFileURL(at("by url.safetensors")), one);
  t.deepEqual(Object.keys(await load(pathToFileURL(at("by url.safetensors")))), ["w"], "a file: URL");
  t.deepEqual(Object.keys(await load(pathToFileURL(at("by url.safetensors")).href)), ["w"], "or its text");
  await symlink("itself.safetensors", at("itself.safetensors"));
  await rejects(t, () => save("/dev/null", one), /\/dev\/null: cannot be written \(it is a device, a pipe or a socket, no file\)/, "a device");
  await rejects(t, () => save(at("inside"), one), /inside: cannot be written \(it is a folder, no file\)/, "a folder");
  await rejects(t, () => save(at("itself.safetensors"), one), /cannot be written \(ELOOP/, "a link to itself");
  await rejects(t, () => load(at("itself.safetensors")), /cannot be read \(ELOOP/, "read");
  await rejects(t, () => load(folder), /cannot be read \(it is a folder, no file\)/, "reading a folder");
  await rejects(t, () => save(new URL("https://example.com/a.safetensors"), one), /got the address https.*expected a file's name or a file: URL/, "an address");
  await rejects(t, () => load("https://example.com/a.safetensors"), /is fetched first: decodeSafetensors\(/, "loading one");
  await rejects(t, () => save("", one), /got "" for the path; expected a file's name/, "no name");
  await rejects(t, () => load(3 as never), /got path 3; expected a file.s name/, "a number");
  t.ok((await readdir(folder)).every((name) => !name.endsWith(".tmp")), "nothing half-written is left");
  await rm(folder, { recursive: true });
});

test("save: PyTorch's order of arguments, and what safetensors cannot hold", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-order-")), path = join(folder, "a.safetensors");
  await save({ w: tensor([3]) }, path, { step: "1" });
  t.deepEqual([Object.keys(await load(path)), (await loadWithMetadata(path)).metadata], [["w"], { step: "1" }], "save(what, path)");
  await save({ stateDict: () => ({ v: tensor([4]) }) }, pathToFileURL(path));
  t.deepEqual(Object.keys(await load(path)), ["v"], "save(module, url)");
  const help = /the third argument, an optimizer's state through optim\.packState, whole trainings into a Checkpoint; a file whose name ends in \.pt takes them all/;
  await rejects(t, () => save(path, { epoch: 3, model: { w: zeros(1) } }), help, "a training");
  await rejects(t, () => save(path, { stateDict: () => ({ state: {}, paramGroups: [] }) }), help, "an optimizer");
  await rejects(t, () => save(path, "other.safetensors"), /got other\.safetensors; expected tensors by name/, "two paths");
  await rm(folder, { recursive: true });
});

test("save: a process that is killed while it writes leaves a whole file", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-crash-"));
  const path = join(folder, "model.safetensors");
  const program = `
    const { writeFileAtomically } = await import(${JSON.stringify(new URL("../dist/serialization/files.js", import.meta.url).href)});
    const bytes = new Uint8Array(8_000_000);
    for (let i = 1; ; i++) { bytes.fill(i % 251); await writeFileAtomically(${JSON.stringify(path)}, bytes); if (i === 1) console.log("written"); }`;
  let torn = 0;
  for (let round = 0; round < 4; round++) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    const gone = new Promise((resolve) => child.once("exit", resolve));
    await Promise.race([new Promise((resolve) => child.stdout.once("data", resolve)), gone]);
    await new Promise((resolve) => setTimeout(resolve, 20 + 17 * round));
    child.kill("SIGKILL");
    await gone;
    const bytes = await readFile(path);
    if (bytes.length !== 8_000_000 || bytes.some((byte) => byte !== bytes[0])) torn++;
  }
  t.equal(torn, 0, "four kills in mid-write");
});
