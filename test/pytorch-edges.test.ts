// PyTorch's files at their edges: what would be lost or changed on the way to Python is refused when it is saved, what a file says beside a tensor's
// values counts, and a file that is no file of weights is told for what it is.
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "tape";
import { decodePyTorch, decodeSafetensors, loadPyTorch, save, type SaveableValue, type Tensor } from "../index.js";
import { joinedBytes } from "../serialization/bytes.js";
import { checkRefusals, type RefusedCall } from "./support/refusal.js";
import { bytesOf, global, integer, pytorchFile, storedZip, text, tuple } from "./support/storedZip.js";

test("save: what Python would lose, merge or not read is refused, and nothing is written", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-edges-")), path = join(folder, "x.pt");
  const nested = (make: (inner: unknown) => unknown, depth = 100_000): unknown => {
    let value: unknown = 1;
    for (let i = 0; i < depth; i++) value = make(value);
    return value;
  };
  const again = { stateDict: (): object => again }, hole = new Array<number>(3).fill(1);
  Reflect.deleteProperty(hole, "1");
  const mapOf = (...keys: unknown[]) => new Map(keys.map((key) => [key, 1]));
  const rows: [string, unknown, RegExp][] = [
    ["a list with a hole", hole, /got a value of type undefined at the value\[1\]/],
    ["lists 100,000 deep", nested((inner) => [inner]), /nested more than 900 deep/],
    ["a key 100,000 deep", mapOf(nested((inner) => [inner])), /nested more than 900 deep/],
    ["a stateDict that gives itself", again, /nested more than 900 deep; .*does a stateDict\(\) give one again/],
    ["keys 1 and true", mapOf(1, true), /got 1 and true among the keys or members of the value, which are one to Python/],
    ["keys 0 and −0n", mapOf(0, 0n), /got 0 and 0 among the keys/],
    ["two lists alike", mapOf([1, "a"], [1, "a"]), /got \[1, "a"\] and \[1, "a"\] among the keys/],
    ["members 1 and 1n of a set", new Set([1, 1n]), /got 1 and 1 among the keys or members/],
    ["a record for a key", mapOf({ a: 1 }), /got an object \{ a \} for a key, or for a set's member, in the value; expected numbers, texts/],
    ["a record in a set", new Set([{ a: 1 }]), /for a key, or for a set's member/],
    ["a whole number of 400 bytes", 2n ** 3200n, /got a whole number of 401 bytes; expected at most 255/],
    ["half a character", { "x\ud800": 1 }, /got the text "x\\ud800", which holds half a character/],
  ];
  await checkRefusals(t, rows.map(([what, value, says]): RefusedCall => [what, () => save(path, value as SaveableValue), says]));
  t.notOk(existsSync(path), "no file was written");
  await save(path, { deep: nested((inner) => [inner], 800), sets: new Set<unknown>([1, "1", null, [2, 3]]), keys: new Map<unknown, unknown>([[1, "a"], ["1", "b"], [[1], 2]]) });
  const { sets, keys } = (await loadPyTorch(path)) as { sets: unknown; keys: unknown };
  t.deepEqual(sets, new Set<unknown>([1, "1", null, [2, 3]]), "members that differ");
  t.deepEqual(keys, new Map<unknown, unknown>([[1, "a"], ["1", "b"], [[1], 2]]), "keys that differ");
  await rm(folder, { recursive: true });
});

const emptyDict = Uint8Array.of(0x7d);
/** _rebuild_tensor_v2 of storage "0", with what today's PyTorch writes as its seventh argument: a dictionary of bits. */
const withBit = (name: string): Uint8Array => {
  const storage = joinedBytes([tuple(text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), integer(4)), Uint8Array.of(0x51)]);
  const bits = joinedBytes([emptyDict, text(name), Uint8Array.of(0x88, 0x73)]);
  const given = tuple(storage, integer(1), tuple(integer(2)), tuple(integer(2)), Uint8Array.of(0x89), emptyDict, bits);
  return joinedBytes([global("torch._utils", "_rebuild_tensor_v2"), given, Uint8Array.of(0x52)]);
};
const fileOf = (...parts: Uint8Array[]) => pytorchFile([[0x80, 2], ...parts.map((part) => [...part]), "."]);

