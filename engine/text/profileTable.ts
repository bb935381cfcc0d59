// A profile as a table for people.
import type { Profile, ProfileRow } from "../profile/profile.js";

const columns = ["operation", "module", "kernel", "calls", "ms", "share", "host ms", "MB", "GFLOP/s", "GB/s"] as const;
/** Columns of text stand to the left, numbers to the right. */
const textColumns = 3;

const digits = (x: number): string => (x >= 100 ? x.toFixed(0) : x >= 1 ? x.toFixed(2) : x.toFixed(3));
const rate = (amount: number, ms: number): string => (amount > 0 && ms > 0 ? digits(amount / ms / 1e6) : "");

function cells({ operation, module, kernel, calls, ms, hostMs, bytes, flop }: ProfileRow, whole: number): string[] {
  const share = whole > 0 ? `${((100 * ms) / whole).toFixed(1)} %` : "";
  return [operation, module, kernel, String(calls), digits(ms), share, digits(hostMs), digits(bytes / 1e6), rate(flop, ms), rate(bytes, ms)];
}

export function profileTable({ rows, device, ms: whole }: Profile, sortBy: "ms" | "hostMs" | "calls" | "bytes" | "flop", rowLimit: number): string {
  const shown = rows.toSorted((a, b) => b[sortBy] - a[sortBy]).slice(0, rowLimit);
  const lines = [[...columns], ...shown.map((row) => cells(row, whole))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const text = lines.map((line) => line.map((cell, i) => (i < textColumns ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ").trimEnd());
  const more = rows.length > shown.length ? ` and ${rows.length - shown.length} more rows` : "";
  const calls = rows.reduce((sum, row) => sum + row.calls, 0), hostMs = rows.reduce((sum, row) => sum + row.hostMs, 0);
  return [...text, `${more === "" ? "" : `…${more}; `}${calls} calls, ${digits(whole)} ms on ${device}, ${digits(hostMs)} ms of JavaScript in them`].join("\n");
}
