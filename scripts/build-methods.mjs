// Writes engine/tensor/generated/: a tensor's methods, and the functions of the same names, that follow from the rows of kernels/elementwise.ts. What
// they do before their row runs stands in engine/tensor/rows.ts.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { importSource, writeWhole } from "./sources.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { elementwiseRows } = await importSource(join(root, "kernels/elementwise.ts"));
const rows = [...elementwiseRows.values()].filter(({ method }) => method !== null);
const header = "// Written by scripts/build-methods.mjs from the rows of kernels/elementwise.ts; do not edit.\n";

/** By the number of tensors and the row's kind: which of rows.ts runs it. */
const runners = {
  1: { float: "floating", arithmetic: "arithmetic", compare: "arithmetic", logic: "truth" },
  2: { float: "floatingPair", arithmetic: "arithmeticPair", compare: "comparison", logic: "truthPair" },
};

function methodOf({ name, inputs, kind, method }) {
  const runner = method.rounds ? "rounded" : runners[inputs]?.[kind];
  const parameters = Object.keys(method.parameters);
  if (runner === undefined || (parameters.length > 0 && inputs > 1)) {
    throw new Error(`kernels/elementwise.ts: ${name} is a row of ${inputs} inputs of kind "${kind}" with ${parameters.length} parameters; write its method by hand, in engine/tensor/arithmetic.ts, and the row as a part().`);
  }
  const doc = method.doc === "" ? "" : `  /** ${method.doc} */\n`;
  if (parameters.length > 0) {
    const x = kind === "float" ? 'this.cast("float32")' : "this";
    return `${doc}  ${name}(...given: Call<typeof takes.${name}>): Tensor { return ofRow("${name}", [${x}], takes.${name}.read(given)); }`;
  }
  if (inputs === 1) return `${doc}  ${name}(...none: []): Tensor { return ${runner}(this, "${name}", none); }`;
  return `${doc}  ${name}(...given: ${runner === "truthPair" ? "TensorCall" : "OperandCall"}): Tensor { return ${runner}(this, "${name}", given); }`;
}

function signatureOf({ name, method }) {
  const parameters = Object.entries(method.parameters).map(([parameter, initial]) => `["${parameter}", aFinite, ${initial}]`);
  return parameters.length === 0 ? [] : [`  ${name}: ofMethod("${name}", [${parameters.join(", ")}]),`];
}

function methods() {
  const text = rows.map(methodOf).join("\n"), used = [...new Set(Object.values(runners).flatMap(Object.values)), "rounded"].filter((name) => text.includes(`${name}(this`));
  return `${header}import { type Call, ofMethod } from "../../arguments.js";
import { aFinite } from "../../kinds.js";
import { ofRow } from "../core.js";
import { type OperandCall, type TensorCall, ${used.sort().join(", ")} } from "../rows.js";
import type { Tensor } from "../tensor.js";
import { TensorViews } from "../views.js";

const takes = {
${rows.flatMap(signatureOf).join("\n")}
};

export abstract class TensorRows extends TensorViews {
${text}
}
`;
}

function functions() {
  const lines = rows.map(({ name, method }) => `${method.doc === "" ? "" : `/** ${method.doc} */\n`}export const ${name} = /* @__PURE__ */ functionOf("${name}");`);
  return `${header}import { functionOf } from "../functionOf.js";\n\n${lines.join("\n")}\n`;
}

for (const [name, text] of Object.entries({ methods: methods(), functions: functions() })) writeWhole(join(root, "engine/tensor/generated", `${name}.ts`), text);
