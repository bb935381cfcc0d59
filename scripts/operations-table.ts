// `npm run table` (first half): writes the README's table of what runs where, from the tables and records themselves. `--check` only says whether the README
// is up to date. A device without a kernel that an operation needs ends it with an error.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { operations } from "../engine/index.js";
import { elementwiseRows } from "../kernels/elementwise.js";
import { updates } from "../kernels/updates.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const devices = ["webgpu", "cpu", "reference"] as const;
const readme = `${root}README.md`;
const markers = /(<!-- operations[^>]*-->\n)[^]*?(<!-- \/operations -->)/;

/** Every source file of a device's folder, by name. */
function sourcesOf(device: string): Map<string, string> {
  const names = readdirSync(`${root}kernels/${device}`, { recursive: true, encoding: "utf8" });
  const sources = names.filter((name) => name.endsWith(".ts") && !name.startsWith("assembly") && !name.startsWith("generated"));
  return new Map(sources.map((name) => [name, readFileSync(`${root}kernels/${device}/${name}`, "utf8")]));
}

const sources = new Map(devices.map((device) => [device, sourcesOf(device)]));

/** A link to the file in which a device defines the kernel. */
function home(device: (typeof devices)[number], kernel: string): string {
  const files = [...(sources.get(device) ?? [])];
  const defines = [new RegExp(`export (const|function) ${kernel}\\b`), new RegExp(`^ +${kernel}[(<]`, "m"), new RegExp(`\\b${kernel}\\b.*=`)];
  for (const pattern of defines) {
    const found = files.find(([name, text]) => name !== "kernels.ts" && pattern.test(text));
    if (found) return `[${found[0]}](kernels/${device}/${found[0]})`;
  }
  throw new Error(`No file of kernels/${device} defines ${kernel}.`);
}

/** The kernels an operation starts, in the order its record names them; none for one that only looks at the same memory otherwise. */
function kernelsOf(name: string): string[] {
  const { forward, view, views } = operations.get(name) ?? {};
  if (views) return [];
  if (view) return /copied|contiguous/.test(view.toString()) ? ["copy"] : [];
  return [...new Set([...(forward?.toString() ?? "").matchAll(/kernels\.(\w+)/g)].map(([, kernel]) => kernel ?? ""))];
}

const cells = (...row: string[]) => `| ${row.join(" | ")} |`;
const places = (kernels: readonly string[]) => devices.map((device) => [...new Set(kernels.map((kernel) => home(device, kernel)))].join(", "));

function operationsTable(): string {
  const rows = [...elementwiseRows.values()];
  const differentiable = rows.filter((row) => row.derivatives.some((derivative) => derivative !== null)).length;
  const structured = [...operations.keys()].filter((name) => !elementwiseRows.has(name) && !/(Backward|Grad)$/.test(name)).sort();
  const views = structured.filter((name) => kernelsOf(name).length === 0);
  return [
    cells("operation", "gradient", ...devices),
    cells("---", "---", ...devices.map(() => "---")),
    cells(`${rows.length} element-wise: ${rows.map(({ name }) => name).join(", ")}`, `${differentiable} of them`, ...places(["elementwise"])),
    ...structured
      .filter((name) => !views.includes(name))
      .map((name) => cells(name, operations.get(name)?.backward ? "yes" : "none", ...places(kernelsOf(name)))),
    cells(`views: ${views.join(", ")}`, "yes", ...devices.map(() => "strides alone")),
    cells(`optimizer steps: ${Object.keys(updates).join(", ")}`, "none", ...places(["update"])),
    "",
  ].join("\n");
}

const before = readFileSync(readme, "utf8");
const after = before.replace(markers, (_, open: string, close: string) => `${open}${operationsTable()}${close}`);
if (!process.argv.includes("--check")) writeFileSync(readme, after);
else if (before !== after) {
  console.error('The table in README.md is older than the operations: run "npm run table".');
  process.exitCode = 1;
}
