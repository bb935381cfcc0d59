// Transforms made of transforms.
import { type Draws, StreamDraws } from "../draws.js";
import { hostValues, type HostTensor, type Image, isHostTensor } from "../image.js";
import { ArgumentError } from "../../kernels/errors.js";
import { type Given, type MayBe, type Needed, probability, Signature } from "../../engine/arguments.js";
import { noGrad, Tensor, tensor } from "../../engine/index.js";
import { aFunction, aNumber, listOf, numbers } from "../../engine/kinds.js";
import {
  chancy, describeAll, fixed, type ImageTransform, isRandom, type Transform, type TransformDescription, type ValueTransform,
} from "./transform.js";

type Step = Transform<unknown, unknown>;

/** What a list of transforms makes of Input; never where one cannot take what the one before gives. */
type MadeBy<Steps extends readonly unknown[], Input> = Steps extends readonly [infer First, ...infer Rest] ? MadeBy<Rest, MadeByOne<First, Input>> : Input;
type MadeByOne<One, Input> = One extends ImageTransform ? (Input extends Image | HostTensor | Tensor ? Input : never)
  : One extends ValueTransform ? (Input extends HostTensor | Tensor ? Input : never)
  : One extends Transform<infer Taken, infer Given> ? (Input extends Taken ? Given : never) : never;
/** What the first transform takes that does not take every image. */
type TakenBy<Steps extends readonly unknown[]> = Steps extends readonly [infer First, ...infer Rest]
  ? First extends ImageTransform ? TakenBy<Rest> : First extends Transform<infer Taken, unknown> ? Taken : never
  : Image;

const transformList = listOf("a list of transforms", aFunction<Transform<unknown, unknown>>());
type Listed<Transforms> = Transforms | { readonly transforms: Transforms };
const composing = new Signature("Compose", [["transforms", transformList]]);
/** One transform after the other: any number that keep an image an image, then at most four that change what it is. Step i draws from part i
 *  of the sample's draws. Those that keep what an image is (Resize, flips) may stand anywhere. */
export function Compose(transforms: Listed<readonly ImageTransform[]>): ImageTransform;
export function Compose(transforms: Listed<readonly ValueTransform[]>): ValueTransform;
export function Compose<A, B>(transforms: Listed<readonly [...Transform<A, A>[], Transform<A, B>]>): Transform<A, B>;
export function Compose<A, B, C>(transforms: Listed<readonly [...Transform<A, A>[], Transform<A, B>, Transform<B, C>]>): Transform<A, C>;
export function Compose<A, B, C, D>(
  transforms: Listed<readonly [...Transform<A, A>[], Transform<A, B>, Transform<B, C>, Transform<C, D>]>,
): Transform<A, D>;
export function Compose<A, B, C, D, E>(
  transforms: Listed<readonly [...Transform<A, A>[], Transform<A, B>, Transform<B, C>, Transform<C, D>, Transform<D, E>]>,
): Transform<A, E>;
export function Compose<const Steps extends readonly Transform<never, unknown>[]>(
  transforms: Steps & (MadeBy<Steps, TakenBy<Steps>> extends never ? never : Steps),
): Transform<TakenBy<Steps>, MadeBy<Steps, TakenBy<Steps>>>;
export function Compose<A>(transforms: Listed<readonly Transform<A, A>[]>): Transform<A, A>;
export function Compose(...given: unknown[]): Transform<never, unknown> {
  const [steps] = composing.read(given); // the overloads saw to it that each takes what the one before gives
  const inner = describeAll(steps);
  const properties = {
    pointwise: steps.every((step) => step.pointwise === true),
    description: inner && { name: "Compose", args: [inner] },
    text: `Compose(${steps.map(String).join(", ")})`,
    steps,
  };
  if (!steps.some(isRandom)) return fixed((input: unknown) => steps.reduce((value, step) => step(value), input), properties);
  return chancy((input: unknown, draws) => runSteps(steps, input, draws, 0), properties);
}

/** Steps `first` to the end, on what the steps before them made. */
export function runSteps(steps: readonly Step[], input: unknown, draws: Draws, first: number): unknown {
  return steps.slice(first).reduce<unknown>((value, step, i) => step(value, draws.fork(first + i)), input);
}

