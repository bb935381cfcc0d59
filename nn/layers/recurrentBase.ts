// What RNN, LSTM and GRU share: parameters by PyTorch's names, the shapes of input and state, layers on top of each other, both directions.
import { type Tensor, cat, empty, stack, tidy, zeros } from "../../engine/index.js";
import { argumentError } from "../../engine/scope.js";
import { formatShape, sameShape } from "../../engine/shape.js";
import { shown } from "../../engine/spelling.js";
import { aBoolean, aCount, aNumber, aShare, oneOf, tensors } from "../../engine/kinds.js";
import { type Options, Signature, type Values, count, probability, takesNothing } from "../arguments.js";
import { pythonNumber } from "../describe.js";
import { dropout } from "../functional/dropout.js";
import { type RecurrentMode, type RecurrentState, type RecurrentWeights, gateCount, recurrentLayer } from "../functional/recurrent.js";
import * as init from "../init.js";
import { Module } from "../module.js";
import { Parameter } from "../parameter.js";

/** @internal How the layers are called. numLayers: layers on top of each other; batchFirst: input and output are [N, L, …] instead of
 *  [L, N, …], the states are not; dropout: on the outputs of every layer but the last, in training; bidirectional: a second set of weights
 *  walks the sequence from its end, and outputs are joined. */
export const recurrentSizes = [["inputSize", aNumber], ["hiddenSize", aNumber], ["numLayers", aCount(1, 2 ** 16), 1]] as const;
export const recurrentChoices = [["bias", aBoolean, true], ["batchFirst", aBoolean, false], ["dropout", aShare, 0], ["bidirectional", aBoolean, false]] as const;
export type RnnNonlinearity = "tanh" | "relu";
/** @internal RNN's and RNNCell's. */
export const nonlinearityArgument = ["nonlinearity", oneOf("tanh", "relu"), "tanh"] as const;
const parameters = [...recurrentSizes, ...recurrentChoices] as const;
export type RecurrentParameters = Signature<typeof parameters>;
export const recurrentParameters = (callee: string): RecurrentParameters => new Signature(callee, parameters);
export type RecurrentOptions = Omit<Options<RecurrentParameters>, "inputSize" | "hiddenSize">;

/** Refuses initial states that are no tensors, of an LSTM without a list around them. */
export function checkStates(layer: string, mode: RecurrentMode, initial: readonly unknown[] | null | undefined): void {
  if (initial === null || initial === undefined || tensors.takes(initial)) return;
  const [only] = mode === "LSTM" ? [initial] : initial, expected = mode === "LSTM" ? "a list of two tensors, [h, c]" : "a tensor";
  throw argumentError(layer, `got ${shown(only)} as the initial state; expected ${expected}${only instanceof Promise ? " (await it first)" : ""}.`);
}

/** Every parameter uniform within ±1/√hiddenSize. */
export function initialiseRecurrent(parameters: readonly Parameter[], hiddenSize: number): void {
  const bound = hiddenSize > 0 ? 1 / Math.sqrt(hiddenSize) : 0;
  for (const parameter of parameters) init.uniform_(parameter, -bound, bound);
}

/** The parameter that a field of this name holds, null where there is none (without biases). */
export function parameterNamed(module: Module, name: string): Parameter | null {
  const value: unknown = Reflect.get(module, name);
  return value instanceof Parameter ? value : null;
}
export function neededParameter(module: Module, name: string): Parameter {
  const found = parameterNamed(module, name);
  if (found === null) throw argumentError(module.constructor.name, `has no parameter ${name}; expected it to keep those it was built with.`);
  return found;
}

