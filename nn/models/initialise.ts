// What the classic networks share: layers made without initial values, and one walk at the end that fills each of them by the network's rule,
// so that no weight is drawn twice.
import { Conv2d, type Conv2dLayerOptions } from "../layers/conv.js";
import { Linear } from "../layers/linear.js";
import { aBoolean, aNumber } from "../../engine/kinds.js";
import { type Size2, count } from "../arguments.js";
import type { Module } from "../module.js";
import { skipInit } from "../skipInit.js";

export interface ClassifierOptions {
  /** How many logits. Default 1000, ImageNet's classes. */
  readonly numClasses?: number;
  /** With false the weights stay what memory held, for a model whose state dict is loaded at once. Default true. */
  readonly initialize?: boolean;
}

/** @internal A convolution without initial values. */
export function conv(inChannels: number, outChannels: number, kernelSize: Size2, options: Conv2dLayerOptions = {}): Conv2d {
  return skipInit(Conv2d, inChannels, outChannels, kernelSize, options);
}
/** @internal A linear layer without initial values. */
export function linear(inFeatures: number, outFeatures: number): Linear {
  return skipInit(Linear, inFeatures, outFeatures);
}

/** @internal What every network takes: how many logits (by default ImageNet's classes), and, by name alone, whether the weights are drawn. */
export const numClassesArgument = ["numClasses", aNumber, 1000] as const;
export const initializeArgument = ["initialize", aBoolean, true] as const;
/** @internal */
export function classes(network: string, numClasses: number): number {
  return count(network, "numClasses", numClasses, 1);
}

/** @internal Fills the layers in order, unless the options say otherwise. A layer without a rule starts as it does by itself. */
export function initialise(
  network: Module, wanted: boolean, rules: { readonly conv?: (layer: Conv2d) => void; readonly linear?: (layer: Linear) => void } = {},
): void {
  if (!wanted) return;
  // Batch norms were made with their ones and zeros.
  for (const module of network.modules()) {
    if (module instanceof Conv2d) (rules.conv ?? reset)(module);
    else if (module instanceof Linear) (rules.linear ?? reset)(module);
  }
}

function reset(layer: Conv2d | Linear): void {
  layer.resetParameters();
}
