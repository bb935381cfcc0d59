// An optimizer's state as data: a dict by the parameters' places, as PyTorch's, and the same split into tensors (safetensors) and JSON.
import { type Call, Signature } from "../engine/arguments.js";
import { Tensor } from "../engine/index.js";
import { anObject, aString, aTensor } from "../engine/kinds.js";
import { argumentError } from "../engine/scope.js";
import { formatShape, sameShape } from "../engine/shape.js";
import { shown } from "../engine/spelling.js";

/** What is remembered about one parameter: how many steps it has made, and tensors of its shape by PyTorch's names. */
export interface ParameterState {
  step: number;
  tensors: Record<string, Tensor>;
  /** What else is remembered, by PyTorch's names (NAdam's mu_product). */
  numbers?: Readonly<Record<string, number>>;
}
/** One group's options (numbers, booleans, lists of numbers) and the places of its parameters. */
export interface GroupDict {
  readonly params: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
}
export interface OptimizerStateDict {
  /** By the parameter's place, counted through all groups. */
  readonly state: Readonly<Record<string, ParameterState>>;
  readonly paramGroups: readonly GroupDict[];
}
type Group = { readonly params: readonly Tensor[] };

/** The tensors share the optimizer's memory. */
export function stateToDict(groups: readonly Group[], states: ReadonlyMap<Tensor, ParameterState>): OptimizerStateDict {
  const all = groups.flatMap((group) => group.params);
  const state = all.flatMap((param, i) => {
    const own = states.get(param);
    if (!own) return [];
    const tensors = Object.fromEntries(Object.entries(own.tensors).map(([name, value]) => [name, value.detach()]));
    return [[String(i), { ...own, tensors }] as const];
  });
  let next = 0;
  const paramGroups = groups.map(({ params, ...options }): GroupDict => ({ params: params.map(() => next++), options: structuredClone(options) }));
  return { state: Object.fromEntries(state), paramGroups };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
/** A dict may come from a file: its form is checked before anything is taken over. */
function checkDict(name: string, dict: unknown): void {
  const wrong = (what: string) => argumentError(name, `got a state dict ${what}; expected { state, paramGroups } as stateDict() gives it. Nothing was loaded.`);
  if (!isRecord(dict) || !isRecord(dict["state"]) || !Array.isArray(dict["paramGroups"])) throw wrong("without state or paramGroups");
  for (const group of dict["paramGroups"]) {
    if (!isRecord(group) || !Array.isArray(group["params"]) || !isRecord(group["options"])) throw wrong("with a group that lacks params or options");
    if (group["params"].findIndex((place) => !Number.isSafeInteger(place)) !== -1) throw wrong("with a group whose params are no places");
  }
  for (const [place, own] of Object.entries(dict["state"])) {
    if (!isRecord(own) || !isRecord(own["tensors"]) || !Object.values(own["tensors"]).every((value) => value instanceof Tensor)) {
      throw wrong(`whose state ${place} holds no tensors`);
    }
    if (!Number.isSafeInteger(own["step"]) || Number(own["step"]) < 0) throw wrong(`whose state ${place} is at step ${String(own["step"])}`);
    const { numbers = {} } = own;
    if (!isRecord(numbers) || !Object.values(numbers).every((value) => typeof value === "number")) throw wrong(`whose state ${place} has odd numbers`);
  }
}

interface Loaded {
  readonly states: readonly (readonly [Tensor, ParameterState])[];
  readonly options: readonly Readonly<Record<string, unknown>>[];
}
/** Checks a dict against the groups it is meant for and copies its tensors to the parameters' devices. */
export function loadedStates(name: string, groups: readonly Group[], dict: OptimizerStateDict): Loaded {
  checkDict(name, dict);
  const sizes = (list: readonly { readonly params: readonly unknown[] }[]) => formatShape(list.map((group) => group.params.length));
  if (sizes(groups) !== sizes(dict.paramGroups)) {
    throw argumentError(
      name,
      `got a state dict whose groups have ${sizes(dict.paramGroups)} parameters; expected ${sizes(groups)}, as this optimizer has.`,
    );
  }
  const params = groups.flatMap((group) => group.params);
  const places = dict.paramGroups.flatMap((group) => group.params);
  const checked = params.flatMap((param, i) => {
    const saved = dict.state[String(places[i])];
    if (!saved) return [];
    for (const [key, value] of Object.entries(saved.tensors)) {
      if (value.dtype !== "float32") throw argumentError(name, `got ${key} of dtype ${value.dtype} for parameter ${i}; expected float32.`);
      if (!sameShape(value.shape, param.shape)) {
        throw argumentError(
          name,
          `got ${key} of shape ${formatShape(value.shape)} for parameter ${i}; expected its shape ${formatShape(param.shape)}.`,
        );
      }
    }
    return [{ param, saved }];
  });
  const states = checked.map(({ param, saved }) => {
    const tensors = Object.fromEntries(Object.entries(saved.tensors).map(([key, value]) => [key, owned(value, param)]));
    return [param, { ...saved, tensors }] as const;
  });
  return { states, options: dict.paramGroups.map((group) => structuredClone(group.options)) };
}
/** Refuses another kind of optimizer's state: it would be carried along, and the parameter would start anew. `kept`: what this one keeps; the first it
 *  always does, the others as its options are. */
export function checkKept(name: string, { params }: Group, states: ReadonlyMap<Tensor, ParameterState>, kept: readonly string[]): void {
  const [always] = kept;
  if (always === undefined) return;
  for (const param of params) {
    const given = Object.keys(states.get(param)?.tensors ?? {});
    if (given.length === 0 || given.includes(always)) continue;
    throw argumentError(name, `got a state dict of another optimizer: its parameters keep ${given.join(", ")}, this one's ${kept.join(", ")}. Nothing was loaded.`);
  }
}
/** A copy on the parameter's device. */
function owned(value: Tensor, param: Tensor): Tensor {
  const moved = value.detach().to(param.device);
  return moved.device === value.device ? moved.clone() : moved;
}

const packing = new Signature("optim.packState", [["dict", anObject<OptimizerStateDict>("a state dict, as optimizer.stateDict() gives it")]]);
/** A state dict as tensors for a safetensors file ("state.0.exp_avg") and JSON text for its metadata. */
export function packState(...given: Call<typeof packing>): { readonly tensors: Record<string, Tensor>; readonly json: string } {
  const [dict] = packing.read(given);
  checkDict("optim.packState", dict);
  const tensors = Object.entries(dict.state).flatMap(([place, { tensors: own }]) =>
    Object.entries(own).map(([key, value]) => [`state.${place}.${key}`, value] as const),
  );
  const places = Object.entries(dict.state);
  const steps = Object.fromEntries(places.map(([place, { step }]) => [place, step]));
  const numbers = Object.fromEntries(places.flatMap(([place, own]) => (own.numbers ? [[place, own.numbers] as const] : [])));
  return { tensors: Object.fromEntries(tensors), json: JSON.stringify({ steps, numbers, paramGroups: dict.paramGroups }) };
}
const unpacking = new Signature("optim.unpackState", [
  ["tensors", anObject<Readonly<Record<string, Tensor>>>("tensors by name, as packState() gave them")], ["json", aString],
]);
/** packState's inverse; what is not there, or not what packState wrote, is a sentence. */
export function unpackState(...given: Call<typeof unpacking>): OptimizerStateDict {
  const [tensors, json] = unpacking.read(given);
  const { steps, numbers = {}, paramGroups } = parsed(json);
  const state: Record<string, ParameterState> = Object.create(null); // "__proto__" is a place like any other, refused later
  for (const [place, step] of Object.entries(steps)) {
    const own = numbers[place];
    state[place] = { step, tensors: {}, ...(own && { numbers: own }) };
  }
  for (const [name, value] of Object.entries(tensors)) {
    const [, place, key] = /^state\.(\d+)\.(.+)$/.exec(name) ?? [];
    if (place === undefined || key === undefined) continue; // the file may hold a model's weights too
    const own = state[place];
    if (own === undefined) {
      throw argumentError(
        "unpackState",
        `got the tensor ${name}, whose parameter the JSON does not know; expected text and tensors of one packState().`,
      );
    }
    if (!aTensor.takes(value)) throw argumentError("unpackState", `got ${name} = ${shown(value)}; expected a tensor, as packState() gave it.`);
    own.tensors[key] = value;
  }
  return { state, paramGroups };
}
interface Packed {
  readonly steps: Record<string, number>;
  readonly numbers?: Record<string, Record<string, number>>;
  readonly paramGroups: GroupDict[];
}
function parsed(json: string): Packed {
  let value: unknown = null;
  try {
    value = JSON.parse(json);
  } catch {
    // refused below, like any other text
  }
  if (isRecord(value) && isRecord(value["steps"]) && isRecord(value["numbers"] ?? {}) && Array.isArray(value["paramGroups"])) {
    const { steps, numbers, paramGroups } = value as Record<string, unknown> & Packed;
    return { steps, ...(numbers && { numbers }), paramGroups };
  }
  throw argumentError("unpackState", "got JSON without steps and paramGroups; expected the text that packState() gave.");
}
