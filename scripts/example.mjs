// `npm run example -- NAME [flags]`: installs and builds what is missing, then runs examples/NAME.ts in this very process, so that signals
// and the exit code are its own.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { prepare, root } from "./prepare.mjs";
import { v8Flags } from "./v8-flags.mjs";

const [name = "", ...args] = process.argv.slice(2);
const program = join(root, "examples", `${name}.ts`);
const names = readdirSync(join(root, "examples")).filter((file) => file.endsWith(".ts")).map((file) => file.slice(0, -3));
if (!/^[\w-]+$/.test(name) || !existsSync(program)) {
  console.error(`${name === "" || name.startsWith("-") ? "Which example?" : `There is no example "${name}".`} npm run example -- NAME [flags], NAME one of ${names.join(", ")}.`);
  process.exit(2);
}
try {
  prepare();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
for (const flag of v8Flags) setFlagsFromString(flag);
process.argv = [process.argv[0], program, ...args];
const { register } = await import("tsx/esm/api");
register();
await import(pathToFileURL(program).href);
