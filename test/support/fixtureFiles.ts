// The fixtures from their folder, for tests in Node.
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Fixtures } from "./fixtures.js";

export function readFixtures<Row>(name: string): Fixtures<Row> {
  const file = (extension: string) => new URL(`../fixtures/${name}.${extension}`, import.meta.url);
  const rows = JSON.parse(readFileSync(file("json"), "utf8")) as Row[];
  const words = existsSync(file("bin.gz")) ? gunzipSync(readFileSync(file("bin.gz"))) : readFileSync(file("bin"));
  return new Fixtures(rows, new Uint8Array(words).buffer);
}
