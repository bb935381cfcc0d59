// The linear map with PyTorch's arguments. Next: fused.ts.
import { aTensor } from "../../engine/kinds.js";
import { Signature, taking } from "../arguments.js";
import { activatedLinear } from "./fused.js";

/** x·weightᵀ + bias for x [..., in], weight [out, in], bias [out]. */
export const linear = taking(new Signature("linear", [["input", aTensor], ["weight", aTensor], ["bias", aTensor, null]]), (x, weight, bias) =>
  activatedLinear(x, weight, bias, "none"),
);
