// The files of a checkpoint's folder: checkpoint-000012.safetensors after epoch 12, best.safetensors, and what a killed process left behind.
import { fileSystem } from "../engine/platform.js";
import { ArgumentError, AthanorError } from "../kernels/errors.js";

export interface CheckpointFile {
  readonly epoch: number;
  readonly path: string;
}

const pattern = /^checkpoint-(\d+)\.safetensors$/;
/** As writeFileAtomically names what it writes: NAME.PID-N.tmp. */
const leftover = /^(?:checkpoint-\d+|best)\.safetensors\.(\d+)-\d+\.tmp$/;

export function checkpointName(folder: string, epoch: number): string {
  return `${folder}/checkpoint-${String(epoch).padStart(6, "0")}.safetensors`;
}

const elsewhere = "Checkpoint writes files, in Node only; in a browser use encodeSafetensors and a download.";

async function namesIn(folder: string): Promise<string[]> {
  const { readdir } = await fileSystem(elsewhere);
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new ArgumentError(
      `${folder}: cannot be listed (${error instanceof Error ? error.message : String(error)}); expected a checkpoint's folder.`,
    );
  }
}

/** The epochs' checkpoints, oldest first. */
export async function checkpointFiles(folder: string): Promise<CheckpointFile[]> {
  const found = (await namesIn(folder)).flatMap((name) => {
    const [, epoch] = pattern.exec(name) ?? [];
    return epoch === undefined ? [] : [{ epoch: Number(epoch), path: `${folder}/${name}` }];
  });
  return found.toSorted((a, b) => a.epoch - b.epoch);
}

/** The newest epoch's, or the file of that name; null where there is none. */
export async function latestCheckpoint(folder: string, name?: string): Promise<string | null> {
  if (name !== undefined) return (await namesIn(folder)).includes(name) ? `${folder}/${name}` : null;
  return (await checkpointFiles(folder)).at(-1)?.path ?? null;
}

export async function makeFolder(folder: string): Promise<void> {
  const { mkdir } = await fileSystem(elsewhere);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new AthanorError(
      `${folder}: cannot be made (${error instanceof Error ? error.message : String(error)}); expected a folder that can be written.`,
    );
  }
}

export async function removeFiles(paths: readonly string[]): Promise<void> {
  const { rm } = await fileSystem(elsewhere);
  for (const path of paths) await rm(path, { force: true });
}

/** Removes the half-written files of processes that are gone. */
export async function removeLeftovers(folder: string): Promise<void> {
  const { rm } = await fileSystem(elsewhere);
  for (const name of await namesIn(folder)) {
    const [, pid] = leftover.exec(name) ?? [];
    if (pid !== undefined && Number(pid) !== process.pid && !isRunning(Number(pid))) await rm(`${folder}/${name}`, { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
