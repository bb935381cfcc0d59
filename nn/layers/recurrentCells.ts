// One step of RNN, LSTM and GRU as modules, for loops of one's own.
import { type Tensor, empty, tidy, zeros } from "../../engine/index.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape, sameShape } from "../../engine/shape.js";
import { aBoolean, aNumber } from "../../engine/kinds.js";
import { type Call, type Options, Signature, count, takesNothing } from "../arguments.js";
import { type RecurrentMode, type RecurrentState, gateCount, recurrentCell } from "../functional/recurrent.js";
import { Module } from "../module.js";
import { Parameter } from "../parameter.js";
import { type RnnNonlinearity, checkStates, initialiseRecurrent, nonlinearityArgument } from "./recurrentBase.js";

const cell = [["inputSize", aNumber], ["hiddenSize", aNumber], ["bias", aBoolean, true]] as const;
const lstm = new Signature("LSTMCell", cell), gru = new Signature("GRUCell", cell), rnn = new Signature("RNNCell", [...cell, nonlinearityArgument]);
export type RecurrentCellOptions = Pick<Options<typeof lstm>, "bias">;
export type RNNCellOptions = Pick<Options<typeof rnn>, "bias" | "nonlinearity">;

abstract class RNNCellBase extends Module {
  declare weight_ih: Parameter;
  declare weight_hh: Parameter;
  declare bias_ih: Parameter | null;
  declare bias_hh: Parameter | null;

  protected constructor(
    readonly mode: RecurrentMode, readonly inputSize: number, readonly hiddenSize: number, bias: boolean,
  ) {
    super();
    const name = new.target.name, rows = gateCount[mode] * hiddenSize;
    count(name, "inputSize", inputSize);
    count(name, "hiddenSize", hiddenSize, 1);
    this.weight_ih = new Parameter(empty(rows, inputSize));
    this.weight_hh = new Parameter(empty(rows, hiddenSize));
    this.bias_ih = bias ? new Parameter(empty(rows)) : null;
    this.bias_hh = bias ? new Parameter(empty(rows)) : null;
    this.resetParameters();
  }
  resetParameters(...none: []): void {
    takesNothing("resetParameters", none);
    initialiseRecurrent(this.parameters(), this.hiddenSize);
  }
  /** @internal One step for x [N, in] or [in], from states [N, H] or [H] (default zeros). */
  protected run(x: Tensor, initial: readonly Tensor[] | null | undefined): Tensor[] {
    const name = this.constructor.name, batched = x.ndim === 2;
    if ((x.ndim !== 1 && x.ndim !== 2) || x.size(-1) !== this.inputSize) {
      throw argumentError(
        name, `got an input of shape ${formatShape(x.shape)}; expected [N, in], or [in] without a batch, with in = ${this.inputSize}.`,
      );
    }
    checkStates(name, this.mode, initial);
    const wanted = batched ? [x.size(0), this.hiddenSize] : [this.hiddenSize];
    const odd = initial?.find((state) => !sameShape(state.shape, wanted));
    if (odd) {
      const got = `got a state of shape ${formatShape(odd.shape)}`;
      throw argumentError(name, `${got}; expected ${formatShape(wanted)} for an input of shape ${formatShape(x.shape)}.`);
    }
    return tidy(() => {
      const rows = (t: Tensor) => (batched ? t : t.unsqueeze(0));
      const [h = this.zeros(x), c = this.zeros(x)] = (initial ?? []).map(rows);
      const state: RecurrentState = this.mode === "LSTM" ? [h, c] : [h];
      const weights = { weightIh: this.weight_ih, weightHh: this.weight_hh, biasIh: this.bias_ih, biasHh: this.bias_hh };
      const next = recurrentCell(this.mode, rows(x), state, weights).filter((t) => t !== undefined);
      return batched ? next : next.map((t) => t.squeeze(0));
    });
  }
  private zeros(x: Tensor): Tensor {
    return zeros(x.ndim === 2 ? x.size(0) : 1, this.hiddenSize, { device: x.device });
  }
  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.bias_ih === null ? ", bias=False" : ""}`;
  }
}

/** h′ = tanh(x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh), or ReLU in tanh's place: RNNCell(inputSize, hiddenSize, bias, nonlinearity). */
export class RNNCell extends RNNCellBase {
  /** @internal */
  static readonly keeps = "nothing";
  readonly nonlinearity: RnnNonlinearity;
  constructor(...given: Call<typeof rnn>) {
    const [inputSize, hiddenSize, bias, nonlinearity] = rnn.read(given);
    super(nonlinearity === "tanh" ? "RNN_TANH" : "RNN_RELU", inputSize, hiddenSize, bias);
    this.nonlinearity = nonlinearity;
  }
  /** h′ [N, H] from x [N, in] and h [N, H]; both without N for a single sample. */
  forward(x: Tensor, h?: Tensor | null): Tensor {
    return only(this.run(x, h && [h]));
  }
  override extraRepr(): string {
    return super.extraRepr() + (this.nonlinearity === "tanh" ? "" : `, nonlinearity=${this.nonlinearity}`);
  }
}

/** One step of an LSTM: LSTMCell(inputSize, hiddenSize, bias). */
export class LSTMCell extends RNNCellBase {
  /** @internal */
  static readonly keeps = "something";
  constructor(...given: Call<typeof lstm>) {
    super("LSTM", ...lstm.read(given));
  }
  /** [h′, c′] from x and [h, c]. */
  forward(x: Tensor, state?: readonly [h: Tensor, c: Tensor] | null): [h: Tensor, c: Tensor] {
    const next = this.run(x, state), [h, c] = next;
    if (h === undefined || c === undefined) throw argumentError("LSTMCell", `ended with ${next.length} states.`);
    return [h, c];
  }
}

/** One step of a GRU: GRUCell(inputSize, hiddenSize, bias). */
export class GRUCell extends RNNCellBase {
  /** @internal */
  static readonly keeps = "nothing";
  constructor(...given: Call<typeof gru>) {
    super("GRU", ...gru.read(given));
  }
  /** h′ from x and h. */
  forward(x: Tensor, h?: Tensor | null): Tensor {
    return only(this.run(x, h && [h]));
  }
}

function only([h]: readonly Tensor[]): Tensor {
  if (h === undefined) throw argumentError("recurrent cell", "ended without a state.");
  return h;
}
