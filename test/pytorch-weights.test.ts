// PyTorch's files: what torch.save wrote is read, what asks for more than tensors and containers is refused by name, and each damaged file gets
// its sentence. The other direction (PyTorch reads what is written here) is checked when the fixtures are generated.
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "tape";
import { decodePyTorch, encodeSafetensors, load, loadPyTorch, nn, optim, PyTorchFileError, type PyTorchValue, save, Tensor, tensor } from "../index.js";
import { joinedBytes } from "../serialization/bytes.js";
import { readFrom } from "../serialization/byteReading.js";
import { readZip } from "../serialization/zip.js";
import { zipHeaders } from "../serialization/zipWriter.js";
import { construct, fillHashed } from "./support/classicRuns.js";
import { Small, smallNetwork } from "./support/smallNetwork.js";
import { writtenCheckpoint } from "./support/writtenCheckpoint.js";
import { bytesOf, global, integer, pytorchFile, storedZip, tensorPickle, text, tuple } from "./support/storedZip.js";

const pathOf = (name: string) => fileURLToPath(new URL(`fixtures/weights/${name}`, import.meta.url));
const bytesIn = (name: string) => new Uint8Array(readFileSync(pathOf(name)));

async function values(state: Record<string, Tensor>): Promise<Record<string, unknown>> {
  const read = async (value: Tensor) => [value.dtype, value.shape, await value.tolist()] as const;
  const entries = await Promise.all(Object.entries(state).map(async ([name, value]) => [name, await read(value)] as const));
  return Object.fromEntries(entries);
}

test("a state dict of torch.save, in both forms, loads strictly and is what PyTorch had", async (t) => {
  const expected = await values(smallNetwork().stateDict());
  for (const name of ["small.pth", "small-legacy.pth", "written-here.safetensors"]) {
    const model = new Small();
    t.deepEqual(model.loadStateDict(await load(pathOf(name))), { missingKeys: [], unexpectedKeys: [] }, `${name}: every key`);
    t.deepEqual(await values(model.stateDict()), expected, `${name}: every value`);
  }
  const written = await encodeSafetensors(smallNetwork().stateDict());
  t.deepEqual(written, bytesIn("written-here.safetensors"), "the file that PyTorch read is what save writes now");
});

test("half-precision weights of a whole network", async (t) => {
  const model = construct("lenet5", { initialize: false }), expected = construct("lenet5", { initialize: false });
  fillHashed(expected);
  model.loadStateDict(await load(pathOf("lenet5-half.pt")));
  const original = expected.stateDict();
  for (const [name, value] of Object.entries(model.stateDict())) {
    const [got, want] = [await value.data(), (await original[name]?.data()) ?? []];
    const worst = Math.max(...Array.from(want, (w, i) => Math.abs((got[i] ?? NaN) - w) / Math.max(Math.abs(w), 2 ** -14)));
    t.ok(worst <= 2 ** -11, `${name} within half a unit of float16's last place: ${worst.toExponential(1)}`);
  }
});

test("every dtype, views, scalars and empty tensors", async (t) => {
  const expected = JSON.parse(readFileSync(pathOf("tensors.json"), "utf8")) as Record<string, [number[], (number | string | boolean)[]]>;
  const dtypes: Record<string, string> = { int64: "int32", int32: "int32", int16: "int32", int8: "int32", uint8: "uint8", bool: "bool" };
  for (const file of ["tensors.pt", "tensors-legacy.pt"]) {
    const state = await load(pathOf(file));
    t.deepEqual(Object.keys(state), Object.keys(expected), `${file}: names in order`);
    for (const [name, [shape, numbers]] of Object.entries(expected)) {
      const got = state[name];
      t.deepEqual([got?.dtype, got?.shape], [dtypes[name] ?? "float32", shape], `${file}: ${name}'s dtype and shape`);
      t.deepEqual(Array.from((await got?.data()) ?? []), numbers.map((v) => asStored(v, got?.dtype)), `${file}: ${name}`);
    }
  }
});

/** JSON has no infinity; what is float32 here was rounded on its way. */
function asStored(value: number | string | boolean, dtype: string | undefined): number {
  const number = value === "inf" ? Infinity : Number(value);
  return dtype === "float32" ? Math.fround(number) : number;
}

