// What a wrong call says.
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
