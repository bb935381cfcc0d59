// Writing files whole or not at all, and reading them in parts. Node's modules are loaded when a function is called, so that a browser bundle takes
// this file as it is.
import { ArgumentError, AthanorError } from "../kernels/errors.js";
import { fileSystem } from "../engine/platform.js";
import { importNode, isNode } from "../kernels/platform.js";
import { shown } from "../engine/spelling.js";
import type { ByteRange, ByteSource } from "./byteReading.js";

/** Where a file is: its path, or a file: URL. */
export type FilePath = string | URL;
/** A file's bytes, whole or in parts that follow one another. */
export type FileContent = Uint8Array | readonly Uint8Array[];

/** One call of the system moves no more than this. */
const mostAtOnce = 2 ** 28;
const longestName = 255;

/** The path that was meant; throws a sentence for what is none. */
export function checkedPath(operation: string, path: unknown): string {
  const text = path instanceof URL ? path.href : path;
  if (typeof text !== "string" || text === "") {
    throw new ArgumentError(`${operation}: got ${shown(path)} for the path; expected a file's name, such as "model.safetensors", or a file: URL.`);
  }
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text) ?? [];
  if (scheme === undefined) return text;
  if (scheme.toLowerCase() === "file") return decodeURIComponent(new URL(text).pathname).replace(/^\/(?=[a-z]:)/i, "");
  throw new ArgumentError(
    `${operation}: got the address ${text}; expected a file's name or a file: URL. What is on the network is fetched first: ` +
      "decodeSafetensors(new Uint8Array(await (await fetch(address)).arrayBuffer())).",
  );
}

/** What a browser is told. */
const elsewhere = "save and load need Node's file system; in a browser use encodeSafetensors and decodeSafetensors with fetch or a download.";

// ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The work under way, by key. */
const queues = new Map<string, Promise<void>>();

/** Runs what is asked for under one key in the order of the calls, one after the other. */
export function queued<T>(key: string, work: () => Promise<T>): Promise<T> {
  const mine = (queues.get(key) ?? Promise.resolve()).then(work);
  const settled = mine.then(() => undefined, () => undefined);
  queues.set(key, settled);
  void settled.then(() => queues.get(key) === settled && queues.delete(key));
  return mine;
}
/** Resolves when what is under way under the key is done, well or not. */
export async function settledWork(key: string): Promise<void> {
  await queues.get(key);
}
/** One file has one key, as far as can be told without asking the disk. */
export function keyOf(path: string): string {
  const absolute = isNode && typeof process.getBuiltinModule === "function" ? process.getBuiltinModule("node:path").resolve(path) : path;
  return `file ${absolute}`;
}

let writes = 0;

/** Writes beside the target, waits until the bytes are on the disk, then puts the new file in the old one's place in one step. Several writes of one
 *  path follow one another in the order of the calls; content that is promised is waited for in its turn. A link is followed, a file's rights stay. */
export async function writeFileAtomically(path: FilePath, content: FileContent | Promise<FileContent>): Promise<void> {
  const file = checkedPath("writing", path);
  const given = Promise.resolve(content);
  given.catch(() => undefined); // it is waited for below, perhaps later than it fails
  return queued(keyOf(file), async () => {
    const bytes = await given;
    try {
      await replaceFile(file, Array.isArray(bytes) ? bytes : [bytes]);
    } catch (error) {
      throw new AthanorError(
        `${file}: cannot be written (${error instanceof Error ? error.message : String(error)}); an older file of that name is as it was.`, { cause: error },
      );
    }
  });
}

async function replaceFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const { access, constants, rename, rm } = await fileSystem(elsewhere);
  const { target, before } = await destination(path);
  if (before !== null) await access(target, constants.W_OK);
  const { temporary, file } = await openBeside(target);
  try {
    try {
      for (const part of parts) {
        for (let at = 0; at < part.length; ) at += (await file.write(part, at, Math.min(mostAtOnce, part.length - at))).bytesWritten;
      }
      if (before !== null) {
        await file.chmod(before.mode & 0o7777);
        await file.chown(before.uid, before.gid).catch(() => undefined); // only root may give files away
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to report
    throw error;
  }
}

/** The file that a path leads to, at the end of its links, and what is there now. */
async function destination(path: string): Promise<{ target: string; before: import("node:fs").Stats | null }> {
  const { lstat, readlink, stat } = await fileSystem(elsewhere);
  const { dirname, resolve } = await importNode<typeof import("node:path")>("path");
  const isMissing = (error: unknown): null => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  };
  const before = await stat(path).catch(isMissing); // an endless loop of links is an error here
  if (before !== null && !before.isFile()) throw new Error(`it is ${before.isDirectory() ? "a folder" : "a device, a pipe or a socket"}, no file`);
  let target = path;
  while ((await lstat(target).catch(isMissing))?.isSymbolicLink()) target = resolve(dirname(target), await readlink(target));
  return { target, before };
}

/** A new file in the target's folder. Its name begins like the target's, as far as the system's bound on names lets it. */
async function openBeside(target: string): Promise<{ temporary: string; file: import("node:fs/promises").FileHandle }> {
  const { open } = await fileSystem(elsewhere);
  const { basename, dirname, join } = await importNode<typeof import("node:path")>("path");
  for (;;) {
    const ending = `.${process.pid}-${writes++}.tmp`;
    const start = new TextEncoder().encode(basename(target)).subarray(0, longestName - ending.length);
    const name = new TextDecoder().decode(start).replace(/\ufffd+$/, "");
    const temporary = join(dirname(target), `${name}${ending}`);
    try {
      return { temporary, file: await open(temporary, "wx") };
    } catch (error) {
      // another thread of this process counts for itself
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Opens a file for reading in parts, of any size; it stays what it was when it was opened, even where another takes its place. */
export async function withFile<T>(path: string, read: (source: ByteSource) => Promise<T>): Promise<T> {
  const { open } = await fileSystem(elsewhere);
  const failed = (error: unknown) => new ArgumentError(
    `load: ${path} cannot be read (${error instanceof Error ? error.message : String(error)}).`, { cause: error },
  );
  await settledWork(keyOf(path));
  const file = await open(path, "r").catch((error: unknown) => {
    throw failed(error);
  });
  try {
    const about = await file.stat();
    if (about.isDirectory()) throw failed(new Error("it is a folder, no file"));
    if (!about.isFile()) return await read(sourceOf(await file.readFile())); // a pipe has no places to read at
    return await read({ size: about.size, read: (range) => readRange(file, range).catch((error: unknown) => { throw failed(error); }) });
  } finally {
    await file.close();
  }
}

function sourceOf(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: async ({ start, length }) => bytes.subarray(start, start + length) };
}

async function readRange(file: import("node:fs/promises").FileHandle, { start, length }: ByteRange): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(mostAtOnce, length - at), start + at);
    if (bytesRead === 0) throw new Error(`it ends before byte ${start + length}; it was cut while it was read`);
    at += bytesRead;
  }
  return bytes;
}