test("a checkpoint is the record that it was", async (t) => {
  for (const file of ["checkpoint.pt", "checkpoint-protocol4.pt"]) {
    const value = await loadPyTorch(pathOf(file));
    if (!isRecord(value)) return t.fail("expected a record");
    const { model, ...rest } = value;
    t.deepEqual(rest, {
      epoch: 3, best: 0.875, name: "Grüße", done: true, none: null, negative: -70000, large: 2 ** 40, history: [[1, 0.5], [2, 0.25]],
      optimizer: { state: { 0: { step: 12 } }, param_groups: [{ lr: 1e-3, betas: [0.9, 0.999], params: [0] }] },
    }, `${file}: numbers, strings, lists, tuples, dictionaries`);
    t.deepEqual(await values(model as Record<string, Tensor>), await values(smallNetwork().stateDict()), `${file}: the state dict in it`);
    const sentence = /"epoch" is no tensor, so this is no state dict but a checkpoint with "epoch", "best"/;
    await rejects(t, () => load(pathOf(file)), sentence, "load says what it is");
  }
});

function isRecord(value: PyTorchValue): value is { [key: string]: PyTorchValue } {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

test("what weights_only=True reads is read, in both forms and every protocol", async (t) => {
  for (const form of ["zip", "legacy"]) {
    for (const protocol of [1, 2, 3, 4, 5]) {
      const value = await loadPyTorch(pathOf(`rich-${form}-${protocol}.pt`));
      if (!isRecord(value)) return t.fail("expected a record");
      const { marked, ordered, keys, ...rest } = value;
      t.deepEqual(rest, {
        size: [2, 3], dtype: "torch.float32", device: "cuda:1", complex: { real: 1, imaginary: -2 }, numpy: [1.5, 0.1, 0.5, -7, 200, true, 2n ** 60n],
        default: { x: [1] }, counter: { a: 2, b: 1 }, set: new Set([7]), frozen: new Set([8]), bytes: Uint8Array.of(0, 255, 65), none: new Uint8Array(),
        array: Uint8Array.of(128), large: [2 ** 53 - 1, 2n ** 53n, -(2n ** 63n), 2n ** 100n], bools: [true, false], negative: -3,
        both: new Map<unknown, unknown>([[1, "number"], ["1", "text"]]), numbers: { 2: "two", 0.5: "half" },
      }, `${form}, protocol ${protocol}`);
      t.deepEqual(keys instanceof Map && [...keys], [[null, 0], [[1, "a"], 1], [true, 2]], "keys that are no texts");
      t.deepEqual(marked instanceof Tensor && (await marked.tolist()), [1, 2], "a tensor with an attribute");
      t.deepEqual(ordered !== null && typeof ordered === "object" && Object.keys(ordered), ["b", "a"], "in order");
    }
  }
  t.deepEqual(await values(await load(pathOf("deflated.pth"))), await values(smallNetwork().stateDict()), "a zip file that was packed again");
  const later = pytorchFile([[0x80, 2], "ctorch._utils\n_rebuild_tensor_v3\n", [...tuple(
    joinedBytes([tuple(text("storage"), global("torch.storage", "UntypedStorage"), text("0"), text("cpu"), integer(16)), Uint8Array.of(0x51)]),
    integer(1), tuple(integer(2)), tuple(integer(1)), Uint8Array.of(0x89), Uint8Array.of(0x7d), global("torch", "uint16"),
  )], "R."]);
  const unsigned = decodePyTorch(later); // float32 1.0 is 0x3f800000
  t.deepEqual(unsigned instanceof Tensor && [unsigned.dtype, await unsigned.tolist()], ["int32", [0x3f80, 0]], "a dtype without a storage of its own");
});

test("save under PyTorch's endings: the files that torch.load read when the fixtures were generated", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-written-"));
  const rows = [["written-here.pt", smallNetwork(), "written-here.pt"], ["checkpoint-written-here.pt", writtenCheckpoint(), "x.pth.tar"]] as const;
  for (const [fixture, what, name] of rows) {
    const path = join(folder, name);
    await save(path, what);
    t.ok(Buffer.compare(await readFile(path), bytesIn(fixture)) === 0, `${name}: byte for byte what PyTorch read`);
    await save(what, path); // as torch.save(obj, path)
    t.ok(Buffer.compare(await readFile(path), bytesIn(fixture)) === 0, "in PyTorch's order too");
  }
  t.deepEqual(await values(await load(join(folder, "written-here.pt"))), await values(smallNetwork().stateDict()), "load reads it");
  const { tied, transposed, empty, mask, labels, left: _, ...rest } = writtenCheckpoint();
  const back = await loadPyTorch(join(folder, "x.pth.tar"));
  if (!isRecord(back)) return t.fail("expected a record");
  const plain = Object.fromEntries(Object.keys(rest).map((key) => [key, back[key]]));
  t.deepEqual(plain, rest, "and whatever else a file may hold");
  for (const [name, value] of Object.entries({ transposed, empty, mask, labels })) {
    const got = back[name];
    t.deepEqual(got instanceof Tensor && [got.dtype, got.shape, await got.tolist()], [value.dtype, value.shape, await value.tolist()], name);
  }
  t.equal(Array.isArray(back["tied"]) && back["tied"].length, tied.length, "tied weights");
  const model = new nn.Linear(2, 1), optimizer = new optim.Adam(model.parameters());
  model(tensor([[1, 2]])).sum().backward();
  optimizer.step();
  await save(join(folder, "run.pt"), { epoch: 7, model, optimizer: optimizer.stateDict() });
  const run = await loadPyTorch(join(folder, "run.pt"));
  t.ok(isRecord(run) && run["epoch"] === 7 && isRecord(run["model"] ?? null) && isRecord(run["optimizer"] ?? null), "a training, as PyTorch's programs save it");
  const again = new optim.Adam(model.parameters());
  again.loadStateDict((isRecord(run) ? run["optimizer"] : null) as never);
  t.deepEqual(again.stateDict().paramGroups, optimizer.stateDict().paramGroups, "and take it up");
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  await rejects(t, () => save(join(folder, "a.pt"), { when: new Date() }), /got a Date at the value\.when; expected tensors, numbers/, "a date");
  await rejects(t, () => save(join(folder, "a.pt"), loop), /the value\.self holds itself/, "a circle");
  await rejects(t, () => save(join(folder, "a.pt"), model, { epoch: "3" }), /got metadata for .*a\.pt; .*Save \{ model, \.\.\.metadata \}/, "metadata");
  await rejects(t, () => save(join(folder, "a.onnx"), model), /\.onnx files are not written here/, "another format's name");
});

