// Tensor: the end of the chain core → transfer → views → rows → arithmetic → reductions → in-place changes, and what makes handles of it.
import type { Operand } from "../autograd.js";
import { answerMisses } from "../misses.js";
import { construct } from "./core.js";
import { tensorAnswers } from "./guesses.js";
import { TensorInPlace } from "./inPlace.js";

/** A strided array of numbers on a device, with PyTorch's methods. Made by tensor(), zeros(), randn() … or by operations. */
export class Tensor extends TensorInPlace {}
/** x[i] is x.select(0, i), a view; x[i] = value fills or copies. */
export interface Tensor {
  [index: number]: Tensor;
}

construct.tensor = (operand: Operand, tracked?: boolean) => new Tensor(operand, tracked);
answerMisses(Tensor, tensorAnswers);
