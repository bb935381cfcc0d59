// Event files: byte for byte what PyTorch's SummaryWriter wrote through TensorBoard's own library (test/fixtures/events.py), and read back by a
// reader of the test's own, which knows the format from its definition and checks every checksum bit by bit.
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import test from "tape";
import { zeros } from "../index.js";
import { SummaryWriter } from "../training/tensorboard/index.js";
import { crc32c } from "../training/tensorboard/records.js";
import { type RefusedCall, checkRefusals } from "./support/refusal.js";


type Call =
  | [kind: "scalar" | "text", tag: string, value: number | string, step: number, wallTime: number]
  | [kind: "scalars", tag: string, values: Record<string, number>, step: number, wallTime: number];
interface Fixtures {
  readonly calls: Call[];
  /** Records in base64, by the folder below the writer's. */
  readonly files: Record<string, string[]>;
}
const fixtures = JSON.parse(readFileSync(new URL("fixtures/events.json", import.meta.url), "utf8")) as Fixtures;

/** The frames of a TFRecord file. */
function frames(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 16 + Number(bytes.readBigUInt64LE(at));
    if (end > bytes.length) throw new Error(`The record at ${at} ends at ${end}, past the file's ${bytes.length} bytes.`);
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

/** CRC-32C a bit at a time, as its definition has it. */
function slowCrc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const feedback = (value ^ (byte >> bit)) & 1;
      value = (value >>> 1) ^ (feedback ? 0x82f63b78 : 0);
    }
  }
  return ~value >>> 0;
}
const unmasked = (masked: number) => {
  const turned = (masked - 0xa282ead8) >>> 0;
  return ((turned >>> 17) | (turned << 15)) >>> 0;
};
function isSound(frame: Buffer): boolean {
  const ofLength = unmasked(frame.readUInt32LE(8)), ofContent = unmasked(frame.readUInt32LE(frame.length - 4));
  return ofLength === slowCrc(frame.subarray(0, 8)) && ofContent === slowCrc(frame.subarray(12, -4));
}

