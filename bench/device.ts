// `npm run bench:device`: how well the adapter at hand is used. Kernels in GFLOP/s and GB/s, whole training steps with the share of each
// kernel, and the same work in PyTorch on CUDA where python3 has it; a JSON report and a table under bench/results/devices/.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openWebGPU, type WebGPUDevice } from "../kernels/webgpu/index.js";
import { deviceCases } from "./device/cases.js";
import { measureKernel, measureStep, type Row, type StepRow } from "./device/measure.js";
import { deviceSteps } from "./steps.js";

const usage = `npm run bench:device -- [options]
  --case LIST     only the cases whose name begins with one of these, e.g. "matmul,resnet18"
  --quick         short rounds, few steps
  --toggles LIST  Dawn's toggles to enable, e.g. "skip_validation,disable_robustness"
  --out FOLDER    where the report goes (default: bench/results/devices)
  --no-peer       without PyTorch
  --help          this text`;

interface PeerRow {
  readonly case: string;
  readonly ms: number;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      case: { type: "string", default: "" },
      quick: { type: "boolean", default: false },
      toggles: { type: "string", default: "" },
      out: { type: "string", default: join("bench", "results", "devices") },
      "no-peer": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const list = (text: string) => text.split(",").filter((part) => part !== "");
  const prefixes = list(values.case);
  return { ...values, toggles: list(values.toggles), isWanted: (name: string) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix)) };
}

/** PyTorch's times by case, or what it said where there is no PyTorch with CUDA. */
function peerTimes(names: readonly string[]): { times: Map<string, number>; peer: string } {
  const script = join("bench", "peers", "torch_device.py");
  const { status, stdout, stderr } = spawnSync("python3", [script], { encoding: "utf8", input: names.join("\n"), maxBuffer: 2 ** 26 });
  if (status !== 0) return { times: new Map(), peer: `none (${(stderr ?? "").trim().split("\n").at(-1) || "python3 has no PyTorch with CUDA"})` };
  const [head = "", ...lines] = stdout.trim().split("\n");
  const rows = lines.map((line): PeerRow => JSON.parse(line));
  return { times: new Map(rows.map((row) => [row.case, row.ms])), peer: head };
}

const milliseconds = (ms: number | undefined): string => (ms === undefined ? "" : ms < 1 ? ms.toFixed(3) : ms.toFixed(2));

function kernelLine(row: Row, peerMs: number | undefined): string {
  if (row.failed !== undefined || row.ms === undefined) return `| ${row.case} | ${row.failed ?? ""} | | | |`;
  const rate = row.rate === undefined ? "" : `${row.rate.toFixed(0)} ${row.unit}`;
  return `| ${row.case} | ${milliseconds(row.ms)} | ${rate} | ${milliseconds(peerMs)} | ${peerMs === undefined ? "" : (row.ms / peerMs).toFixed(2)} |`;
}

function stepLine(row: StepRow, peerMs: number | undefined): string {
  if (row.failed !== undefined || row.loopMs === undefined) return `| ${row.case} | ${row.failed ?? ""} | | | | | | |`;
  const ratio = peerMs === undefined ? "" : (row.loopMs / peerMs).toFixed(2);
  const cells = [row.loopMs, row.streamMs, row.issueMs, row.kernelsMs].map(milliseconds);
  return `| ${row.case} | ${cells.join(" | ")} | ${row.dispatches} | ${milliseconds(peerMs)} | ${ratio} |`;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) return console.log(usage);
  const { isWanted, quick } = options;
  const device = await openWebGPU({ kernelsOf: "hardware", enableToggles: options.toggles });
  console.log(device.description);
  const kernels: Row[] = [], steps: StepRow[] = [];
  for (const kernel of deviceCases.filter(({ name }) => isWanted(name))) {
    const row = await measureKernel(device, kernel, quick ? 15 : 60);
    kernels.push(row);
    console.log(kernelLine(row, undefined));
  }
  for (const step of deviceSteps.filter(({ name }) => isWanted(name))) {
    const row = await measureStep(device, step, quick ? 10 : 30);
    steps.push(row);
    console.log(stepLine(row, undefined));
    for (const { kernel, label, calls, ms } of row.kernels?.slice(0, 14) ?? []) console.log(`    ${ms.toFixed(3)} ms  ${calls} ×  ${kernel}  [${label}]`);
  }
  const { times, peer } = options["no-peer"] ? { times: new Map<string, number>(), peer: "not asked" } : peerTimes([...kernels, ...steps].map((row) => row.case));
  report(device, options.out, kernels, steps, times, peer);
  await device.close();
}

function report(device: WebGPUDevice, folder: string, kernels: readonly Row[], steps: readonly StepRow[], times: Map<string, number>, peer: string): void {
  const info = device.adapter.info, date = new Date().toISOString().slice(0, 10);
  const head = { device: device.description, vendor: info.vendor, architecture: info.architecture, node: process.version, date, peer };
  const table = [
    `# ${device.description}`, "", `${date}, Node ${process.version}. Peer: ${peer}.`, "",
    "| kernel | ms | rate | PyTorch ms | time against PyTorch |", "| --- | ---: | ---: | ---: | ---: |",
    ...kernels.map((row) => kernelLine(row, times.get(row.case))), "",
    "| step | loop ms | stream ms | JavaScript ms | kernels ms | dispatches | PyTorch ms | loop against PyTorch |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...steps.map((row) => stepLine(row, times.get(row.case))), "",
  ].join("\n");
  const name = (info.device || info.description || "adapter").replace(/[^A-Za-z0-9]+/g, "-").toLowerCase().slice(0, 40);
  mkdirSync(folder, { recursive: true });
  const withPeer = <R extends Row>(row: R) => ({ ...row, peerMs: times.get(row.case) });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ ...head, kernels: kernels.map(withPeer), steps: steps.map(withPeer) }, null, 1)}\n`);
  writeFileSync(join(folder, `${name}.md`), table);
  console.log(`\n${table}\nWritten to ${join(folder, name)}.json and .md`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
