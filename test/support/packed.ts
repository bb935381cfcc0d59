// The package as `npm pack` makes it of the build: its files, and the tarball itself for those who judge packages.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Package, createPackageFromTarballData } from "@arethetypeswrong/core";
import { npm, root } from "../../scripts/prepare.mjs";

export interface Packed {
  readonly tarball: Uint8Array<ArrayBuffer>;
  readonly contents: Package;
  /** The files' names in the package, and how many bytes each has. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** Without the build: what stands in dist/ is packed. */
export function packed(): Packed {
  const folder = mkdtempSync(join(tmpdir(), "athanor-packed-"));
  const [command = "", ...first] = npm();
  const args = [...first, "pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const { stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8", shell: process.platform === "win32" && command === "npm" });
  const [report] = JSON.parse(stdout || "[]") as { filename: string; files: { path: string; size: number }[] }[];
  if (!report) throw new Error(`npm pack failed: ${stderr}`);
  const tarball = Uint8Array.from(readFileSync(join(folder, report.filename)));
  rmSync(folder, { recursive: true });
  return { tarball, contents: createPackageFromTarballData(tarball), sizes: new Map(report.files.map(({ path, size }) => [path, size])) };
}

/** Writes the package's files where npm would install it in `home`. */
export function install({ contents, sizes }: Packed, home: string): void {
  for (const path of sizes.keys()) {
    const file = join(home, "node_modules", "athanor", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents.readFile(`/node_modules/athanor/${path}`));
  }
}
