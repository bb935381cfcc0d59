// `npm start`: installs and builds what is missing, then trains. The command line itself is cli/train.ts.
import { join } from "node:path";
import { launch } from "./launch.mjs";
import { root } from "./prepare.mjs";

await launch(join(root, "cli", "train.ts"), process.argv.slice(2));
