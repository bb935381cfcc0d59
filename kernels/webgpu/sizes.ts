// The sizes of a problem as the WGSL of a kernel sees them. Hardware compilers make a loop over a known length faster, so there they are part of
// the text; SwiftShader's takes 0.1 to 0.5 s over each text of a convolution and gains nothing from them, so there they are parameters: one text
// serves all layers of a network. (ResNet-18 forward and backward: 32 texts of convolutions become 4, 11 s of compiling 2.)
import type { WebGPURuntime } from "./runtime.js";

export interface Sizes<Name extends string> {
  /** WGSL expressions of type u32; made when asked for, which a dispatch whose text is known does not. */
  readonly text: Readonly<Record<Name, string>>;
  /** What the dispatch's `constants` and `params` take. */
  readonly constants: readonly string[];
  readonly params: Readonly<Record<string, number>>;
}

export function sizesOf<Name extends string>(runtime: WebGPURuntime, values: Readonly<Record<Name, number>>): Sizes<Name> {
  return runtime.isSoftware ? asParameters(values) : asLiterals(values);
}

export function asLiterals<Name extends string>(values: Readonly<Record<Name, number>>): Sizes<Name> {
  return {
    get text() {
      return expressions(values, (_, value) => `${value}u`);
    },
    constants: [Object.values(values).join(",")], params: {},
  };
}

function asParameters<Name extends string>(values: Readonly<Record<Name, number>>): Sizes<Name> {
  return {
    get text() {
      return expressions(values, (name) => `params.${name}`);
    },
    constants: [], params: values,
  };
}

function expressions<Name extends string>(values: Readonly<Record<Name, number>>, write: (name: string, value: number) => string): Record<Name, string> {
  return Object.fromEntries(Object.entries<number>(values).map(([name, value]) => [name, write(name, value)])) as Record<Name, string>;
}
