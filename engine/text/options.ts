// How tensors print: torch.set_printoptions.
import { Signature, taking } from "../arguments.js";
import { aBoolean, aNumber, oneOf, orNull } from "../kinds.js";
import { argumentError } from "../scope.js";

export interface PrintOptions {
  /** Digits after the point. Default 4. */
  readonly precision?: number;
  /** Tensors of more elements are summarised. Default 1000. */
  readonly threshold?: number;
  /** How many entries a summary shows at each end of a dimension. Default 3. */
  readonly edgeitems?: number;
  /** Characters in a line. Default 80. */
  readonly linewidth?: number;
  /** 1.0000e+00 always or never; null, the default, decides by the values. */
  readonly sciMode?: boolean | null;
  /** Where the others start from: "default", "short" (precision 2, edgeitems 2) or "full" (nothing is summarised). */
  readonly profile?: "default" | "short" | "full";
}

type Settings = Required<Omit<PrintOptions, "profile">>;

const defaults = { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80 };
const profiles = { default: defaults, short: { ...defaults, precision: 2, edgeitems: 2 }, full: { ...defaults, threshold: Infinity } };

let settings: Settings = { ...defaults, sciMode: null };

export function printOptions(): Settings {
  return settings;
}

const printing = new Signature("setPrintoptions", [
  ["precision", aNumber, undefined], ["threshold", aNumber, undefined], ["edgeitems", aNumber, undefined], ["linewidth", aNumber, undefined],
  ["profile", oneOf("default", "short", "full"), undefined], ["sciMode", orNull(aBoolean), undefined],
]);
/** Changes how tensors print from now on; what is left out stays, but sciMode, which goes back to null as in PyTorch. */
export const setPrintoptions = taking(printing, (precision, threshold, edgeitems, linewidth, profile, sciMode): void => {
  const named = { precision, threshold, edgeitems, linewidth, sciMode };
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  const next: Settings = { ...settings, ...(profile && profiles[profile]), sciMode: null, ...given };
  for (const [name, least] of [["precision", 0], ["edgeitems", 1], ["linewidth", 1]] as const) {
    if (!Number.isInteger(next[name]) || next[name] < least) throw argumentError("setPrintoptions", `got ${name} ${next[name]}; expected a whole number of at least ${least}.`);
  }
  if (!(next.threshold >= 0)) throw argumentError("setPrintoptions", `got threshold ${next.threshold}; expected a number of at least 0, or Infinity.`);
  settings = next;
});
