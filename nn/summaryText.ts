// A summary as a table of text.
import type { Summary, SummaryRow } from "./summary.js";

const gap = "  ";

/** The rows down to `depth`, and the totals under them. */
export function summaryText(summary: Omit<Summary, "toString">, depth: number): string {
  const shown = summary.rows.filter((row) => row.depth <= depth);
  const header = ["Layer", "Output shape", "Params", "Mult-adds", "Memory"];
  const cells = [header, ...shown.map((row, i) => cellsOf(row, branches(shown, i)))];
  const widths = header.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const padded = (cell: string, column: number) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0));
  const lines = cells.map((line) => line.map(padded).join(gap).trimEnd());
  const rule = "─".repeat(widths.reduce((sum, width) => sum + width + gap.length, -gap.length));
  return [rule, ...lines.slice(0, 1), rule, ...lines.slice(1), rule, ...totals(summary), rule].join("\n");
}

function cellsOf(row: SummaryRow, tree: string): string[] {
  const title = `${tree}${row.name === "" ? row.type : `${row.name} (${row.type})`}${row.repeated ? " again" : ""}`;
  const shapes = row.called ? row.outputShapes.map((shape) => `[${shape.join(", ")}]`).join(" ") : "not called";
  const number = (value: number) => (value === 0 ? "–" : value.toLocaleString("en-US"));
  const parameters = row.repeated && row.parameters > 0 ? "again" : number(row.parameters);
  return [title, shapes, parameters, number(row.multiplyAdds), row.outputBytes === 0 ? "–" : size(row.outputBytes)];
}

/** The lines of the tree before row i: a row hangs on the last row above it that is one level up. */
function branches(rows: readonly SummaryRow[], i: number): string {
  const depth = rows[i]?.depth ?? 0;
  let text = "";
  for (let level = 1; level <= depth; level++) {
    const next = rows.slice(i + 1).find((row) => row.depth <= level);
    const continues = next !== undefined && next.depth === level;
    text += level === depth ? (continues ? "├─ " : "└─ ") : continues ? "│  " : "   ";
  }
  return text;
}

function totals({ parameters, trainableParameters, multiplyAdds, inputBytes, activationBytes, stateBytes }: Omit<Summary, "toString">): string[] {
  const text = (value: number) => value.toLocaleString("en-US");
  return [
    `Parameters: ${text(parameters)}, ${text(trainableParameters)} trainable, ${text(parameters - trainableParameters)} not`,
    `Mult-adds: ${text(multiplyAdds)}`,
    `Memory: input ${size(inputBytes)}, activations ${size(activationBytes)}, parameters and buffers ${size(stateBytes)}, together ` +
      size(inputBytes + activationBytes + stateBytes),
  ];
}

function size(bytes: number): string {
  if (bytes < 2 ** 10) return `${bytes} B`;
  return bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
