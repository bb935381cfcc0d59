// `npm run table` (second half): writes the README's figures from what the last benchmarks left in bench/results/, wins and losses alike.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.mjs";

const readme = join(root, "README.md");
const markers = /(<!-- speed[^>]*-->\n)[^]*?(<!-- \/speed -->)/;
const cells = (...row) => `| ${row.join(" | ")} |`;
const rule = (count) => cells("---", ...Array.from({ length: count - 1 }, () => "---:"));

function results(name) {
  const file = join(root, "bench", "results", name);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
}

const machine = ({ processor, cores, node, date }) => `${date}, ${cores} cores of ${processor}, Node ${node.replace("v", "")}`;
const milliseconds = (ms) => `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
const times = (ratio) => (ratio <= 1 ? `${(1 / ratio).toFixed(2)}× faster` : `${ratio.toFixed(2)}× slower`);

/** Athanor and the other libraries, measured in turn in one run. */
function peersTable({ results: rows, ...where }) {
  return [
    `Against other libraries on the same work, in turn in one run (${machine(where)}; WebGPU on ${where.adapter}):`,
    "",
    cells("", "device", "Athanor", "peer", "its time", "Athanor is"),
    rule(6),
    ...rows.map((row) => cells(row.case, row.device, milliseconds(row.oursMs), row.peer, milliseconds(row.peerMs), times(row.ratio))),
  ];
}

/** Every benchmark case, one column a device. */
function kernelsTable({ rows, devices, ...where }) {
  const kinds = Object.keys(devices);
  const figure = (name, device) => {
    const row = rows.find((candidate) => candidate.case === name && candidate.device === device);
    return row ? `${milliseconds(row.medianMs)}, ${row.rate}` : "";
  };
  return [
    `Kernels and training steps, medians (${machine(where)}; ${Object.values(devices).join("; ")}):`,
    "",
    cells("", ...kinds),
    rule(kinds.length + 1),
    ...[...new Set(rows.map((row) => row.case))].map((name) => cells(name, ...kinds.map((device) => figure(name, device)))),
  ];
}

const peers = results("peers.json");
const kernels = results("kernels.json");
const text = [...(peers ? [...peersTable(peers), ""] : []), ...(kernels ? [...kernelsTable(kernels), ""] : [])].join("\n");
writeFileSync(readme, readFileSync(readme, "utf8").replace(markers, (_, open, close) => `${open}${text}${close}`));