test("a tensor's bits and a layout are read", async (t) => {
  const negated = decodePyTorch(fileOf(withBit("neg"))), plain = decodePyTorch(fileOf(withBit("other")));
  t.deepEqual(await (negated as Tensor).tolist(), [-2, -4], "the imaginary part of a conjugate has the other sign");
  t.deepEqual(await (plain as Tensor).tolist(), [2, 4]);
  t.equal(decodePyTorch(fileOf(joinedBytes([global("torch.serialization", "_get_layout"), tuple(text("torch.strided")), Uint8Array.of(0x52)]))), "torch.strided");
  t.end();
});

test("what is refused by its name says what to save instead", async (t) => {
  const asking = (module: string, name: string) => () => decodePyTorch(fileOf(global(module, name)));
  await checkRefusals(t, [
    ["complex", asking("torch", "ComplexFloatStorage"), /Python's torch\.ComplexFloatStorage, .*nothing was run\. .*torch\.view_as_real\(x\)/],
    ["sparse", asking("torch._utils", "_rebuild_sparse_tensor"), /x\.to_dense\(\)/],
    ["quantized", asking("torch._utils", "_rebuild_qtensor"), /x\.dequantize\(\)/],
    ["numpy", asking("numpy.core.multiarray", "_reconstruct"), /torch\.from_numpy\(a\)/],
    ["a module", asking("torch.nn.modules.linear", "Linear"), /model\.state_dict\(\) instead of the object/],
  ]);
});

test("hostile values are shown, not walked to their end", async (t) => {
  const depth = 100_000, lists = "[".repeat(depth) + "]".repeat(depth), zip = storedZip;
  const safetensors = (header: string) => () => decodeSafetensors(joinedBytes([new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer), bytesOf([header])]));
  const deep = [...new Uint8Array(depth).fill(0x5d), ...new Uint8Array(depth - 1).fill(0x61)]; // lists in lists
  const cyclic = [0x5d, 0x71, 0, 0x68, 0, 0x61]; // a list that holds itself
  const persistent = (key: readonly number[]) => () => decodePyTorch(zip([{ name: "a/data.pkl", data: bytesOf([[0x80, 2, 0x28, ...key, 0x74, 0x51], "."]) }]));
  await checkRefusals(t, [
    ["a deep shape", safetensors(`{"a":{"dtype":"F32","shape":${lists},"data_offsets":[0,0]}}`), /the shape of "a" is \[\[\[\[…\]/],
    ["a deep dtype", safetensors(`{"a":{"dtype":${lists},"shape":[],"data_offsets":[0,0]}}`), /the dtype of "a" is \[\[\[\[…\]/],
    ["deep offsets", safetensors(`{"a":{"dtype":"F32","shape":[],"data_offsets":${lists}}}`), /the data_offsets of "a" are \[\[\[\[…\]/],
    ["a deep text", safetensors(`{"__metadata__":{"a":${lists}}}`), /the metadata "a" is \[\[\[\[…\]/],
    ["a dtype of a megabyte", safetensors(`{"a":{"dtype":"${"x".repeat(2 ** 20)}","shape":[],"data_offsets":[0,0]}}`), /^.{1,300}$/],
    ["a reference that is a list in itself", persistent(cyclic), /refers to \[\[\[\[…\]\]\]\] outside the pickle/],
    ["a reference of deep lists", persistent(deep), /refers to \[\[\[\[…\]\]\]\] outside the pickle/],
    ["a device of deep lists", () => decodePyTorch(fileOf(joinedBytes([global("torch", "device"), tuple(Uint8Array.from(deep)), Uint8Array.of(0x52)]))), /named by \[\[\[\[…\]\]\]\], which is no text/],
  ]);
});

test("what is no file of weights is told by how it begins", async (t) => {
  const begins = (...parts: (string | number[])[]) => () => decodeSafetensors(bytesOf([...parts, " ".repeat(40)]));
  await checkRefusals(t, [
    ["a web page", begins("<!DOCTYPE html>"), /no safetensors file, but a web page: the download failed/],
    ["Git LFS's note", begins("version https://git-lfs.github.com/spec/v1"), /`git lfs pull`/],
    ["gzip", begins([0x1f, 0x8b, 8, 0, 1, 2, 3, 4]), /packed by gzip/],
    ["HDF5", begins([0x89], "HDF\r\n", [0x1a, 10]), /HDF5 or Keras/],
    ["a bare pickle", begins([0x80, 4, 0x95, 1, 2, 3, 4, 5]), /a pickle without torch\.save's beginning/],
    ["some text", begins("epoch,loss\n"), /it begins with the text "epoch,lo"/],
  ]);
});
