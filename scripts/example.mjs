// `npm run example -- NAME [flags]`: installs and builds what is missing, then runs examples/NAME.ts.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { launch } from "./launch.mjs";
import { root } from "./prepare.mjs";

const [name = "", ...args] = process.argv.slice(2);
const program = join(root, "examples", `${name}.ts`);
if (!/^[\w-]+$/.test(name) || !existsSync(program)) {
  const names = readdirSync(join(root, "examples")).filter((file) => file.endsWith(".ts")).map((file) => file.slice(0, -3));
  const what = name === "" || name.startsWith("-") ? "Which example?" : `There is no example "${name}".`;
  console.error(`${what} npm run example -- NAME [flags], NAME one of ${names.join(", ")}.`);
  process.exit(2);
}
await launch(program, args);
