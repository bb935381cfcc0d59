// What the compiler's declarations become before a user gets them: what no entry of the package leads to goes, what is left reads well and reads in
// TypeScript 5.4, without Node's types and without the DOM's, and each entry has a CommonJS face. The sources stand beside them, and the declaration maps,
// which follow every change, lead there: "go to definition" ends in code that can be read.
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import remapping from "@jridgewell/remapping";
import { MagicString } from "magic-string";
import ts from "typescript-5.9";
import { findPublic } from "./public-declarations.mjs";

/** Where in the package the sources stand. */
const sourceFolder = "src";

/** Rewrites the declarations in `folder`, whose `entries` are the modules ("nn/index.js") that package.json exports; `root` is where the sources are. */
export function finishDeclarations(folder, entries, root) {
  const files = findPublic(entries.map((entry) => join(folder, entry).replace(/\.js$/, ".d.ts"))), sources = new Set();
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!name.endsWith(".d.ts")) continue;
    const path = join(folder, name), file = files.get(path);
    for (const source of sourcesOf(`${path}.map`)) sources.add(source);
    if (file) rewrite(file, (source) => join(folder, sourceFolder, relative(root, source)));
    else for (const one of [path, `${path}.map`]) rmSync(one);
  }
  // WebAssembly as text: nothing to read.
  for (const source of sources) if (!source.endsWith("wasm.ts")) cpSync(source, join(folder, sourceFolder, relative(root, source)));
  for (const entry of entries) writeCommonFace(folder, entry);
}

/** The files that a declaration map of the compiler's names. */
function sourcesOf(map) {
  return JSON.parse(readFileSync(map, "utf8")).sources.map((source) => resolve(dirname(map), source));
}

function rewrite({ path, source, kept }, placeOf) {
  const { text } = source, edited = new MagicString(text), removed = [];
  const remove = (from, to) => {
    edited.remove(from, to);
    removed.push([from, to]);
  };
  for (const statement of source.statements) if (!namedImports(statement)) keepPublic(statement, kept, edited, remove);
  const stays = ({ index }) => !removed.some(([from, to]) => index >= from && index < to);
  const change = (pattern, into) => {
    for (const match of text.matchAll(pattern)) if (stays(match)) edited.update(match.index, match.index + match[0].length, into(...match));
  };
  gatherImports(source, kept, edited, [...text.matchAll(/\bimport\("(\.[^"]+)"\)\.(\w+)/g)].filter(stays));
  // Typed arrays were not generic in TypeScript 5.4, a URL is known by its href, and what Node's file functions return is the library's own affair.
  change(/\b((?:Big)?(?:Int|Uint|Float)\d+(?:Clamped)?Array)<ArrayBuffer(?:Like)?>/g, (_, array) => array);
  change(/import\("node:[\w/]+"\)\.\w+|typeof import\("node:[\w/]+"\)/g, () => "unknown");
  change(/string \| URL/g, () => "string | { readonly href: string }");
  // The rows of a Signature: which arguments they stand for is the same, and an empty list is the default.
  change(/readonly (?=\[(?:readonly )?(?:\["\w+", |\w+<"\w+", )|\["\w+", )/g, () => "");
  change(/, readonly \[\](?=>)/g, () => "");
  // What is exported is declared.
  change(/^export declare /gm, () => "export ");
  change(/^(?: {4})+/gm, (indent) => " ".repeat(indent.length / 2));
  write(path, edited, placeOf);
}

/** Removes the statement, or those names of an export, that are not public. */
function keepPublic(statement, kept, edited, remove) {
  const clause = statement.importClause?.namedBindings ?? statement.exportClause;
  const names = clause?.elements ?? (clause ? [clause] : null);
  const stays = names === null || names.length === 0 ? kept.has(statement) || isKeptAnyway(statement) : names.some((name) => kept.has(name));
  if (!stays) return remove(statement.getFullStart(), statement.end);
  for (const [i, name] of (names ?? []).entries()) {
    if (kept.has(name)) continue;
    const next = names[i + 1];
    // With the comma before it, where there is none behind that goes with the next one.
    if (next) edited.remove(name.getStart(), next.getStart());
    else edited.remove(names.findLast((other) => kept.has(other)).end, name.end);
  }
}

/** An import for its effects, and `export {}`, which makes a module of a file. */
function isKeptAnyway(statement) {
  return (ts.isImportDeclaration(statement) && !statement.importClause) || (ts.isExportDeclaration(statement) && statement.exportClause !== undefined);
}

/** The names of `import { … } from`, null for every other statement. */
function namedImports(statement) {
  const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined;
  return bindings && ts.isNamedImports(bindings) ? bindings.elements : null;
}

/** One import for each module, of the public names; `import("../kinds.js").Kind<number>` reads as `Kind<number>`. A name that the file uses for something
 *  else stays as it is. All of it is types, whether or not an import says so. */
function gatherImports({ text, statements }, kept, edited, inline) {
  const imports = statements.filter(namedImports), modules = new Map(), homes = new Map();
  const take = (module, name, local = name) => {
    modules.set(module, (modules.get(module) ?? new Set()).add(name === local ? name : `${name} as ${local}`));
    homes.set(local, `${module} ${name}`);
  };
  for (const statement of imports) {
    for (const element of namedImports(statement)) {
      if (kept.has(element)) take(statement.moduleSpecifier.text, (element.propertyName ?? element.name).text, element.name.text);
    }
  }
  const rest = text.replaceAll(/\bimport\("\.[^"]+"\)\.\w+/g, "");
  for (const { index, 0: whole, 1: module, 2: name } of inline) {
    if (!homes.has(name) && !new RegExp(`\\b${name}\\b`).test(rest)) take(module, name);
    if (homes.get(name) === `${module} ${name}`) edited.update(index, index + whole.length, name);
  }
  const lines = [...modules].map(([module, names]) => `import { ${[...names].join(", ")} } from "${module}";\n`).join("");
  for (const statement of imports) edited.remove(statement.getStart(), text.startsWith("\n", statement.end) ? statement.end + 1 : statement.end);
  if (lines !== "") edited.appendLeft(statements[0].getStart(), lines);
}

/** The file, and its map: from the file as it is now to the source in the package. */
function write(path, edited, placeOf) {
  const map = `${path}.map`;
  writeFileSync(path, edited.toString());
  const changes = edited.generateMap({ source: path, hires: "boundary" }), written = JSON.parse(readFileSync(map, "utf8"));
  const whole = remapping([changes, written], () => null);
  whole.file = basename(path); // without it TypeScript takes no map
  whole.sources = sourcesOf(map).map((source) => relative(dirname(path), placeOf(source)).replaceAll(sep, "/"));
  writeFileSync(map, whole.toString());
}

/** For who writes require("athanor"): Node's require takes ES modules since 20.19 and 22.12, so that both ways of loading share one library, and
 *  TypeScript takes a declaration's format from its extension. Before 5.8 it did not know of that, hence the comment. */
function writeCommonFace(folder, entry) {
  const module = join(folder, entry), own = `./${relative(dirname(module), module)}`;
  writeFileSync(module.replace(/\.js$/, ".cjs"), `module.exports = require("${own}");\n`);
  const declared = `// @ts-ignore: an ES module, which Node's require takes since 20.19 and 22.12\nexport * from "${own}";\n`;
  writeFileSync(module.replace(/\.js$/, ".d.cts"), declared);
}
