// What the compiler's declarations become before a user gets them: what no entry of the package leads to goes, what is left reads well and reads in
// TypeScript 5.4, without Node's types and without the DOM's, and each entry has a CommonJS face. The declaration maps follow every change.
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import remapping from "@jridgewell/remapping";
import { MagicString } from "magic-string";
import ts from "typescript-5.9";
import { findPublic } from "./public-declarations.mjs";

/** Rewrites the declarations in `folder`, whose `entries` are the modules ("nn/index.js") that package.json exports. */
export function finishDeclarations(folder, entries) {
  const files = findPublic(entries.map((entry) => join(folder, entry).replace(/\.js$/, ".d.ts")));
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!name.endsWith(".d.ts")) continue;
    const path = join(folder, name), file = files.get(path);
    if (file) rewrite(file);
    else for (const one of [path, `${path}.map`]) if (existsSync(one)) rmSync(one);
  }
  for (const entry of entries) writeCommonFace(folder, entry);
}

function rewrite({ path, source, kept }) {
  const { text } = source, edited = new MagicString(text), removed = [];
  const remove = (from, to) => {
    edited.remove(from, to);
    removed.push([from, to]);
  };
  for (const statement of source.statements) keepPublic(statement, kept, edited, remove);
  const stays = ({ index }) => !removed.some(([from, to]) => index >= from && index < to);
  const change = (pattern, into) => {
    for (const match of text.matchAll(pattern)) if (stays(match)) edited.update(match.index, match.index + match[0].length, into(...match));
  };
  moveImports(source, edited, [...text.matchAll(/\bimport\("(\.[^"]+)"\)\.(\w+)/g)].filter(stays));
  // Typed arrays were not generic in TypeScript 5.4, a URL is known by its href, and what Node's file functions return is the library's own affair.
  change(/\b((?:Big)?(?:Int|Uint|Float)\d+(?:Clamped)?Array)<ArrayBuffer(?:Like)?>/g, (_, array) => array);
  change(/import\("node:[\w/]+"\)\.\w+|typeof import\("node:[\w/]+"\)/g, () => "unknown");
  change(/string \| URL/g, () => "string | { readonly href: string }");
  // The rows of a Signature: which arguments they stand for is the same, and an empty list is the default.
  change(/readonly (?=\[\[?"\w+", )/g, () => "");
  change(/, readonly \[\](?=>)/g, () => "");
  change(/^(?: {4})+/gm, (indent) => " ".repeat(indent.length / 2));
  write(path, edited);
}

/** Removes the statement, or those names of an import or export, that are not public. */
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

/** `import("../kinds.js").Kind<number>` reads as `Kind<number>`, with an import before the first statement. A name that the file uses for something
 *  else stays as it is. */
function moveImports({ text, statements }, edited, inline) {
  const rest = text.replaceAll(/\bimport\("\.[^"]+"\)\.\w+/g, ""), moved = new Map();
  for (const { index, 0: whole, 1: module, 2: name } of inline) {
    if (!moved.has(name) && (importsFrom(rest, name, module) || !new RegExp(`\\b${name}\\b`).test(rest))) moved.set(name, module);
    if (moved.get(name) === module) edited.update(index, index + whole.length, name);
  }
  for (const [name, module] of moved) {
    if (!importsFrom(rest, name, module)) edited.appendLeft(statements[0].getStart(), `import type { ${name} } from "${module}";\n`);
  }
}

/** Whether the file has imported the name from there already, under no other name. */
function importsFrom(text, name, module) {
  return [...text.matchAll(/^import (?:type )?\{([^}]*)\} from "([^"]+)";/gm)]
    .some(([, names, from]) => from === module && names.split(",").some((one) => one.trim().replace(/^type /, "") === name));
}

/** The file, and its map if it has one: from the file as it is now to the source. */
function write(path, edited) {
  const map = `${path}.map`;
  writeFileSync(path, edited.toString());
  if (!existsSync(map)) return;
  const changes = edited.generateMap({ source: path, hires: "boundary" }), written = JSON.parse(readFileSync(map, "utf8"));
  writeFileSync(map, remapping([changes, written], () => null).toString());
}

/** For who writes require("athanor"): Node's require takes ES modules since 20.19 and 22.12, so that both ways of loading share one library, and
 *  TypeScript takes a declaration's format from its extension. Before 5.8 it did not know of that, hence the comment. */
function writeCommonFace(folder, entry) {
  const module = join(folder, entry), own = `./${relative(dirname(module), module)}`;
  writeFileSync(module.replace(/\.js$/, ".cjs"), `module.exports = require("${own}");\n`);
  const declared = `// @ts-ignore: an ES module, which Node's require takes since 20.19 and 22.12\nexport * from "${own}";\n`;
  writeFileSync(module.replace(/\.js$/, ".d.cts"), declared);
}
