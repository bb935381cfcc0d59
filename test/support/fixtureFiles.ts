// The fixtures from their folder, for tests in Node.
import { readFileSync } from "node:fs";
import { Fixtures } from "./fixtures.js";

export function readFixtures<Row>(name: string): Fixtures<Row> {
  const file = (extension: string) => new URL(`../fixtures/${name}.${extension}`, import.meta.url);
  const rows = JSON.parse(readFileSync(file("json"), "utf8")) as Row[];
  return new Fixtures(rows, new Uint8Array(readFileSync(file("bin"))).buffer);
}