/** A transform split in two: what worker threads can make again, as descriptions, and the steps that must run where the caller's functions are. */
export function splitSteps(transform: Transform<never, unknown>): { described: TransformDescription[]; rest: readonly Step[]; nested: boolean } {
  const whole = transform as Step;
  if (whole.steps === undefined) {
    return whole.description ? { described: [whole.description], rest: [], nested: false } : { described: [], rest: [whole], nested: false };
  }
  const end = whole.steps.findIndex((step) => !step.description);
  const count = end < 0 ? whole.steps.length : end;
  return { described: whole.steps.slice(0, count).flatMap(({ description }) => description ?? []), rest: whole.steps.slice(count), nested: true };
}

/** What a Lambda takes and gives as tensors stands before and behind it as values { shape, data }, as between all transforms. */
type AsValues<T> = T extends Tensor ? HostTensor : T;
const lambda = new Signature("Lambda", [["lambd", aFunction<(input: unknown, draws: Draws) => unknown>()]]);

/** A function of the caller's own. What ToTensor made it gets as a tensor on the CPU, and it may give one: `Lambda((x: Tensor) => x.flatten())`. It
 *  runs on the main thread, and so does what follows it in a Compose. With a second parameter it gets the sample's draws. */
export function Lambda<Input, Output>(
  ...given: [lambd: (input: Input, draws: Draws) => Output] | [whole: { readonly lambd: (input: Input, draws: Draws) => Output }]
): Transform<AsValues<Input>, AsValues<Output>> {
  const [own] = lambda.read(given), properties = { description: null, text: `Lambda(${own.name || "anonymous"})` };
  const run = (input: unknown, draws: Draws) => noGrad(() => valuesOf(own(tensorOf(input), draws))) as AsValues<Output>;
  // A function with one parameter is fixed: no draws are taken for it.
  return own.length > 1 ? chancy(run, properties) : fixed((input: unknown) => run(input, noDraws), properties);
}
/** Given to functions that do not look at it. */
const noDraws: Draws = new StreamDraws({ seed: 0, stream: 0 });
function tensorOf(input: unknown): unknown {
  return isHostTensor(input) ? tensor(input.data, { shape: input.shape }) : input;
}
function valuesOf(output: unknown): unknown {
  return output instanceof Tensor ? hostValues(output) : output;
}

const applying = new Signature("RandomApply", [["transforms", transformList], ["p", aNumber, 0.5]]);
/** All of the transforms with probability p, none of them otherwise. */
export function RandomApply<A>(...given: Given<readonly [Needed<"transforms", readonly Transform<A, A>[]>, MayBe<"p", number>]>): Transform<A, A> {
  const [list, p] = applying.read(given), transforms = list as readonly Transform<A, A>[]; // what the types of the call say
  probability("RandomApply", p);
  const inner = describeAll(transforms);
  const apply = (input: A, draws: Draws): A => {
    if (p < draws.uniform(0, 1)) return input;
    return transforms.reduce((value, step, i) => step(value, draws.fork(i)), input);
  };
  const text = `RandomApply(p=${p}, ${transforms.map(String).join(", ")})`;
  return chancy(apply, { description: inner && { name: "RandomApply", args: [inner, p] }, text });
}

type Choice<A, B> = Given<readonly [Needed<"transforms", readonly Transform<A, B>[]>, MayBe<"p", readonly number[] | null>]>;
const choosing = new Signature("RandomChoice", [["transforms", transformList], ["p", numbers, null]]);
/** One of the transforms; `p` are their weights (all the same by default). */
export function RandomChoice<A, B>(...given: Choice<A, B>): Transform<A, B> {
  const [list, p] = choosing.read(given), transforms = list as readonly Transform<A, B>[]; // what the types of the call say
  const weights = p ?? transforms.map(() => 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (transforms.length === 0) throw new ArgumentError("RandomChoice: got no transforms; expected at least one.");
  if (weights.length !== transforms.length || !weights.every((weight) => weight >= 0) || !(total > 0)) {
    throw new ArgumentError(
      `RandomChoice: got the weights ${JSON.stringify(p)} for ${transforms.length} transforms; ` +
        "expected one number of at least 0 for each, not all 0.",
    );
  }
  const inner = describeAll(transforms);
  const apply = (input: A, draws: Draws): B => {
    let left = draws.uniform(0, 1) * total;
    const chosen = weights.findIndex((weight) => (left -= weight) < 0);
    const index = chosen < 0 ? weights.findLastIndex((weight) => weight > 0) : chosen;
    const step = transforms[index];
    if (step === undefined) throw new ArgumentError("RandomChoice: got no transforms; expected at least one.");
    return step(input, draws.fork(index));
  };
  const args = inner && [inner, p];
  return chancy(apply, { description: args && { name: "RandomChoice", args }, text: `RandomChoice(${transforms.map(String).join(", ")})` });
}
