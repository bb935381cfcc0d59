// What every command does around its work: flags, the device, being asked to stop, one sentence for an error, and a clean ending. A command
// ends by running out of work, never by process.exit: Dawn crashes when the process goes with GPU work in flight.
import { debuglog } from "node:util";
import { UsageError } from "./flags.js";
import { Interruption } from "./interruption.js";

const exitCodes = { failure: 1, usage: 2 } as const;

/** What must be closed before the process may end. */
export interface Closable {
  close(): Promise<void>;
}

export interface Program<Options extends { readonly help: boolean }, Opened extends Closable> {
  readonly help: string;
  /** Reads the flags; throws a UsageError. */
  parse(args: readonly string[]): Options;
  /** Opens the device once the flags are known to be right. */
  open(options: Options): Promise<Opened>;
  /** Asks `interruption.requested` between two steps and returns early when it is set. */
  run(options: Options, opened: Opened, interruption: Interruption): Promise<void>;
  /** Errors that are the caller's, not the program's: they end with exit code 2, as a UsageError does. */
  isUsageError?(error: unknown): boolean;
}

/** Runs a command and sets the process's exit code: 0, 1 for a failure, 2 for a wrong flag or value, 128 + n for a signal. */
export async function runProgram<Options extends { readonly help: boolean }, Opened extends Closable>(
  program: Program<Options, Opened>, args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const interruption = new Interruption();
  try {
    const options = program.parse(args);
    if (options.help) process.stdout.write(program.help);
    else {
      const opened = await program.open(options);
      await closingAfter(opened, () => program.run(options, opened, interruption));
      process.exitCode = interruption.requested ? (interruption.exitCode ?? exitCodes.failure) : 0;
    }
  } catch (error) {
    debuglog("athanor")("%s", error instanceof Error ? error.stack : error);
    process.stderr.write(`${oneLine(error)}\n`);
    process.exitCode = error instanceof UsageError || program.isUsageError?.(error) === true ? exitCodes.usage : exitCodes.failure;
  } finally {
    interruption.ignoreErrors();
  }
}

/** Closes the device whatever happens; where the work failed, its own error is the one to report. */
async function closingAfter(device: Closable, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await device.close().catch(() => undefined);
    throw error;
  }
  await device.close();
}

/** A line of output. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ");
}