test("zip files past 4 GiB: the headers that are written are read", async (t) => {
  const size = 2 ** 32 + 5, path = join(await mkdtemp(join(tmpdir(), "athanor-wide-")), "wide.zip");
  const entries = [{ name: "a", size: 3, crc: 0 }, { name: "wide", size, crc: 0 }, { name: "after", size: 4, crc: 0 }];
  const { locals, directory } = zipHeaders(entries), file = await open(path, "w+");
  let at = 0;
  for (const [i, local] of locals.entries()) {
    await file.write(local, 0, local.length, at);
    t.equal((at + local.length) % 64, 0, "entries start at multiples of 64");
    at += local.length + (entries[i]?.size ?? 0);
  }
  await file.write(Uint8Array.of(9, 8, 7, 6), 0, 4, at - 4);
  await file.write(directory, 0, directory.length, at);
  const source = {
    size: at + directory.length,
    read: async ({ start, length }: { start: number; length: number }) => (await file.read(new Uint8Array(length), 0, length, start)).buffer,
  };
  const found = await readFrom(readZip(source.size, (sentence) => new PyTorchFileError(sentence)), source);
  t.deepEqual([...found.values()].map(({ name, size: length }) => [name, length]), [["a", 3], ["wide", size], ["after", 4]]);
  const after = found.get("after");
  t.deepEqual(after && (await readFrom(after.read(0, 4), source)), Uint8Array.of(9, 8, 7, 6), "what stands past 4 GiB");
  await file.close();
  await rm(path);
});

async function rejects(t: test.Test, action: () => Promise<unknown>, expected: RegExp, name: string): Promise<void> {
  const message = await action().then(() => "it went well", (error: unknown) => (error instanceof Error ? error.message : String(error)));
  t.ok(expected.test(message), `${name}: ${message}`);
}

