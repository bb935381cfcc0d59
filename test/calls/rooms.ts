// The rooms of the package with their rows, and the namespaces that a caller reaches.
import { readFileSync } from "node:fs";
import type { Rows } from "./cases.js";
import { core, kernelsRoom } from "./core.js";
import { dataRoom, functionalRoom, transformRoom } from "./data.js";
import { functional } from "./functional.js";
import { init, layers, models, utils } from "./nn.js";
import { optimizers, schedulers } from "./optim.js";
import { liveRoom, plotsRoom, searchRoom, tensorboardRoom, trainingRoom } from "./training.js";

export type Callee = (...given: unknown[]) => unknown;
/** The namespaces, under the paths by which a caller reaches them. Those of one object under two paths are one room. */
export const rooms: Readonly<Record<string, Rows>> = {
  "athanor": core, "athanor/kernels": kernelsRoom, "athanor/nn": layers, "athanor/nn/functional": functional, "athanor/nn.init": init, "athanor/nn.models": models, "athanor/nn.utils": utils,
  "athanor/optim": optimizers, "athanor/optim.lrScheduler": schedulers,
  "athanor/data": dataRoom, "athanor/data.transforms": transformRoom, "athanor/data.transforms.functional": functionalRoom,
  "athanor/training": trainingRoom, "athanor/training/plots": plotsRoom, "athanor/training/live": liveRoom, "athanor/training/tensorboard": tensorboardRoom,
  "athanor/training/search": searchRoom,
};

const isNamespace = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && Reflect.get(value, Symbol.toStringTag) === "Module";
export const isClass = (callee: Callee) => /^class\b/.test(Function.prototype.toString.call(callee));

function namespaces(path: string, namespace: Record<string, unknown>, seen: Map<unknown, string>): Map<unknown, string> {
  if (seen.has(namespace)) return seen;
  seen.set(namespace, path);
  for (const [name, value] of Object.entries(namespace)) if (isNamespace(value)) namespaces(`${path}.${name}`, value, seen);
  return seen;
}
/** Every subpath of the package, then what hangs below it. */
export async function reached(): Promise<Map<Record<string, unknown>, string>> {
  const seen = new Map<unknown, string>();
  const { exports } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { exports: Record<string, unknown> };
  const subpaths = Object.keys(exports).filter((name) => !name.endsWith(".json"));
  for (const subpath of subpaths.toSorted((a, b) => b.length - a.length)) {
    const source = subpath === "." ? "../../index.js" : subpath === "./nn/functional" ? "../../nn/functional.js" : `../../${subpath.slice(2)}/index.js`;
    namespaces(subpath.replace(/^\./, "athanor"), (await import(source)) as Record<string, unknown>, seen);
  }
  return seen as Map<Record<string, unknown>, string>;
}
