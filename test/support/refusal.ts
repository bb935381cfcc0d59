// What a wrong call says.
import type { Test } from "tape";
import { AthanorError } from "../../index.js";

/** The sentence with which the work was refused; where it was not, or not by one of our errors, a text that matches no expectation. */
export async function refusal(work: () => unknown): Promise<string> {
  try {
    await work();
    return "went through";
  } catch (error) {
    return error instanceof AthanorError ? error.message : `not one of ours: ${String(error)}`;
  }
}

export type RefusedCall = readonly [what: string, work: () => unknown, sentence: RegExp];

/** Each call is refused by one of our errors, with the sentence expected. */
export async function checkRefusals(t: Test, calls: readonly RefusedCall[]): Promise<void> {
  for (const [what, work, sentence] of calls) {
    try {
      await work();
      t.fail(`${what}: went through`);
    } catch (error) {
      t.ok(error instanceof AthanorError && sentence.test(error.message), `${what}: ${String(error)}`);
    }
  }
}

/** What was thrown; an error of another sentence where nothing was. */
export async function thrownBy(action: () => unknown): Promise<Error> {
  try {
    await action();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  return new Error("nothing was thrown");
}
