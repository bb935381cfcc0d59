// `npm run example -- NAME [flags]`: installs and builds what is missing, then runs examples/NAME.ts.
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
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
await launch(program, args, async () => {
  const { buildSync } = await import("esbuild"); // installed by now
  const settings = { bundle: true, packages: "external", format: "esm", target: `node${process.versions.node}` }; // "athanor" is what was built in dist/
  const { outputFiles } = buildSync({ entryPoints: [program], write: false, ...settings });
  const folder = join(root, "build", "examples"), file = join(folder, `${name}.js`), partial = `${file}.${process.pid}.partial`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(partial, outputFiles[0].contents);
  renameSync(partial, file); // whole at any moment: the same example may be starting twice
  return file;
});
