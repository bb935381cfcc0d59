// Running an example as a user does, and reading what it printed.
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly err: string;
}

/** `npm run example -- NAME …`; `stopAt` sends SIGINT when the output matches. */
export function runExample(name: string, flags: string, stopAt?: RegExp): Promise<Ended> {
  const child = spawn(process.execPath, ["scripts/example.mjs", name, ...flags.split(" ")], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "", err = "", stopped = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    if (!stopped && stopAt?.test(out)) stopped = child.kill("SIGINT"); // once: a second one while it ends would end it harder
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, lines: out.split("\n"), err })));
}

/** A new empty folder. */
export const exampleFolder = (): string => mkdtempSync(join(tmpdir(), "athanor-example-"));

/** The numbers that a pattern's first group finds in the lines. */
export function numbersIn(lines: readonly string[], pattern: RegExp): number[] {
  return lines.flatMap((line) => pattern.exec(line)?.[1] ?? []).map(Number);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
