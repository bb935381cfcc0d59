// What the compiler's declarations become before a user gets them: readable by TypeScript 5.4 and by who has neither Node's types nor the DOM's, without
// what no entry of the package leads to, and with a CommonJS face for each entry.
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Rewrites the declarations in `folder`, whose `entries` are the modules ("nn/index.js") that package.json exports. */
export function finishDeclarations(folder, entries) {
  for (const name of declarationsIn(folder)) {
    const file = join(folder, name), text = readFileSync(file, "utf8");
    const plain = withImportsOnTop(plainTypes(text));
    if (plain !== text) writeFileSync(file, plain);
  }
  dropUnreached(folder, entries);
  for (const entry of entries) writeCommonFace(folder, entry);
}

function declarationsIn(folder) {
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".d.ts"));
}

/** Typed arrays were not generic in TypeScript 5.4, a URL is known by its href, and what Node's file functions return is the library's own affair. */
function plainTypes(text) {
  return text
    .replaceAll(/\b((?:Big)?(?:Int|Uint|Float)\d+(?:Clamped)?Array)<ArrayBuffer(?:Like)?>/g, "$1")
    .replaceAll(/import\("node:[\w/]+"\)\.\w+|typeof import\("node:[\w/]+"\)/g, "unknown")
    .replaceAll("string | URL", "string | { readonly href: string }");
}

/** `import("../kinds.js").Kind<number>` reads as `Kind<number>`, with one import for all of them in the first line: the lines stay where the
 *  declaration map has them. A name that the file uses for something else stays as it is. */
function withImportsOnTop(text) {
  const inline = /\bimport\("(\.[^"]+)"\)\.(\w+)/g;
  const from = new Map();
  for (const [, module, name] of text.matchAll(inline)) from.set(name, from.has(name) && from.get(name) !== module ? null : module);
  const rest = text.replaceAll(inline, "");
  const taken = (name, module) => new RegExp(`\\b${name}\\b`).test(rest) && !importsFrom(rest, name, module);
  const moved = new Map([...from].filter(([name, module]) => module !== null && !taken(name, module)));
  const imports = [...moved].filter(([name, module]) => !importsFrom(rest, name, module)).map(([name, module]) => `import type { ${name} } from "${module}"; `);
  const body = text.replaceAll(inline, (whole, module, name) => (moved.get(name) === module ? name : whole));
  return body.replace(/^(?:\/\/\/.*\n)*/, (references) => references + imports.join(""));
}

/** Whether the file has imported the name from there already, under no other name. */
function importsFrom(text, name, module) {
  return [...text.matchAll(/^import (?:type )?\{([^}]*)\} from "([^"]+)";/gm)]
    .some(([, names, from]) => from === module && names.split(",").some((one) => one.trim().replace(/^type /, "") === name));
}

/** Removes the declarations that no import leads to from an entry. */
function dropUnreached(folder, entries) {
  const reached = new Set(), queue = entries.map((entry) => declarationOf(join(folder, entry)));
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    const specifiers = readFileSync(file, "utf8").matchAll(/(?:\bfrom |\bimport |\bimport\()"(\.[^"]+)"/g);
    for (const [, specifier] of specifiers) queue.push(declarationOf(join(dirname(file), specifier)));
  }
  for (const name of declarationsIn(folder)) {
    const file = join(folder, name);
    if (!reached.has(file)) for (const path of [file, `${file}.map`]) if (existsSync(path)) rmSync(path);
  }
}

function declarationOf(module) {
  return module.replace(/\.js$/, ".d.ts");
}

/** For who writes require("athanor"): Node's require takes ES modules since 20.19 and 22.12, so that both ways of loading share one library, and
 *  TypeScript takes a declaration's format from its extension. Before 5.8 it did not know of that, hence the comment. */
function writeCommonFace(folder, entry) {
  const module = join(folder, entry), own = `./${relative(dirname(module), module)}`;
  writeFileSync(module.replace(/\.js$/, ".cjs"), `module.exports = require("${own}");\n`);
  const declared = `// @ts-ignore: an ES module, which Node's require takes since 20.19 and 22.12\nexport * from "${own}";\n`;
  writeFileSync(module.replace(/\.js$/, ".d.cts"), declared);
}