type Parsed = Map<number, (number | Buffer)[]>;
/** The fields of a protocol buffer message: numbers, and bytes that may be messages again. */
function parse(bytes: Buffer): Parsed {
  const fields: Parsed = new Map();
  let at = 0;
  const varint = () => {
    let value = 0, scale = 1;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint(), field = key >>> 3, wire = key & 7;
    let value: number | Buffer;
    if (wire === 0) value = varint();
    else if (wire === 1) value = bytes.readDoubleLE((at += 8) - 8);
    else if (wire === 5) value = bytes.readFloatLE((at += 4) - 4);
    else if (wire === 2) {
      const length = varint();
      value = bytes.subarray(at, (at += length));
    } else throw new Error(`wire type ${wire}`);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}
const one = (message: Parsed, field: number): number | Buffer | undefined => message.get(field)?.[0];
const inner = (message: Parsed, field: number): Parsed => {
  const value = one(message, field);
  return value instanceof Buffer ? parse(value) : new Map();
};

interface Scalar {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}
function scalarsOf(bytes: Buffer): Scalar[] {
  return frames(bytes).slice(1).map((frame) => {
    const event = parse(frame.subarray(12, -4)), value = inner(inner(event, 5), 1);
    return { tag: String(one(value, 1)), step: Number(one(event, 2) ?? 0), value: Number(one(value, 2)) };
  });
}

const newFolder = () => mkdtemp(join(tmpdir(), "athanor-events-"));
async function eventFile(folder: string): Promise<Buffer> {
  const names = (await readdir(folder)).filter((name) => name.includes("tfevents"));
  if (names.length !== 1 || names[0] === undefined) throw new Error(`${folder} has ${names.length} event files.`);
  return readFile(join(folder, names[0]));
}

test("CRC-32C: the values of RFC 3720", (t) => {
  t.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  t.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  t.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  t.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
  t.end();
});

test("records are byte for byte those of PyTorch and TensorBoard", async (t) => {
  const folder = await newFolder();
  const writer = new SummaryWriter(folder);
  for (const call of fixtures.calls) {
    const [kind, tag, value, step, wallTime] = call;
    if (kind === "scalars") writer.addScalars(tag, value, step, wallTime);
    else if (kind === "text") writer.addText(tag, String(value), step, wallTime);
    else writer.addScalar(tag, Number(value), step, wallTime);
  }
  await writer.close();
  for (const [below, expected] of Object.entries(fixtures.files)) {
    const [, ...found] = frames(await eventFile(join(folder, below)));
    t.equal(found.length, expected.length, `${below}: ${expected.length} records`);
    expected.forEach((record, i) => t.equal(found[i]?.toString("base64"), record, `record ${i + 1}`));
  }
});

test("the file opens with its version and reads back", async (t) => {
  const folder = await newFolder();
  const writer = new SummaryWriter(folder);
  const start = Date.now() / 1000;
  for (let step = 0; step < 500; step++) writer.addScalar(step % 2 ? "loss/train" : "loss/valid", 1 / (step + 1), step);
  await writer.flush();
  const [name] = await readdir(folder);
  t.match(name ?? "", /^events\.out\.tfevents\.\d{10}\..+\.\d+\.\d+$/);
  const bytes = await eventFile(folder);
  const all = frames(bytes);
  t.equal(all.length, 501);
  t.ok(all.every(isSound), "every checksum holds");
  const first = parse(all[0]?.subarray(12, -4) ?? Buffer.alloc(0));
  t.equal(String(one(first, 3)), "brain.Event:2");
  t.ok(Math.abs(Number(one(first, 1)) - start) < 5, "its time is in seconds");
  const scalars = scalarsOf(bytes);
  t.deepEqual(scalars.map(({ step }) => step), Array.from({ length: 500 }, (_, i) => i), "in order");
  t.ok(scalars.every(({ tag, step, value }) => value === Math.fround(1 / (step + 1)) && tag === (step % 2 ? "loss/train" : "loss/valid")));
  writer.addScalar("loss/train", 7, 500);
  await writer.close();
  t.deepEqual(scalarsOf(await eventFile(folder)).at(-1), { tag: "loss/train", step: 500, value: 7 }, "what comes later goes to the same file");
  const second = new SummaryWriter(folder);
  second.addScalar("loss/train", 1);
  await second.close();
  t.equal((await readdir(folder)).length, 2, "another writer has a file of its own");
});

test("a writer without flush loses nothing when the process goes on", async (t) => {
  const folder = await newFolder();
  const writer = new SummaryWriter(folder);
  writer.addScalar("loss", 1, 3);
  for (let wait = 0; wait < 100 && (await readdir(folder)).length === 0; wait++) await new Promise((resolve) => setTimeout(resolve, 20));
  for (let wait = 0; wait < 100 && frames(await eventFile(folder)).length < 2; wait++) await new Promise((resolve) => setTimeout(resolve, 20));
  t.deepEqual(scalarsOf(await eventFile(folder)), [{ tag: "loss", step: 3, value: 1 }]);
});

test("a folder by default, a run that starts again, a suffix: PyTorch's arguments", async (t) => {
  t.match(new SummaryWriter().folder, /^runs\/[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d_.+$/, "runs/Nov27_14-05-09_machine");
  t.match(new SummaryWriter(null, "_lr0.1").folder, /^runs\/.+_lr0\.1$/, "with the comment behind it");
  t.match(new SummaryWriter({ comment: "_lr0.1" }).folder, /_lr0\.1$/);
  const folder = await newFolder(), writer = new SummaryWriter({ logDir: folder, purgeStep: 7, filenameSuffix: ".again" });
  writer.addScalar("loss", 0.5, { globalStep: 7, walltime: 12 });
  writer.addScalars({ mainTag: "both", tagScalarDict: { a: 1 }, globalStep: 8 });
  await writer.close();
  const [name = ""] = (await readdir(folder)).filter((one) => one.includes("tfevents"));
  t.ok(name.endsWith(".again"), name);
  const events = frames(await eventFile(folder)).map((frame) => parse(frame.subarray(12, -4)));
  // torch/utils/tensorboard/writer.py: Event(step, file_version), then Event(step, session_log=SessionLog(status=START)); START is 1.
  const told = events.map((event) => [one(event, 2) ?? 0, String(one(event, 3) ?? ""), one(inner(event, 7), 1) ?? 0]);
  t.deepEqual(told, [[0, "brain.Event:2", 0], [7, "brain.Event:2", 0], [7, "", 1], [7, "", 0]]);
  t.equal(one(events[3] ?? new Map<number, (number | Buffer)[]>(), 1), 12, "the time that was given");
});

test("what cannot be is a sentence", async (t) => {
  const folder = await newFolder();
  const writer = new SummaryWriter(folder), closed = new SummaryWriter(folder);
  await closed.close();
  await writeFile(join(folder, "file"), "");
  const locked = new SummaryWriter(join(folder, "file", "run"));
  locked.addScalar("loss", 1);
  const rows: RefusedCall[] = [
    ["no folder", () => new SummaryWriter(""), /expected the name of a folder/],
    ["no tag", () => writer.addScalar("", 1), /the tag ""/],
    ["half a step", () => writer.addScalar("a", 1, 0.5), /step 0.5/],
    ["a step below zero", () => writer.addText("a", "b", -1), /step -1/],
    ["a text for a number", () => writer.addScalar("a", JSON.parse('"0.5"')), /addScalar: got scalarValue "0\.5"; expected a number\./],
    ["a tensor", () => Reflect.apply(writer.addScalar, writer, ["a", zeros([])]), /got scalarValue a Tensor; expected a number \(await tensor\.item\(\)/],
    ["global_step", () => Reflect.apply(writer.addScalar, writer, ["a", 1, { global_step: 3 }]), /got the option "global_step"; .*did you mean globalStep\?/],
    ["a surplus argument", () => Reflect.apply(writer.addText, writer, ["a", "b", 1, 2, 3]), /addText: got 5 arguments; expected at most 4/],
    ["a promise for a text", () => Reflect.apply(writer.addText, writer, ["a", Promise.resolve("b")]), /got textString a Promise; .*await it first/],
    ["purge_step", () => Reflect.construct(SummaryWriter, [folder, { purge_step: 1 }]), /did you mean purgeStep\?/],
    ["nothing among scalars", () => writer.addScalars("a", JSON.parse('{"b":null}')), /for a\/b/],
    ["a closed writer", () => closed.addScalar("a", 1), /was closed/],
    ["a folder that cannot be", () => locked.flush(), /cannot be written \(ENOTDIR/],
    ["and after it", () => locked.addScalar("a", 1), /cannot be written/],
  ];
  await checkRefusals(t, rows);
  await writer.close();
});

test("each writer has a file of its own: threads of one process, and writers of one second", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "athanor-threads-"));
  const program = `
    const { SummaryWriter } = await import(${JSON.stringify(new URL("../dist/training/tensorboard/index.js", import.meta.url).href)});
    const { workerData } = await import("node:worker_threads");
    const writers = [new SummaryWriter(${JSON.stringify(folder)}), new SummaryWriter(${JSON.stringify(folder)})];
    for (let step = 0; step < 40; step++) for (const writer of writers) { writer.addScalar("thread" + workerData, step, step); await writer.flush(); }
    for (const writer of writers) await writer.close();`;
  await Promise.all([0, 1, 2].map((workerData) => new Promise<void>((resolve, reject) => {
    const worker = new Worker(`(async () => {${program}})()`, { eval: true, workerData });
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  })));
  const files = await readdir(folder);
  t.equal(files.length, 6, "three threads with two writers each");
  for (const name of files) {
    const found = frames(await readFile(join(folder, name)));
    const threads = new Set(found.slice(1).map((frame) => /thread\d/.exec(frame.toString("latin1"))?.[0]));
    t.ok(found.length === 41 && found.every(isSound) && threads.size === 1, `${[...threads].join()}: the version and 40 values of one thread`);
  }
});
