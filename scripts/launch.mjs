// What `npm start` and `npm run example` share: installs and builds what is missing, then runs the program in this very process, so that signals
// and the exit code are its own.
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { prepare } from "./prepare.mjs";
import { v8Flags } from "./v8-flags.mjs";

/** Runs the module at `program` with `args` as its command line; `before` is called when everything is built. */
export async function launch(program, args, before = async () => {}) {
  try {
    prepare();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  for (const flag of v8Flags) setFlagsFromString(flag);
  process.argv = [process.argv[0], program, ...args];
  await before();
  await import(pathToFileURL(program).href);
}
