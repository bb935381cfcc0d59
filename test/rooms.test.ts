// Which folder may import from which: a kernel has never heard of a tensor, the engine of no file. Read from the sources, so that a type counts too.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import test from "tape";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Each folder with those it may know; every folder knows itself. */
const below: Readonly<Record<string, readonly string[]>> = {
  kernels: [],
  engine: ["kernels"],
  serialization: ["engine", "kernels"],
  nn: ["engine", "kernels"],
  optim: ["engine", "kernels"],
  data: ["serialization", "engine", "kernels"],
  training: ["data", "serialization", "engine", "kernels"],
  // Users of the package, which they import by its name.
  programs: [],
  cli: ["programs"],
  examples: ["programs"],
};

function imports(folder: string): { file: string; target: string }[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return names.filter((name) => /(?<!\.d)\.ts$/.test(name)).flatMap((name) => {
    const file = join(folder, name), text = readFileSync(join(root, file), "utf8");
    return [...text.matchAll(/(?:\bfrom|\bimport\(|^import)\s*"(\.[^"]+)"/gm)].map(([, path = ""]) => ({ file, target: relative(root, join(root, dirname(file), path)) }));
  });
}

test("imports run one way", (t) => {
  for (const [folder, known] of Object.entries(below)) {
    const found = imports(folder);
    t.ok(found.length > 0, `${folder}/ has imports to look at`);
    const astray = found.filter(({ target }) => ![folder, ...known].includes(target.split(sep)[0] ?? ""));
    t.deepEqual(astray.map(({ file, target }) => `${file} imports ${target}`), [], `${folder}/ imports nothing but ${["itself", ...known].join(", ")}`);
  }
  t.end();
});
