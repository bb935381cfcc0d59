// The weights and biases of Linear and Conv2d before any training: memory without values, and what PyTorch starts from.
import { empty } from "../../engine/index.js";
import * as init from "../init.js";
import { Parameter } from "../parameter.js";

/** @internal Weights uniform within ±1/√fanIn (Kaiming with a = √5), biases likewise. */
export function initialise(weight: Parameter, bias: Parameter | null): void {
  init.kaimingUniform_(weight, { a: Math.sqrt(5) });
  initialiseBias(weight, bias);
}
/** @internal */
export function initialiseBias(weight: Parameter, bias: Parameter | null): void {
  if (bias === null) return;
  const { fanIn } = init.calculateFans(weight);
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  init.uniform_(bias, -bound, bound);
}

/** @internal A parameter without values. It alone owns its memory: moved or disposed of, the memory goes at once. */
export function blankParameter(...shape: number[]): Parameter {
  const data = empty(shape), parameter = new Parameter(data);
  data.dispose();
  return parameter;
}
