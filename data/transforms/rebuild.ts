// Descriptions back to transforms: how a worker thread makes what the main thread has.
import { type Call, Signature } from "../../engine/arguments.js";
import { kind } from "../../engine/kinds.js";
import { ArgumentError } from "../../kernels/errors.js";
import { ColorJitter, GaussianBlur, Grayscale, RandomGrayscale } from "./color.js";
import { Compose, RandomApply, RandomChoice } from "./compose.js";
import {
  CenterCrop, Pad, RandomAffine, RandomCrop, RandomHorizontalFlip, RandomResizedCrop, RandomRotation, RandomVerticalFlip, Resize,
} from "./geometry.js";
import type { Transform, TransformDescription } from "./transform.js";
import { Normalize, PILToTensor, RandomErasing, ToTensor } from "./values.js";

type Step = Transform<unknown, unknown>;

/** Those that are made of numbers and texts. */
const simple = {
  CenterCrop, ColorJitter, GaussianBlur, Grayscale, Normalize, Pad, PILToTensor, RandomAffine, RandomCrop, RandomErasing, RandomGrayscale,
  RandomHorizontalFlip, RandomResizedCrop, RandomRotation, RandomVerticalFlip, Resize, ToTensor,
};
/** Those whose first argument is a list of transforms. */
const composite = { Compose, RandomApply, RandomChoice };

const rebuilding = new Signature("rebuild", [["description", kind<TransformDescription>("a transform's description { name, args }", isDescription, { plain: true })]]);
/** The transform that a description describes. */
export function rebuild(...given: Call<typeof rebuilding>): Step {
  const [description] = rebuilding.read(given);
  return rebuilt(description);
}
function isDescription(value: unknown): boolean {
  return typeof value === "object" && value !== null && "name" in value && "args" in value && Array.isArray(value.args) && Object.keys(value).length === 2;
}
function rebuilt({ name, args }: TransformDescription): Step {
  const construct = has(simple, name) ? simple[name] : has(composite, name) ? composite[name] : undefined;
  if (construct === undefined) throw new ArgumentError(`transforms: got a description of ${JSON.stringify(name)}; no transform has this name.`);
  const [first, ...rest] = args;
  const whole = has(composite, name) ? [(first as readonly TransformDescription[]).map(rebuilt), ...rest] : args;
  return (construct as (...args: readonly unknown[]) => Step)(...whole);
}

function has<Table extends object>(table: Table, name: PropertyKey): name is keyof Table {
  return Object.hasOwn(table, name);
}
