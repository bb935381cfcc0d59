// `npm run table` (first half): writes the README's table of what runs where, from the tables and records themselves. `--check` only says whether the README
// is up to date. A device without a kernel that an operation needs ends it with an error.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type KernelName, type Operation, operations } from "../engine/op.js";
import { elementwiseRows } from "../kernels/elementwise.js";
import { updates } from "../kernels/updates.js";

await import("../index.js"); // the whole library: a record enters the list when its file is loaded
const root = fileURLToPath(new URL("..", import.meta.url));
const devices = ["webgpu", "cpu", "reference"] as const;
const readme = `${root}README.md`;
const markers = /(<!-- operations[^>]*-->\n)[^]*?(<!-- \/operations -->)/;

/** The names that each file of a device's folder exports. */
async function exportsOf(device: string): Promise<Map<string, ReadonlySet<string>>> {
  const files = readdirSync(`${root}kernels/${device}`).filter((name) => name.endsWith(".ts"));
  return new Map(await Promise.all(files.map(async (name) => [name, new Set(Object.keys((await import(`../kernels/${device}/${name}`)) as object))] as const)));
}
const homes = new Map(await Promise.all(devices.map(async (device) => [device, await exportsOf(device)] as const)));

/** A link to the file that exports a device's kernel. */
function home(device: (typeof devices)[number], kernel: KernelName): string {
  const [file, ...more] = [...(homes.get(device) ?? [])].filter(([, names]) => names.has(kernel)).map(([name]) => name);
  if (file === undefined || more.length > 0) throw new Error(`kernels/${device}: ${file === undefined ? "no file exports" : `${[file, ...more].join(" and ")} export`} ${kernel}; expected one.`);
  return `[${file}](kernels/${device}/${file})`;
}

const cells = (...row: string[]) => `| ${row.join(" | ")} |`;
const places = (kernels: readonly KernelName[]) => devices.map((device) => [...new Set(kernels.map((kernel) => home(device, kernel)))].join(", "));
const gradient = ({ backward }: Operation<never>) => (backward ? "yes" : "none");

/** One line an operation; views have none of their own. */
function structured(operation: Operation<never>): string[] {
  if (operation.forward) return [cells(operation.name, gradient(operation), ...places(operation.kernels))];
  if (operation.views) return [];
  return [cells(operation.name, gradient(operation), ...places(["copy"]).map((file) => `strides, else ${file}`))];
}

function operationsTable(): string {
  const rows = [...elementwiseRows.values()].filter(({ isStep }) => !isStep);
  const differentiable = rows.filter((row) => row.derivatives.some((derivative) => derivative !== null)).length;
  const others = [...operations.values()].filter(({ name, isStep }) => !isStep && !elementwiseRows.has(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const views = others.flatMap(({ name, views }) => (views ? [name] : []));
  return [
    cells("operation", "gradient", ...devices),
    cells("---", "---", ...devices.map(() => "---")),
    cells(`${rows.length} element-wise: ${rows.map(({ name }) => name).join(", ")}`, `${differentiable} of them`, ...places(["elementwise"])),
    ...others.flatMap(structured),
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
