// Gradient mode: whether operations are recorded. A block without recording belongs to the task that opened it: what runs beside it while it waits
// goes on recording. Where the platform cannot tell tasks apart (a page has no AsyncLocalStorage) a block that waits turns recording off for
// everybody, and a backward() beside it is refused.
import { takesFunction, takesNothing } from "./arguments.js";
import { type TaskLocal, withTaskLocal } from "./platform.js";

interface Block {
  open: boolean;
  /** The block around it, which may outlast it. */
  readonly outer: Block | null;
}

let tasks: TaskLocal<Block> | null = null;
withTaskLocal<Block>((local) => (tasks = local));

/** Blocks that are open in any task: while there are none, nothing has to be looked up. */
let openBlocks = 0;
/** Blocks that wait without a task of their own. */
let sharedBlocks = 0;
let everShared = false;

export function isGradEnabled(...none: []): boolean {
  takesNothing("isGradEnabled", none);
  if (openBlocks === 0) return true;
  if (tasks === null) return false;
  return openBlock(tasks.getStore()) === null;
}

/** The innermost block that is still open: what a block leaves running when it ends is outside again. */
function openBlock(block: Block | null | undefined): Block | null {
  let at = block ?? null;
  while (at !== null && !at.open) at = at.outer;
  return at;
}

/** Runs fn without recording a tape. For an async fn that holds until its promise settles, in this task alone; in a browser, which cannot tell
 *  tasks apart, for everybody: await the block before the next training step there. */
export function noGrad<R>(fn: () => R, ...none: []): R {
  takesFunction("noGrad", fn, none);
  const block: Block = { open: true, outer: openBlock(tasks?.getStore()) };
  const shared = tasks === null;
  openBlocks++;
  const close = (): void => {
    block.open = false;
    openBlocks--;
  };
  let result: R;
  try {
    result = tasks === null ? fn() : tasks.run(block, fn);
  } catch (error) {
    close();
    throw error;
  }
  if (!(result instanceof Promise)) {
    close();
    return result;
  }
  if (shared) {
    sharedBlocks++;
    everShared = true;
  }
  const settled = (): void => {
    close();
    if (shared) sharedBlocks--;
  };
  result.then(settled, settled);
  return result;
}

/** Why backward() must not run now, or "": beside a block that waits, what was computed may be missing from the tape. */
export function unrecordedBeside(): string {
  if (sharedBlocks === 0) return "";
  return (
    "a noGrad(async …) block is still waiting, and this platform cannot tell tasks apart (it has no AsyncLocalStorage): nothing that runs beside the " +
    "block is recorded. Await the block before the training step, or compute the step first."
  );
}

/** What may have kept a tensor off the tape, for the sentence of a backward() that found none. */
export function unrecordedHint(): string {
  const shared = everShared ? ", beside a noGrad(async …) block that was waiting (in a browser it holds for everybody)" : "";
  return `was it computed under noGrad${shared}, detached, or from tensors without requiresGrad?`;
}
