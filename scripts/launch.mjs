// What `npm start` and `npm run example` share: installs and builds what is missing, then runs the program in this very process, so that signals
// and the exit code are its own.
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { prepare, root } from "./prepare.mjs";
import { v8Flags } from "./v8-flags.mjs";

/** Runs the TypeScript module at `program` with `args` as its command line. */
export async function launch(program, args) {
  try {
    prepare();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  for (const flag of v8Flags) setFlagsFromString(flag);
  process.argv = [process.argv[0], program, ...withoutNoise(args)];
  await import(pathToFileURL(await bundled(program)).href);
}

/** The program with what it imports of this repository, as one file of plain JavaScript; "athanor" stays what was built in dist/. */
async function bundled(program) {
  const { buildSync } = await import("esbuild"); // installed by now
  const settings = { bundle: true, packages: "external", format: "esm", target: `node${process.versions.node}` };
  const { outputFiles } = buildSync({ entryPoints: [program], write: false, ...settings });
  const folder = join(root, "build", "programs"), file = join(folder, basename(program, ".ts") + ".js"), partial = `${file}.${process.pid}.partial`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(partial, outputFiles[0].contents);
  renameSync(partial, file); // whole at any moment: the same program may be starting twice
  return file;
}

/** Where no hardware GPU answers, the CPU by name: Dawn and the drivers it tries write their own warnings on stderr, before the program's first
 *  line, and nothing in this process can stop them. So another process looks, whose stderr nobody reads. `--device webgpu` shows all of it. */
function withoutNoise(args) {
  if (args.some((arg) => arg === "--help" || arg === "--device" || arg.startsWith("--device="))) return args;
  const library = pathToFileURL(join(root, "dist", "index.js")).href;
  const look = `import(${JSON.stringify(library)}).then(async ({ isAvailable }) => process.exit(await isAvailable("webgpu", { allowSoftware: false }) ? 0 : 1))`;
  const { status } = spawnSync(process.execPath, ["-e", look], { cwd: root, stdio: "ignore" });
  return status === 1 ? [...args, "--device", "cpu"] : args;
}
