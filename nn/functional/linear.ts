// The linear map as a function, with PyTorch's arguments.
import { linear as engineLinear } from "../../engine/functions.js";
import { aTensor } from "../../engine/kinds.js";
import { Signature, taking } from "../arguments.js";

/** x·weightᵀ + bias for x [..., in], weight [out, in], bias [out]. */
export const linear = taking(new Signature("linear", [["input", aTensor], ["weight", aTensor], ["bias", aTensor, null]]), (x, weight, bias) => engineLinear(x, weight, bias));
