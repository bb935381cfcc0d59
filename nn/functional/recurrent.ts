// Recurrent cells as functions, and a whole sequence through one of them. The product with the inputs is made once for all steps; what is left
// for a step is the product with its hidden state and the gates.
import { type Tensor, stack } from "../../engine/index.js";
import { argumentError } from "../../engine/scope.js";
import { ofRow } from "../../engine/tensor/core.js";
import { linear } from "./linear.js";

export type RecurrentMode = "RNN_TANH" | "RNN_RELU" | "LSTM" | "GRU";

/** weightIh [gates·H, in], weightHh [gates·H, H], biases [gates·H]. Gates in PyTorch's order: i, f, g, o for LSTM, r, z, n for GRU. */
export interface RecurrentWeights {
  readonly weightIh: Tensor;
  readonly weightHh: Tensor;
  readonly biasIh: Tensor | null;
  readonly biasHh: Tensor | null;
}
/** What a step hands to the next, [N, H] each: h, or for an LSTM h and c. */
export type RecurrentState = readonly [h: Tensor, c?: Tensor];

export const gateCount: Readonly<Record<RecurrentMode, number>> = { RNN_TANH: 1, RNN_RELU: 1, LSTM: 4, GRU: 3 };

/** c′ = σ(f)·c + σ(i)·tanh(g), h′ = σ(o)·tanh(c′), from the gates' sums [N, 4H] before their activations. Specification: the same in
 *  sigmoid, tanh, mul and add. */
function lstmStep(gates: Tensor, c: Tensor): RecurrentState {
  const [i, f, g, o] = pieces(gates, 4);
  const next = ofRow("lstmCell", [i, f, g, c]);
  return [ofRow("lstmHidden", [o, next]), next];
}

/** r = σ(x_r + h_r), z = σ(x_z + h_z), n = tanh(x_n + r·h_n), h′ = (1 − z)·n + z·h, from the products [N, 3H] of input and hidden state. */
function gruStep(fromInput: Tensor, fromHidden: Tensor, h: Tensor): RecurrentState {
  const size = h.size(-1);
  const [xGates, xn] = parts(fromInput, [2 * size, size]), [hGates, hn] = parts(fromHidden, [2 * size, size]);
  const [r, z] = parts(xGates.add(hGates), [size, size]);
  return [ofRow("gruHidden", [z, ofRow("gruCandidate", [r, xn, hn]), h])];
}

function pieces(x: Tensor, count: 4): [Tensor, Tensor, Tensor, Tensor] {
  return x.chunk(count, -1) as [Tensor, Tensor, Tensor, Tensor];
}
function parts(x: Tensor, sizes: readonly [number, number]): [Tensor, Tensor] {
  return x.split(sizes, -1) as [Tensor, Tensor];
}

/** One step from the input's product, which holds the biases that can be added before (see inputProduct). */
function step(mode: RecurrentMode, fromInput: Tensor, state: RecurrentState, weights: RecurrentWeights): RecurrentState {
  const [h, c] = state;
  if (mode === "GRU") return gruStep(fromInput, linear(h, weights.weightHh, weights.biasHh), h);
  const sum = fromInput.add(linear(h, weights.weightHh));
  if (mode === "RNN_TANH") return [sum.tanh()];
  if (mode === "RNN_RELU") return [sum.relu()];
  if (c === undefined) throw argumentError("LSTM", "got a hidden state without a cell state; expected [h, c].");
  return lstmStep(sum, c);
}

/** x·weightIhᵀ + biases, for one step or for all of them. GRU's second bias stands inside a product with a gate and stays with the step. */
function inputProduct(mode: RecurrentMode, x: Tensor, { weightIh, biasIh, biasHh }: RecurrentWeights): Tensor {
  return linear(x, weightIh, mode === "GRU" || biasIh === null || biasHh === null ? biasIh : biasIh.add(biasHh));
}

/** One step for x [N, in] from `state`. */
export function recurrentCell(mode: RecurrentMode, x: Tensor, state: RecurrentState, weights: RecurrentWeights): RecurrentState {
  return step(mode, inputProduct(mode, x, weights), state, weights);
}

/** All steps of x [L, N, in], last to first where `reverse`: the hidden states [L, N, H] in the order of x, and the last state. */
export function recurrentLayer(
  mode: RecurrentMode, x: Tensor, initial: RecurrentState, weights: RecurrentWeights, reverse: boolean,
): { readonly output: Tensor; readonly last: RecurrentState } {
  const products = inputProduct(mode, x, weights).unbind(0);
  const hidden: Tensor[] = [];
  let state = initial;
  for (const fromInput of reverse ? products.toReversed() : products) {
    state = step(mode, fromInput, state, weights);
    hidden.push(state[0]);
  }
  return { output: stack(reverse ? hidden.toReversed() : hidden), last: state };
}
