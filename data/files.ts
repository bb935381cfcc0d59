// Files and folders, behind sentences. Node's modules are loaded when a function is called, so that browsers can import this room.
import { fileSystem, needNode } from "../engine/platform.js";
import { AthanorError } from "../kernels/errors.js";
import { MissingFileError } from "./idx.js";

/** What a browser is told. */
export const elsewhere = "Files are read in Node only; in a browser fetch the bytes and give them to readIdx or ImageDataset.";

/** Node's modules at once, for constructors; a bundler does not see them. */
export function nodeModules(): { fs: typeof import("node:fs"); path: typeof import("node:path") } {
  needNode(elsewhere);
  if (typeof process.getBuiltinModule !== "function") {
    throw new AthanorError(`Folders are listed by Node 20.16 or newer; this is ${process.version}. Update Node, or give the list of files yourself.`);
  }
  return { fs: process.getBuiltinModule("node:fs"), path: process.getBuiltinModule("node:path") };
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export async function readBytes(file: string): Promise<Uint8Array> {
  const { readFile } = await fileSystem(elsewhere);
  try {
    const bytes = await readFile(file);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw new MissingFileError(`${file}: cannot be read (${reasonOf(error)}).`);
  }
}
export async function writeBytes(file: string, bytes: Uint8Array): Promise<void> {
  const { writeFile } = await fileSystem(elsewhere);
  try {
    await writeFile(file, bytes);
  } catch (error) {
    throw new AthanorError(`got ${JSON.stringify(file)}, which cannot be written (${reasonOf(error)}); expected the path of a file in a folder that is there.`);
  }
}