export abstract class RNNBase extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;

  protected constructor(readonly mode: RecurrentMode, ...values: Values<typeof parameters>) {
    super();
    const [inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional] = values, name = new.target.name;
    this.inputSize = count(name, "inputSize", inputSize);
    this.hiddenSize = count(name, "hiddenSize", hiddenSize, 1);
    this.numLayers = count(name, "numLayers", numLayers, 1);
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = probability(name, dropout);
    this.bidirectional = bidirectional;
    const rows = gateCount[mode] * hiddenSize;
    for (let layer = 0; layer < this.numLayers; layer++) {
      const columns = layer === 0 ? inputSize : hiddenSize * this.directions;
      for (const suffix of this.suffixes(layer)) {
        this.registerParameter(`weight_ih_${suffix}`, new Parameter(empty(rows, columns)));
        this.registerParameter(`weight_hh_${suffix}`, new Parameter(empty(rows, hiddenSize)));
        if (!this.bias) continue;
        this.registerParameter(`bias_ih_${suffix}`, new Parameter(empty(rows)));
        this.registerParameter(`bias_hh_${suffix}`, new Parameter(empty(rows)));
      }
    }
    this.resetParameters();
  }
  resetParameters(...none: []): void {
    takesNothing("resetParameters", none);
    initialiseRecurrent(this.parameters(), this.hiddenSize);
  }
  private get directions(): number {
    return this.bidirectional ? 2 : 1;
  }
  /** "l0", and "l0_reverse" where both directions are walked. */
  private suffixes(layer: number): string[] {
    return this.bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`];
  }
  /** The parameters of each layer and direction, in PyTorch's order. */
  get allWeights(): Parameter[][] {
    const suffixes = Array.from({ length: this.numLayers }, (_, layer) => this.suffixes(layer)).flat();
    const kinds = this.bias ? ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] : ["weight_ih", "weight_hh"];
    return suffixes.map((suffix) => kinds.map((kind) => neededParameter(this, `${kind}_${suffix}`)));
  }
  private weights(suffix: string): RecurrentWeights {
    return {
      weightIh: neededParameter(this, `weight_ih_${suffix}`), weightHh: neededParameter(this, `weight_hh_${suffix}`),
      biasIh: parameterNamed(this, `bias_ih_${suffix}`), biasHh: parameterNamed(this, `bias_hh_${suffix}`),
    };
  }

  /** @internal The output and the last states [D·numLayers, N, H], from the initial ones (zeros where none is given); unbatched where x is. */
  protected run(x: Tensor, initial: readonly Tensor[] | null | undefined): { output: Tensor; states: Tensor[] } {
    const name = this.constructor.name, batched = x.ndim === 3;
    if ((x.ndim !== 2 && x.ndim !== 3) || x.size(-1) !== this.inputSize) {
      const order = this.batchFirst ? "[N, L, in]" : "[L, N, in]";
      throw argumentError(
        name, `got an input of shape ${formatShape(x.shape)}; expected ${order}, or [L, in] without a batch, with in = ${this.inputSize}.`,
      );
    }
    checkStates(name, this.mode, initial);
    return tidy(() => {
      const sequence = !batched ? x.unsqueeze(1) : this.batchFirst ? x.transpose(0, 1) : x;
      if (sequence.size(0) === 0) {
        throw argumentError(name, `got an input of shape ${formatShape(x.shape)}; expected a sequence of at least one step.`);
      }
      const states = this.initialStates(sequence, batched, initial);
      const { output, last } = this.layers(sequence, states);
      if (!batched) return { output: output.squeeze(1), states: last.map((state) => state.squeeze(1)) };
      return { output: this.batchFirst ? output.transpose(0, 1) : output, states: last };
    });
  }

  /** Checked, and with a batch. */
  private initialStates(sequence: Tensor, batched: boolean, initial: readonly Tensor[] | null | undefined): Tensor[] {
    const wanted = [this.directions * this.numLayers, sequence.size(1), this.hiddenSize];
    const names = this.mode === "LSTM" ? ["h0", "c0"] : ["h0"];
    return names.map((role, i) => {
      if (initial === undefined || initial === null) return zeros(wanted, { device: sequence.device });
      const state = initial[i], expected = batched ? wanted : wanted.toSpliced(1, 1);
      if (state === undefined || !sameShape(state.shape, expected)) {
        const got = state === undefined ? "nothing" : `shape ${formatShape(state.shape)}`;
        const meaning = batched ? "[D·numLayers, N, H]" : "[D·numLayers, H]";
        throw argumentError(this.constructor.name, `got ${got} for ${role}; expected ${formatShape(expected)}: ${meaning}.`);
      }
      return batched ? state : state.unsqueeze(1);
    });
  }

  private layers(sequence: Tensor, initial: readonly Tensor[]): { output: Tensor; last: Tensor[] } {
    const entries = initial.map((state) => state.unbind(0));
    const last: Tensor[][] = initial.map(() => []);
    let output = sequence, place = 0;
    for (let layer = 0; layer < this.numLayers; layer++) {
      if (layer > 0 && this.dropout > 0) output = dropout(output, this.dropout, this.training);
      const input = output;
      const walks = this.suffixes(layer).map((suffix, direction) => {
        const walk = recurrentLayer(this.mode, input, stateOf(entries, place++), this.weights(suffix), direction === 1);
        last.forEach((states, i) => states.push(...walk.last.slice(i, i + 1).filter((state) => state !== undefined)));
        return walk.output;
      });
      const [first] = walks;
      if (first === undefined) break;
      output = walks.length === 1 ? first : cat(walks, 2);
    }
    return { output, last: last.map((states) => stack(states)) };
  }

  override extraRepr(): string {
    const { numLayers, bias, batchFirst, dropout, bidirectional } = this;
    return (
      `${this.inputSize}, ${this.hiddenSize}` + (numLayers === 1 ? "" : `, num_layers=${numLayers}`) + (bias ? "" : ", bias=False") +
      (batchFirst ? ", batch_first=True" : "") + (dropout === 0 ? "" : `, dropout=${pythonNumber(dropout, true)}`) +
      (bidirectional ? ", bidirectional=True" : "")
    );
  }
}

/** The state of one layer and direction. */
function stateOf(entries: readonly (readonly Tensor[])[], place: number): RecurrentState {
  const h = entries[0]?.[place], c = entries[1]?.[place];
  if (h === undefined) throw argumentError("recurrent layer", `there is no initial state ${place}.`);
  return c === undefined ? [h] : [h, c];
}
