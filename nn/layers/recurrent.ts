// RNN, LSTM and GRU over whole sequences. Formulas stand in functional/recurrent.ts, what the three share in recurrentBase.ts.
import type { Tensor } from "../../engine/index.js";
import { argumentError } from "../../engine/scope.js";
import { type Call, type Options, Signature } from "../arguments.js";
import { RNNBase, type RecurrentParameters, type RnnNonlinearity, nonlinearityArgument, recurrentChoices, recurrentParameters, recurrentSizes } from "./recurrentBase.js";

export type { RecurrentOptions, RnnNonlinearity } from "./recurrentBase.js";

const parameters = new Signature("RNN", [...recurrentSizes, nonlinearityArgument, ...recurrentChoices]);
export type RNNOptions = Omit<Options<typeof parameters>, "inputSize" | "hiddenSize">;

/** Elman's network: h′ = tanh(x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh), or ReLU in tanh's place. RNN(inputSize, hiddenSize, numLayers, nonlinearity,
 *  bias, batchFirst, dropout, bidirectional), or an options object in place of any tail. */
export class RNN extends RNNBase {
  /** @internal */
  static readonly keeps = "something";
  readonly nonlinearity: RnnNonlinearity;
  constructor(...given: Call<typeof parameters>) {
    const [inputSize, hiddenSize, numLayers, nonlinearity, ...choices] = parameters.read(given);
    super(nonlinearity === "tanh" ? "RNN_TANH" : "RNN_RELU", inputSize, hiddenSize, numLayers, ...choices);
    this.nonlinearity = nonlinearity;
  }
  /** x [L, N, in] ([N, L, in] where batchFirst, [L, in] without a batch), h0 [D·numLayers, N, H] (default zeros), D the number of directions.
   *  Gives [output [L, N, D·H], hn [D·numLayers, N, H]]. */
  forward(x: Tensor, h0?: Tensor | null): [output: Tensor, hn: Tensor] {
    const { output, states } = this.run(x, h0 && [h0]);
    return [output, ended(states, 0)];
  }
}

/** Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate). LSTM(inputSize, hiddenSize, numLayers, bias, batchFirst,
 *  dropout, bidirectional), or an options object in place of any tail. */
export class LSTM extends RNNBase {
  /** @internal */
  static readonly keeps = "something";
  constructor(...given: Call<RecurrentParameters>) {
    super("LSTM", ...recurrentParameters("LSTM").read(given));
  }
  /** As RNN's, with the cell's state beside the hidden one: [output, [hn, cn]] from x and [h0, c0]. */
  forward(x: Tensor, initial?: readonly [h0: Tensor, c0: Tensor] | null): [output: Tensor, state: [hn: Tensor, cn: Tensor]] {
    const { output, states } = this.run(x, initial);
    return [output, [ended(states, 0), ended(states, 1)]];
  }
}

/** Gated recurrent units (Cho et al. 2014), the reset gate after the product as in PyTorch. GRU(inputSize, hiddenSize, numLayers, bias,
 *  batchFirst, dropout, bidirectional), or an options object in place of any tail. */
export class GRU extends RNNBase {
  /** @internal */
  static readonly keeps = "something";
  constructor(...given: Call<RecurrentParameters>) {
    super("GRU", ...recurrentParameters("GRU").read(given));
  }
  /** As RNN's. */
  forward(x: Tensor, h0?: Tensor | null): [output: Tensor, hn: Tensor] {
    const { output, states } = this.run(x, h0 && [h0]);
    return [output, ended(states, 0)];
  }
}

function ended(states: readonly Tensor[], index: number): Tensor {
  const state = states[index];
  if (state === undefined) throw argumentError("recurrent layer", `ended without state ${index}.`);
  return state;
}
