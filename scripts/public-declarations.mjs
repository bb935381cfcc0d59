// What of the compiler's declarations a user can come across: what the entries export, and what the types of that mention. It goes by names alone, so that
// it may keep a declaration too many, never one too few.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript-5.9";

/** The declaration files that `entries` lead to, each with its syntax tree and the nodes of it that stay: statements, or names in an import or export. */
export function findPublic(entries) {
  const search = new Search();
  for (const entry of entries) search.askForAll(entry);
  search.run();
  return search.files;
}

export function isExternal(specifier) {
  return !specifier.startsWith(".");
}

class Search {
  files = new Map();
  #asked = new Set();
  #queue = [];

  /** What a file exports under a name is public. */
  ask(path, name) {
    const question = `${path} ${name}`;
    if (this.#asked.has(question)) return;
    this.#asked.add(question);
    this.#queue.push([path, name]);
  }
  askForAll(path) {
    for (const name of this.exportsOf(path)) this.ask(path, name);
  }
  run() {
    for (let asked = this.#queue.pop(); asked; asked = this.#queue.pop()) this.#answer(...asked);
  }

  #answer(path, name) {
    const file = this.open(path), again = file.exported.get(name);
    if (again) {
      file.kept.add(again.node);
      if (again.from === undefined) this.#keepLocal(file, again.name);
      else this.#follow(file, again);
    } else if (file.declared.has(name)) this.#keepLocal(file, name);
    else {
      for (const { node, from } of file.stars) {
        if (isExternal(from) || !this.exportsOf(pathOf(file, from)).has(name)) continue;
        file.kept.add(node);
        this.ask(pathOf(file, from), name);
      }
    }
  }
  #follow(file, { from, name }) {
    if (isExternal(from)) return;
    if (name === "*") this.askForAll(pathOf(file, from));
    else this.ask(pathOf(file, from), name);
  }
  #keepLocal(file, name) {
    const imported = file.imported.get(name);
    if (imported) {
      file.kept.add(imported.node);
      this.#follow(file, imported);
    }
    for (const statement of file.declared.get(name) ?? []) {
      if (file.kept.has(statement)) continue;
      file.kept.add(statement);
      this.#keepMentioned(file, statement);
    }
  }
  #keepMentioned(file, node) {
    if (ts.isIdentifier(node)) this.#keepLocal(file, node.text);
    if (ts.isImportTypeNode(node)) this.#follow(file, { from: node.argument.literal.text, name: firstName(node.qualifier) });
    ts.forEachChild(node, (child) => this.#keepMentioned(file, child));
  }

  exportsOf(path) {
    const file = this.open(path);
    file.names ??= new Set([...file.own, ...file.stars.flatMap(({ from }) => (isExternal(from) ? [] : [...this.exportsOf(pathOf(file, from))]))]);
    return file.names;
  }
  open(path) {
    const known = this.files.get(path);
    if (known) return known;
    const file = readDeclarations(path);
    this.files.set(path, file);
    return file;
  }
}

function pathOf(file, specifier) {
  return join(dirname(file.path), specifier).replace(/\.js$/, ".d.ts");
}

/** The a of a.b.c; of a whole module everything. */
function firstName(qualifier) {
  if (qualifier === undefined) return "*";
  return ts.isIdentifier(qualifier) ? qualifier.text : firstName(qualifier.left);
}

/** A file's top-level names: declared, imported, exported again, and its own exports. */
function readDeclarations(path) {
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  const file = { path, source, declared: new Map(), imported: new Map(), exported: new Map(), stars: [], own: new Set(), kept: new Set() };
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) readImport(file, statement);
    else if (ts.isExportDeclaration(statement)) readExport(file, statement);
    else {
      for (const name of namesOf(statement)) {
        file.declared.set(name, [...(file.declared.get(name) ?? []), statement]);
        if (statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) file.own.add(name);
      }
    }
  }
  return file;
}

function readImport({ imported }, { importClause, moduleSpecifier }) {
  const bindings = importClause?.namedBindings, from = moduleSpecifier.text;
  if (!bindings) return;
  if (ts.isNamespaceImport(bindings)) imported.set(bindings.name.text, { node: bindings, from, name: "*" });
  else for (const node of bindings.elements) imported.set(node.name.text, { node, from, name: (node.propertyName ?? node.name).text });
}

function readExport(file, statement) {
  const { exportClause: clause, moduleSpecifier } = statement, from = moduleSpecifier?.text;
  if (!clause) return void file.stars.push({ node: statement, from });
  const nodes = ts.isNamespaceExport(clause) ? [clause] : clause.elements;
  for (const node of nodes) {
    file.exported.set(node.name.text, { node, from, name: ts.isNamespaceExport(node) ? "*" : (node.propertyName ?? node.name).text });
    file.own.add(node.name.text);
  }
}

function namesOf(statement) {
  return ts.isVariableStatement(statement) ? statement.declarationList.declarations.map(({ name }) => name.text) : [statement.name?.text].filter(Boolean);
}
