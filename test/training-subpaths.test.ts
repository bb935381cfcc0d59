// What stands behind athanor/training's subpaths is loaded by nobody who does not ask for it, and a name that stood at the old door says its new one.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import test from "tape";
import { ArgumentError } from "../index.js";
import * as training from "../training/index.js";
import * as live from "../training/live/index.js";
import * as moved from "../training/moved.js";
import * as plots from "../training/plots/index.js";
import * as search from "../training/search/index.js";
import * as tensorboard from "../training/tensorboard/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const subpaths: Readonly<Record<string, object>> = { plots, live, tensorboard, search };

/** The sources that an entry point reaches, by static imports and by import(). */
async function sources(entry: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root, entryPoints: [entry], bundle: true, write: false, metafile: true, format: "esm", platform: "node", packages: "external", logLevel: "silent",
  });
  return Object.keys(metafile.inputs);
}

test("importing athanor or athanor/training loads none of the subpaths", async (t) => {
  const behind = (file: string) => Object.keys(subpaths).some((name) => file.startsWith(`training/${name}/`));
  for (const entry of ["index.ts", "training/index.ts"]) {
    const files = await sources(entry);
    t.ok(files.includes("training/history.ts"), `${entry} reaches training/history.ts`);
    t.deepEqual(files.filter(behind), [], `${entry} reaches nothing behind a subpath`);
  }
  for (const name of Object.keys(subpaths)) t.ok((await sources(`training/${name}/index.ts`)).some(behind), `training/${name} does`);
});

test("a name that moved says where it is", (t) => {
  const names = Object.keys(moved);
  t.deepEqual(names.toSorted(), Object.values(subpaths).flatMap((namespace) => Object.keys(namespace)).toSorted(), "each name of the subpaths stood at the door");
  for (const [subpath, namespace] of Object.entries(subpaths)) {
    for (const name of Object.keys(namespace)) {
      const old: unknown = Reflect.get(training, name), uses: Record<string, () => unknown> = {
        called: () => Reflect.apply(old as () => void, null, []),
        made: () => Reflect.construct(old as () => void, []),
        "a member": () => Reflect.get(old as object, "open"),
        "behind instanceof": () => new Error("pruned") instanceof (old as ErrorConstructor),
      };
      const says = new RegExp(`^training\\.${name}: got a name that moved; expected import \\{ ${name} \\} from "athanor/training/${subpath}"\\.$`);
      for (const [how, use] of Object.entries(uses)) t.throws(use, (error: unknown) => error instanceof ArgumentError && says.test(error.message), `${name}, ${how}`);
    }
  }
  t.end();
});