function refused(t: test.Test, name: string, bytes: Uint8Array, expected: RegExp): void {
  let message = "it was read";
  try {
    decodePyTorch(bytes, "a.pt");
  } catch (error) {
    message = error instanceof PyTorchFileError ? error.message : `not a PyTorchFileError: ${String(error)}`;
  }
  t.ok(expected.test(message) && message.startsWith("a.pt: "), `${name}: ${message}`);
}

test("what asks for more than tensors and containers is refused by its name", (t) => {
  const rows: [string, RegExp][] = [
    ["evil.pt", /asks for Python's posix\.system, .*nothing was run/], ["evil-legacy.pt", /asks for Python's posix\.system/],
    ["module.pt", /asks for Python's torch\.nn\.modules\.linear\.Linear, .*Save model\.state_dict\(\)/],
    ["script.pt", /is a TorchScript file \(torch\.jit\.save\), .*torch\.save\(model\.state_dict\(\), path\)/],
    ["numpy-array.pt", /asks for Python's numpy\.core\.multiarray\._reconstruct/],
    ["complex.pt", /asks for Python's torch\.ComplexFloatStorage/],
    ["large-integer.pt", /element 0 of "a tensor of shape \[1\]" is 2147483648 \(I64\), which int32 cannot hold/],
  ];
  for (const [name, expected] of rows) refused(t, name, bytesIn(name), expected);
  const evil = [global("builtins", "eval"), tuple(text("1")), Uint8Array.of(0x52, 0x2e)];
  refused(t, "a call of eval", pytorchFile([[0x80, 2], ...evil.map((part) => [...part])]), /asks for Python's builtins\.eval/);
  const stacked = joinedBytes([text("os"), text("system"), Uint8Array.of(0x93, 0x2e)]);
  refused(t, "a name from the stack", pytorchFile([[0x80, 4], [...stacked]]), /asks for Python's os\.system/);
  t.end();
});

test("tensors that a pickle describes", async (t) => {
  const file = (...described: Parameters<typeof tensorPickle>) => pytorchFile([[0x80, 2], [...tensorPickle(...described)], "."]);
  const good = decodePyTorch(file(4, 1, [2, 2], [1, 1]));
  t.deepEqual(good instanceof Tensor && (await good.tolist()), [[2, 3], [3, 4]], "overlapping windows");
  refused(t, "past its storage", file(4, 1, [4], [1]), /shape \[4\] reaches element 4 of a storage of 4/);
  refused(t, "past its storage by the stride", file(4, 0, [2], [4]), /reaches element 4 of a storage of 4/);
  refused(t, "a negative size", file(4, 0, [-1], [1]), /described by something other than/);
  refused(t, "a negative offset", file(4, -1, [1], [1]), /described by something other than/);
  refused(t, "sizes without strides", file(4, 0, [2, 2], [1]), /described by something other than/);
  refused(t, "a size past counting", file(4, 0, [2 ** 30, 2 ** 30], [0, 0]), /reaches element NaN|far more memory than the file has|reaches element/);
  refused(t, "an expanded giant", file(4, 0, [2 ** 28], [0]), /\[268435456\] would take far more memory than the file has; it repeats its values/);
  refused(t, "a storage of another length", file(5, 0, [1], [1]), /archive\/data\/0 has 16 bytes; 5 values of F32 take 20/);
  refused(t, "a storage of another type", file(4, 0, [1], [1], "DoubleStorage"), /has 16 bytes; 4 values of F64 take 32/);
  const twice = joinedBytes([tensorPickle(4, 0, [1], [1]), tensorPickle(2, 0, [1], [1], "DoubleStorage"), Uint8Array.of(0x86, 0x2e)]);
  refused(t, "one storage of two types", pytorchFile([[0x80, 2], [...twice]]), /storage 0 is used as F32 and as F64/);
});

test("each damaged pickle is refused with a sentence", (t) => {
  const storage = tuple(text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), integer(4));
  const rows: [string, readonly (number | string | readonly number[])[], RegExp][] = [
    ["empty", [], /pickle ends at byte 0 in the middle of a value/],
    ["nothing but its protocol", [[0x80, 2]], /ends at byte 2 in the middle/],
    ["no value", [[0x80, 2], "."], /takes a value where there is none/],
    ["an unknown opcode", [[0x80, 2, 0xff]], /byte 2 of the pickle is the opcode 0xff/],
    ["bytes past the end", [[0x80, 4], "C", [2, 65]], /in the middle of a value/],
    ["a set for a key", [[0x80, 4], "}", [0x8f], "K", [1], "s."], /a dictionary has a set for a key/],
    ["adding to a list", [[0x80, 4], "](N", [0x90], "."], /adds to something that is no set/],
    ["a buffer outside", [[0x80, 5, 0x97], "."], /opcode 0x97/],
    ["an object made by a class that is not known", [[0x80, 2], "cmodule\nThing\n)", [0x81], "."], /asks for Python's module\.Thing/],
    ["an object without a class", [[0x80, 2], ")", [0x81], "."], /takes a value where there is none/],
    ["a whole number of letters", [[0x80, 1], "Labc\n."], /has "abc" for a whole number/],
    ["bytes of no Latin-1", [[0x80, 2], "c_codecs\nencode\n", [...tuple(text("ā"), text("latin1"))], "R."], /no Latin-1 text/],
    ["a set of a number", [[0x80, 2], "c__builtin__\nset\n(K", [1], "tR."], /made of something that is no list/],
    ["a numpy value of text", [[0x80, 2], "cnumpy\ndtype\n", [...tuple(text("U5"))], "R."], /numpy value of dtype "U5"/],
    ["a numpy scalar too short", [[0x80, 3], "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n", [...tuple(text("f8"))], "RC", [1, 0], "tR."], /its bytes/],
    ["text past the end", [[0x80, 2], "X", [200, 0, 0, 0], "abc"], /in the middle of a value/],
    ["text of 2^63 bytes", [[0x80, 4, 0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80], "abc"], /in the middle of a value/],
    ["text that is not UTF-8", [[0x80, 2], "X", [1, 0, 0, 0, 0xff], "."], /not UTF-8/],
    ["a name without an end", [[0x80, 2], "ctorch"], /in the middle of a value/],
    ["an unknown memory", [[0x80, 2], "h", [3], "."], /refers to its value 3, which it has not made/],
    ["a group that was not opened", [[0x80, 2], "t."], /closes a group that was not opened/],
    ["items of a list", [[0x80, 2], "](NNu."], /sets items of something that is no dictionary/],
    ["a key without a value", [[0x80, 2], "}(Nu."], /sets items of something/],
    ["a dictionary for a key", [[0x80, 2], "}(}Nu."], /a dictionary has a dictionary for a key/],
    ["appending to a tuple", [[0x80, 2], ")Na."], /appends to something that is no list/],
    ["a call of a number", [[0x80, 2], "K", [1], ")R."], /calls something that is no function/],
    ["a call of a storage type", [[0x80, 2], "ctorch\nFloatStorage\n)R."], /calls torch\.FloatStorage, which is not a function that makes a tensor/],
    ["a type for a value", [[0x80, 2], "ctorch\nFloatStorage\n."], /holds Python's torch\.FloatStorage itself/],
    ["an OrderedDict of numbers", [[0x80, 2], "ccollections\nOrderedDict\n(K", [1], "tR."], /made of something other than pairs/],
    ["attributes of a list", [[0x80, 2], "]}b."], /attributes of an object that is no dictionary/],
    ["a persistent id of another kind", [[0x80, 2], [...text("module")], "Q."], /refers to nothing outside the pickle/],
    ["a parameter of None", [[0x80, 2], "ctorch._utils\n_rebuild_parameter\n(NtR."], /parameter is made of something that is no tensor/],
    ["a tensor of None", [[0x80, 2], "ctorch._utils\n_rebuild_tensor_v2\n(NtR."], /described by something other than a storage/],
    ["a storage by itself", [[0x80, 2], [...storage], "Q."], /a storage without a tensor/],
  ];
  for (const [name, pickle, expected] of rows) refused(t, name, pytorchFile(pickle), expected);
  const deep = decodePyTorch(pytorchFile([[0x80, 2], "]".repeat(50_000), "a".repeat(49_999), "."]));
  t.ok(Array.isArray(deep), "fifty thousand lists in one another");
  const key = decodePyTorch(pytorchFile([[0x80, 2], "}(", [...text("__proto__")], "K", [1], "u."]));
  t.deepEqual(key !== null && typeof key === "object" && Object.keys(key), ["__proto__"], "any key");
  t.end();
});

test("each damaged file is refused with a sentence", (t) => {
  const good = bytesIn("small.pth"), legacy = bytesIn("small-legacy.pth");
  const patched = (at: number, ...bytes: number[]) => patchedIn(good, at, ...bytes);
  const patchedIn = (bytes: Uint8Array, at: number, ...values: number[]) => {
    const copy = new Uint8Array(bytes);
    copy.set(values, at);
    return copy;
  };
  const none = (name: string) => ({ name, data: bytesOf(["N."]) });
  const end = good.length - 22;
  const directory = new DataView(good.buffer).getUint32(end + 16, true);
  const rows: [string, Uint8Array, RegExp][] = [
    ["empty", new Uint8Array(0), /does not begin as a file of torch\.save/],
    ["safetensors", bytesIn("written-here.safetensors"), /does not begin as a file of torch\.save/],
    ["cut before the directory", good.subarray(0, good.length - 400), /no zip directory at its end: it is truncated/],
    ["cut in the first entry", good.subarray(0, 60), /no zip directory at its end/],
    ["its middle missing", joinedBytes([good.subarray(0, 200), good.subarray(400)]), /should span|is not where it should be|where there is no entry/],
    ["a directory past the end", patched(end + 16, 255, 255, 255, 127), /zip directory should span bytes 2147483647/],
    ["a directory of 64 bits that is not there", patchedIn(patched(end - 20, 0), end + 16, 255, 255, 255, 255), /64-bit form, which is not there/],
    ["more entries than there are", patched(end + 10, 200, 0), /entry \d+ of the zip directory's 200 is not where it should be/],
    ["an encrypted entry", patched(directory + 8, 1), /is encrypted/],
    ["an entry packed otherwise", patched(directory + 10, 12), /is compressed by method 12; expected stored or deflated entries/],
    ["an entry said to be deflated", patched(directory + 10, 8), /cannot be unpacked|unpacks to \d+ bytes where/],
    ["a deflated entry of another length", deflatedLength(bytesIn("deflated.pth"), 3), /cannot be unpacked|unpacks to \d+ bytes where/],
    ["a deflated entry that would fill the memory", deflatedLength(bytesIn("deflated.pth"), 2 ** 31), /more than deflate can pack/],
    ["two sizes", patched(directory + 20, 1), /bytes in the file and \d+ outside it/],
    ["an entry past the end", patched(directory + 42, 0, 0, 0, 127), /should start at byte 2130706432, where there is no entry/],
    ["a size of 64 bits that is not there", patched(directory + 20, 255, 255, 255, 255), /should have 64-bit sizes and has none/],
    ["an entry longer than the file", patched(directory + 20, 0, 0, 0, 16, 0, 0, 0, 16), /should end at byte \d+, but the file ends at \d+/],
    ["a zip of something else", storedZip([{ name: "word/document.xml", data: bytesOf(["<a/>"]) }]), /holds 0 entries called data\.pkl/],
    ["two pickles", storedZip([none("a/data.pkl"), none("b/data.pkl")]), /holds 2 entries called data\.pkl/],
    ["an entry twice", storedZip([none("a/data.pkl"), none("a/data.pkl")]), /lists "a\/data\.pkl" twice/],
    ["no storage", storedZip([{ name: "a/data.pkl", data: joinedBytes([tensorPickle(4, 0, [1], [1]), bytesOf(["."])]) }]), /a\/data\/0, which is not/],
    ["big-endian", storedZip([none("a/data.pkl"), { name: "a/byteorder", data: bytesOf(["big"]) }]), /big-endian machine/],
    ["the older form, cut", legacy.subarray(0, legacy.length - 3), /should end at byte \d+, but the file ends at \d+: it is truncated/],
    ["the older form, cut in its pickle", legacy.subarray(0, 300), /in the middle of a value/],
    ["the older form with bytes after it", joinedBytes([legacy, Uint8Array.of(0)]), /it has bytes after its end/],
    ["the older form of another protocol", new Uint8Array(legacy).fill(7, 18, 19), /protocol is \d+; expected 1001/],
  ];
  for (const [name, bytes, expected] of rows) refused(t, name, bytes, expected);
  let wrong = 0;
  for (let length = 0; length < good.length; length += 7) wrong += outcome(good.subarray(0, length));
  for (let length = 0; length < legacy.length; length++) wrong += outcome(legacy.subarray(0, length));
  t.equal(wrong, 0, "no truncation is read, and each is a PyTorchFileError");
  t.end();
});

/** The archive with another unpacked length for its first entry. */
function deflatedLength(bytes: Uint8Array, length: number): Uint8Array {
  const copy = new Uint8Array(bytes), view = new DataView(copy.buffer);
  view.setUint32(view.getUint32(copy.length - 6, true) + 24, length, true);
  return copy;
}

/** 0 where the bytes are refused as they should be. */
function outcome(bytes: Uint8Array): 0 | 1 {
  try {
    decodePyTorch(bytes);
    return 1;
  } catch (error) {
    return error instanceof PyTorchFileError ? 0 : 1;
  }
}

test("flipped bytes are refused or read, never anything else", (t) => {
  let broken = 0;
  for (const name of ["small.pth", "small-legacy.pth", "checkpoint-protocol4.pt"]) {
    const good = bytesIn(name);
    for (let at = 0; at < good.length; at++) {
      const copy = new Uint8Array(good);
      copy[at] = (copy[at] ?? 0) ^ (1 << at % 8);
      try {
        decodePyTorch(copy);
      } catch (error) {
        if (!(error instanceof PyTorchFileError)) broken++;
      }
    }
  }
  t.equal(broken, 0, "no other error");
  t.end();
});

test("files of the 64-bit zip form", async (t) => {
  const path = join(await mkdtemp(join(tmpdir(), "athanor-pytorch-")), "wide.pt");
  await writeFile(path, wideZip(bytesIn("small.pth")));
  t.deepEqual(await values(await load(path)), await values(smallNetwork().stateDict()), "every value");
});

/** The same archive with its directory in the 64-bit form. */
function wideZip(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), end = bytes.length - 22;
  const count = view.getUint16(end + 10, true), start = view.getUint32(end + 16, true);
  const records: Uint8Array[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const name = view.getUint16(at + 28, true), rest = view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    const head = bytes.slice(at, at + 46 + name), extra = new Uint8Array(28);
    const headView = new DataView(head.buffer), extraView = new DataView(extra.buffer);
    extraView.setUint16(0, 1, true);
    extraView.setUint16(2, 24, true);
    [24, 20, 42].forEach((field, k) => {
      extraView.setBigUint64(4 + 8 * k, BigInt(headView.getUint32(field, true)), true);
      headView.setUint32(field, 0xffffffff, true);
    });
    headView.setUint16(30, extra.length, true);
    headView.setUint16(32, 0, true);
    records.push(head, extra);
    at += 46 + name + rest;
  }
  const size = records.reduce((sum, { length }) => sum + length, 0);
  const end64 = new Uint8Array(56), end64View = new DataView(end64.buffer), locator = new Uint8Array(20), last = new Uint8Array(22);
  end64View.setUint32(0, 0x06064b50, true);
  for (const [place, value] of [[24, count], [32, count], [40, size], [48, start]] as const) end64View.setBigUint64(place, BigInt(value), true);
  new DataView(locator.buffer).setUint32(0, 0x07064b50, true);
  new DataView(locator.buffer).setBigUint64(8, BigInt(start + size), true);
  new DataView(last.buffer).setUint32(0, 0x06054b50, true);
  last.fill(0xff, 8, 20);
  return joinedBytes([bytes.subarray(0, start), ...records, end64, locator, last]);
}

test("load tells the formats apart by their bytes", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-formats-"));
  const disguised = join(folder, "weights.safetensors");
  await writeFile(disguised, await readFile(pathOf("small.pth")));
  t.deepEqual(Object.keys(await load(disguised)), Object.keys(smallNetwork().stateDict()), "a PyTorch file under another name");
  const ours = join(folder, "weights.pth");
  await writeFile(ours, await encodeSafetensors(smallNetwork().stateDict()));
  t.deepEqual(new Small().loadStateDict(await load(ours)), { missingKeys: [], unexpectedKeys: [] }, "and safetensors under PyTorch's");
  await rejects(t, () => loadPyTorch(join(folder, "absent.pt")), /absent\.pt cannot be read/, "a file that is not there");
  await rejects(t, () => loadPyTorch(ours), /does not begin as a file of torch\.save/, "safetensors given to loadPyTorch");
  const none: PyTorchValue = decodePyTorch(pytorchFile(["N."]));
  t.equal(none, null, "None is null");
});
