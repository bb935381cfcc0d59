// `npm run bench`: the kernels and the training steps on each device, as a table and as JSON in bench/results/.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Device, deviceKinds, openDevice } from "../index.js";
import { hostCases, measureHost } from "./host.js";
import { kernelCases, Workbench } from "./kernels.js";
import { prepareStep, stepCases } from "./steps.js";
import { measure, quick, usual, type Timing, type TimingOptions } from "./timing.js";

const usage = `npm run bench -- [options]
  --device LIST  ${deviceKinds().join(", ")}, separated by commas (default: cpu,webgpu)
  --case LIST    only the cases whose name begins with one of these, e.g. "matmul,simplecnn"
  --quick        fewer repetitions
  --lines        one JSON object a line on standard output instead of the table
  --no-peers     do not compare against other libraries afterwards
  --help         this text`;

export interface Row extends Timing {
  readonly case: string;
  readonly device: string;
  readonly rate: string;
  readonly failed?: string;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      device: { type: "string", default: "cpu,webgpu" },
      case: { type: "string", default: "" },
      quick: { type: "boolean", default: false },
      lines: { type: "boolean", default: false },
      "no-peers": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const devices = values.device.split(","), unknown = devices.find((name) => !deviceKinds().includes(name));
  if (unknown !== undefined) throw new Error(`--device got "${unknown}"; expected ${deviceKinds().join(", ")}.`);
  const prefixes = values.case.split(",").filter((prefix) => prefix !== "");
  const isWanted = (name: string) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix));
  const whole = prefixes.length === 0 && !values.lines; // part of the table must not take the place of all of it
  return { devices, isWanted, timing: values.quick ? quick : usual, lines: values.lines, whole, help: values.help };
}

function rateOf(work: { flop: number } | { bytes: number }, ms: number): string {
  return "flop" in work ? `${(work.flop / ms / 1e6).toFixed(1)} GFLOP/s` : `${(work.bytes / ms / 1e6).toFixed(2)} GB/s`;
}

async function benchKernels(device: Device, isWanted: (name: string) => boolean, timing: TimingOptions, report: (row: Row) => void): Promise<void> {
  for (const kernel of kernelCases.filter(({ name }) => isWanted(name))) {
    const workbench = new Workbench(device);
    const issue = kernel.prepare(workbench);
    const result = await measure(async () => {
      issue();
      await device.synchronize();
    }, timing);
    report({ case: kernel.name, device: device.kind, ...result, rate: rateOf(kernel.work, result.medianMs) });
    workbench.release();
  }
}

async function benchSteps(device: Device, isWanted: (name: string) => boolean, timing: TimingOptions, report: (row: Row) => void): Promise<void> {
  for (const step of stepCases.filter(({ name }) => isWanted(name))) {
    const result = await measure(prepareStep(step, device).read, timing);
    const samplesPerSecond = (step.batch / result.medianMs) * 1000;
    report({ case: step.name, device: device.kind, ...result, rate: `${samplesPerSecond < 10 ? samplesPerSecond.toFixed(1) : samplesPerSecond.toFixed(0)} samples/s` });
  }
}

/** Of the CPU alone: on a GPU the calls wait for their kernels sooner or later. */
async function benchHost(device: Device, isWanted: (name: string) => boolean, timing: TimingOptions, report: (row: Row) => void): Promise<void> {
  if (device.kind !== "cpu") return;
  for (const work of hostCases.filter(({ name }) => isWanted(name))) {
    const result = await measureHost(work, device, timing);
    report({ case: work.name, device: device.kind, ...result, rate: `${(result.medianMs * 1000).toFixed(1)} µs a call` });
  }
}

const tableLine = (cells: readonly string[]) =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(46) : i === 1 ? cell.padEnd(10) : cell.padStart(i === 4 ? 18 : 11))).join("");

function printRow(row: Row): void {
  console.log(tableLine([row.case, row.device, `${row.medianMs.toFixed(2)} ms`, `± ${(row.spread * 100).toFixed(0)} %`, row.rate]));
}

async function main(): Promise<void> {
  const { devices, isWanted, timing, lines, whole, help } = readOptions();
  if (help) return console.log(usage);
  const rows: Row[] = [];
  const descriptions: Record<string, string> = {};
  if (!lines) console.log(tableLine(["case", "device", "median", "spread", "rate"]));
  for (const kind of devices) {
    const device = await openDevice(kind, { simd: "measured" });
    descriptions[kind] = device.description;
    if (!lines) console.log(`\n${device.description}`);
    const report = (row: Row) => {
      rows.push(row);
      if (lines) console.log(JSON.stringify(row));
      else printRow(row);
    };
    await benchKernels(device, isWanted, timing, report);
    await benchSteps(device, isWanted, timing, report);
    await benchHost(device, isWanted, timing, report);
    await device.close();
  }
  if (whole) saveResults(rows, descriptions);
}

function saveResults(rows: readonly Row[], devices: Record<string, string>): void {
  const folder = join("bench", "results");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "kernels.json");
  const machine = { processor: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version, date: new Date().toISOString().slice(0, 10) };
  writeFileSync(file, `${JSON.stringify({ ...machine, devices, rows }, null, 1)}\n`);
  console.log(`\nWritten to ${file}.`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
