// What a module's fields may be assigned: PyTorch's __setattr__. A field that holds a parameter goes on holding one (or null), a submodule's a
// module, a buffer's a tensor; anything else is a sentence, for the module would train, move and save without it and say nothing.
import { ArgumentError } from "../kernels/errors.js";
import type { Tensor } from "../engine/index.js";
import { aTensor } from "../engine/kinds.js";
import { shown } from "../engine/spelling.js";
import { formatShape } from "../engine/shape.js";
import { Callable } from "./callable.js";
import { Parameter } from "./parameter.js";

export interface Field {
  kind: "parameter" | "module" | "buffer";
  value: unknown;
}
export interface BufferField extends Field {
  value: Tensor | null;
  readonly persistent: boolean;
  readonly onHost: boolean;
}

/** What kind of field a value makes; null for what is an ordinary property. */
export function fieldKind(value: unknown): "parameter" | "module" | null {
  if (value instanceof Parameter) return "parameter";
  return value instanceof Callable ? "module" : null;
}

/** The tensor in a module's own field, null where there is none. */
export function ownTensor(module: object, name: string): Tensor | null {
  const value: unknown = Object.hasOwn(module, name) ? Reflect.get(module, name) : null;
  return aTensor.takes(value) ? value : null;
}

/** The fields of one module whose assignments are checked, in the order in which they were declared. */
export class Fields {
  readonly #fields = new Map<string, Field>();
  /** Those known to be under guard for good: a class's field initialisers write past any setter, but only while it is constructed. */
  readonly #settled = new Set<string>();

  constructor(readonly owner: object) {}

  isBuffer(name: string): boolean {
    return this.#fields.get(name)?.kind === "buffer";
  }
  /** Makes `name` a property of the owner whose assignments are checked. */
  declare(name: string, field: Field | BufferField): void {
    const { owner } = this;
    this.#fields.set(name, field);
    Object.defineProperty(owner, name, {
      enumerable: true,
      configurable: true,
      get: () => field.value,
      set: (value: unknown) => {
        field.kind = checkedKind(owner, name, field.kind, value);
        field.value = value;
      },
    });
  }
  /** The owner's own properties; those that hold members are checked from now on. */
  entries(): [string, unknown][] {
    const entries = Object.entries(this.owner);
    for (const [name, value] of entries) if (!this.#settled.has(name)) this.#settle(name, value);
    return entries;
  }
  #settle(name: string, value: unknown): void {
    if (Object.getOwnPropertyDescriptor(this.owner, name)?.set === undefined) {
      const known = this.#fields.get(name), kind = fieldKind(value);
      if (known) {
        this.declare(name, known);
        if (value !== undefined && value !== known.value) Reflect.set(this.owner, name, value);
      } else if (kind !== null) this.declare(name, { kind, value });
    }
    if (this.#fields.has(name)) this.#settled.add(name);
  }
  /** The buffers, and how each was registered. */
  buffers(): [string, BufferField][] {
    this.entries();
    return [...this.#fields].filter((entry): entry is [string, BufferField] => entry[1].kind === "buffer" && Object.hasOwn(this.owner, entry[0]));
  }
  /** Gives another module's fields the same members, as `copy` makes them, and the same ordinary properties. */
  copyInto(made: Fields, copy: <V>(value: V) => V): void {
    for (const [name, value] of this.entries()) {
      const field = this.#fields.get(name);
      if (field) made.declare(name, { ...field, value: copy(field.value) });
      else Object.defineProperty(made.owner, name, { value: copy(value), enumerable: true, writable: true, configurable: true });
    }
  }
}

const expected = {
  parameter: "a Parameter or null", module: "a Module or null", buffer: "a Tensor or null",
};

/** The field's kind once the value is in it; throws where the value does not belong there. */
function checkedKind(owner: object, name: string, kind: Field["kind"], value: unknown): Field["kind"] {
  if (value instanceof Parameter) return "parameter";
  if (value === null) return kind;
  if (kind !== "parameter" && value instanceof Callable) return "module";
  if (kind === "buffer" && aTensor.takes(value)) return kind;
  const got = aTensor.takes(value) ? `a Tensor of shape ${formatShape(value.shape)}` : shown(value);
  const hint = kind === "parameter" && aTensor.takes(value)
    ? `; wrap it, layer.${name} = new nn.Parameter(tensor), or change the values, noGrad(() => layer.${name}.copy_(tensor))`
    : "";
  throw new ArgumentError(`${owner.constructor.name}: cannot assign ${got} as ${kind} "${name}" (${expected[kind]} expected)${hint}.`);
}
