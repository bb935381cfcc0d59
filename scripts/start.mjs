// `npm start`: installs and builds what is missing, then trains. The command line itself is cli/train.ts; it runs in this very process, so
// that signals and the exit code are its own.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { prepare, root } from "./prepare.mjs";
import { v8Flags } from "./v8-flags.mjs";

try {
  prepare();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
for (const flag of v8Flags) setFlagsFromString(flag);
const program = join(root, "dist", "cli", "train.js");
process.argv[1] = program;
await import(pathToFileURL(program).href);
