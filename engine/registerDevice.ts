// Devices from outside this library: how one is registered, and what it has to bring before a tensor is put on it.
import type { Device, DeviceKind } from "../kernels/types.js";
import { Signature, taking } from "./arguments.js";
import { type DeviceOpener, enterKind, kindNames } from "./deviceKinds.js";
import { aFunction, aString, quoted } from "./kinds.js";
import { type KernelName, operations } from "./op.js";
import { argumentError } from "./scope.js";
import { shown } from "./spelling.js";

const registered = new Signature("registerDevice", [["kind", aString], ["open", aFunction<DeviceOpener>("a function that opens the device")]]);
/** From now on openDevice(kind) opens a device by `open`, which gets the options of that call and gives the device, or a promise of it; where there
 *  is none it throws DeviceUnavailableError. "auto" never chooses it. */
export const registerDevice = taking(registered, (kind, open): void => {
  if (kind === "" || kind === "auto") throw argumentError("registerDevice", `got kind "${kind}"; expected a name of the device's own, such as "npu".`);
  if (kindNames().includes(kind)) {
    throw argumentError("registerDevice", `got kind "${kind}", which is registered already; expected a new name, registered once (there are ${quoted(kindNames(), "and")}).`);
  }
  enterKind(kind, async (options) => checkedDevice(kind, await open(options)));
});

/** The kinds that openDevice knows, this library's and those registered. */
export const deviceKinds = taking(new Signature("deviceKinds", []), (): DeviceKind[] => kindNames());

const methods: readonly (keyof Device)[] = ["allocate", "release", "trim", "upload", "download", "downloadSync", "flush", "synchronize", "close"];

/** What the engine calls beside the kernels that the records name. */
const ownKernels: readonly KernelName[] = ["copy", "fill", "uniform", "update"];

/** The device itself, or a sentence that says what it lacks: better than a crash in the middle of a training. */
function checkedDevice(kind: string, device: unknown): Device {
  const refused = (got: string, expected: string) => argumentError("openDevice", `what registerDevice("${kind}") opens ${got}; expected ${expected}.`);
  if (typeof device !== "object" || device === null) throw refused(`is ${shown(device)}`, "a device (the interface Device)");
  const of = (name: string): unknown => Reflect.get(device, name);
  const table = of("kernels"), named = [...operations.values()].flatMap((operation) => (operation.forward ? operation.kernels : []));
  const kernels = [...new Set([...ownKernels, ...named])];
  const hasKernel = (name: string) => typeof table === "object" && table !== null && typeof Reflect.get(table, name) === "function";
  const lacking = [...methods.filter((name) => typeof of(name) !== "function"), ...kernels.filter((name) => !hasKernel(name)).map((name) => `kernels.${name}`)];
  if (lacking.length > 0) throw refused(`has no ${lacking.slice(0, 3).join(", no ")}${lacking.length > 3 ? ` and ${lacking.length - 3} more` : ""}`, "every method of the interface Device and of its kernels");
  if (of("kind") !== kind) throw refused(`says that its kind is ${shown(of("kind"))}`, `kind "${kind}", by which memory() and errors call it`);
  if (of("precision") !== "float32" && of("precision") !== "float64") throw refused(`has precision ${shown(of("precision"))}`, '"float32" or "float64"');
  return device as Device;
}
