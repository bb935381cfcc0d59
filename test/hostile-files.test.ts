// Files that were cut at any byte, or written to do harm: each is one of our sentences, soon, and never a half-loaded state.
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import test from "tape";
import { decodePng, encodePng, parseIdx } from "../data/index.js";
import { AthanorError, nn, optim, save, tensor, zeros } from "../index.js";
import { decodeSafetensors, encodeSafetensors } from "../serialization/safetensors.js";
import { Checkpoint } from "../training/index.js";
import { pngChunk, pngFile, pngHeader } from "./support/pngFiles.js";

/** The sentence of one of our errors, or what came instead. */
async function sentenceOf(action: () => unknown): Promise<string> {
  try {
    await action();
    return "it was taken";
  } catch (error) {
    return error instanceof AthanorError ? error.message : `not ours: ${String(error)}`;
  }
}
const isSentence = (text: string) => text !== "it was taken" && !text.startsWith("not ours") && /[.)]$/.test(text);

async function cutAnywhere(bytes: Uint8Array, read: (part: Uint8Array) => unknown): Promise<string[]> {
  const sentences = await Promise.all(Array.from(bytes, (_, length) => sentenceOf(() => read(bytes.subarray(0, length)))));
  return sentences.filter((text) => !isSentence(text));
}

test("a file cut at any byte is a sentence", async (t) => {
  const weights = await encodeSafetensors({ "a.b": tensor([1, 2, 3]), mask: tensor([true]) }, { key: "value" });
  t.deepEqual(await cutAnywhere(weights, (part) => decodeSafetensors(part)), [], `safetensors of ${weights.length} bytes`);
  const image = await encodePng({ width: 5, height: 4, channels: 3, data: new Uint8Array(60).map((_, i) => 4 * i) });
  const pixelsEnd = image.length - 16; // before the sum of the last pixels and the end: what is cut from there on does no harm
  t.deepEqual(await cutAnywhere(image.subarray(0, pixelsEnd), (part) => decodePng(part)), [], `PNG of ${image.length} bytes`);
  const idx = Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);
  t.deepEqual(await cutAnywhere(idx, (part) => parseIdx(part, "x")), [], `IDX of ${idx.length} bytes`);
});

test("safetensors: texts and names of megabytes are read or refused, never a stack overflow", async (t) => {
  const long = "x".repeat(12_000_000), escaped = '"\n\\'.repeat(2_000_000);
  const bytes = await encodeSafetensors({ [long.slice(0, 10_000_000)]: zeros(1) }, { long, escaped });
  const { tensors, metadata } = decodeSafetensors(bytes);
  t.ok(metadata["long"] === long && metadata["escaped"] === escaped && Object.keys(tensors)[0]?.length === 10_000_000, "read as written");
});

test("PNG: a second header and impossible depths are refused before anything is allocated", async (t) => {
  const pixels = pngChunk("IDAT", deflateSync(new Uint8Array(5)));
  const rows: [string, Uint8Array, RegExp][] = [
    ["a second header of 60000²", pngFile(pngHeader(2, 1, 8, 0), pngHeader(60_000, 60_000, 8, 0), pixels), /second header/],
    ["a palette of 16 bits", pngFile(pngHeader(2, 1, 16, 3), pngChunk("PLTE", Uint8Array.of(1, 2, 3)), pixels), /colour type 3, 16 bits/],
    ["colours of 1 bit", pngFile(pngHeader(2, 1, 1, 2), pixels), /colour type 2, 1 bits/],
  ];
  for (const [what, bytes, says] of rows) {
    const message = await sentenceOf(() => decodePng(bytes, { fileName: "a.png" }));
    t.ok(says.test(message), `${what}: ${message}`);
  }
});

test("save and the state dicts: what is no tensor is named, nothing is written or loaded", async (t) => {
  const given = (text: string): never => JSON.parse(text) as never;
  const parameter = zeros(2, { requiresGrad: true }), optimizer = new optim.Adam([parameter]);
  const model = new nn.Linear(1, 1), path = join(tmpdir(), `athanor-never-${process.pid}`);
  const lone: object = zeros(2);
  const rows: [string, () => unknown, RegExp][] = [
    ["save of a tensor", () => save(path, lone as never), /got a Tensor; expected tensors by name/],
    ["save of a nested dict", () => save(path, { model: { w: zeros(1) } } as never), /got a Object under "model"/],
    ["save of nothing", () => save(path, given("null")), /got null/],
    ["loadStateDict of lists", () => model.loadStateDict(given('{"weight": [[1]], "bias": [1]}')), /got \[\[1\]\] under "weight"/],
    ["loadStateDict of null", () => model.loadStateDict(given("null")), /got stateDict null; expected a state dict: tensors by name/],
    ["loadStateDict of a promise", () => model.loadStateDict(Promise.resolve({}) as never), /await it first/],
    ["an optimizer's dict that is empty", () => optimizer.loadStateDict(given("{}")), /without state or paramGroups/],
    ["one whose group is null", () => optimizer.loadStateDict(given('{"state": {}, "paramGroups": [null]}')), /group that lacks params/],
    ["one at step x", () => optimizer.loadStateDict(given('{"state":{"0":{"step":"x","tensors":{}}},"paramGroups":[{"params":[0],"options":{}}]}')), /step x/],
    ["one without tensors", () => optimizer.loadStateDict(given('{"state":{"0":{"step":1}},"paramGroups":[{"params":[0],"options":{}}]}')), /holds no tensors/],
    ["unpackState of no JSON", () => optim.unpackState({}, "{"), /without steps and paramGroups/],
    ["unpackState of null steps", () => optim.unpackState({}, '{"steps":null,"paramGroups":[]}'), /without steps and paramGroups/],
  ];
  for (const [what, call, says] of rows) {
    const message = await sentenceOf(call);
    t.ok(says.test(message), `${what}: ${message}`);
  }
  t.notOk(existsSync(path), "no file was written");
});

test("Checkpoint: damaged text is a sentence", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-hostile-"));
  const model = new nn.Linear(2, 1), optimizer = new optim.Adam(model.parameters());
  model(tensor([[1, 2]])).sum().backward();
  optimizer.step();
  const checkpoint = new Checkpoint(folder, { model, optimizer });
  const path = await checkpoint.save(1);
  const { tensors, metadata } = decodeSafetensors(await readFile(path));
  const texts = ["", "null", "3", "[]", "{}", '"x"', "{", '{"$tensor":"__proto__"}', '{"epoch":1,"random":{"seed":"x","stream":-1}}'];
  const found: string[] = [];
  for (const key of Object.keys(metadata)) {
    for (const text of texts) {
      await writeFile(path, await encodeSafetensors(tensors, { ...metadata, [key]: text }));
      const message = await sentenceOf(() => checkpoint.load(path));
      if (!isSentence(message)) found.push(`${key} = ${text}: ${message}`);
    }
  }
  t.deepEqual(found, [], `${Object.keys(metadata).length} texts, ${texts.length} ways each`);
  await rm(folder, { recursive: true });
});
