// The end of a sum that was shared out among workgroups: out[i] = act(Σ of the parts' i-th numbers, in the parts' order, + bias of its column), so
// the same bits every time.
import { numel } from "../shape.js";
import type { Activation, View } from "../types.js";
import { dispatchElements } from "./kernelCall.js";
import type { WebGPURuntime } from "./runtime.js";
import { activate, reluCode } from "./tiles.js";

interface Epilogue {
  readonly bias: View | null;
  readonly activation: Activation;
}

/** `partial` holds `parts` sums of out's length one after the other; it is scratch that the caller releases. `columns`: length of the bias. */
export function addParts(
  runtime: WebGPURuntime, name: string, out: View, partial: View, parts: number, columns = 1, { bias, activation }: Epilogue = { bias: null, activation: "none" },
): void {
  dispatchElements(runtime, numel(out.shape), {
    name,
    constants: [bias !== null, activation],
    inputs: { partial, bias },
    outputs: { out },
    params: { columns, parts },
    helpers: reluCode,
    body: () => `
  var value = 0.0;
  for (var part = 0u; part < params.parts; part++) { value += partial[part * params.count + i]; }
  out[i] = ${activate(bias ? "value + bias[params.biasOffset + i % params.columns]" : "value", activation)};`,
  });
}
