// The classic networks against torchvision: a row of test/fixtures/models.json run on a device, from weights of a formula both sides compute.
import { readFileSync } from "node:fs";
import type { Test } from "tape";
import { type Device, nn, noGrad, Tensor, tensor, tidy } from "../../index.js";
import { hashedPiece } from "./hashWeights.js";

/** Norm, projection on hashed numbers, three elements, and the norm of PyTorch's own float32 error. */
type Digest = readonly [number, number, number, number, number, number];
type Digests = Readonly<Record<string, Digest | null>>;

export interface ClassicRun {
  readonly factory: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly input: readonly number[];
  readonly training: boolean;
  /** In training, but batch norms in evaluation. */
  readonly frozen: boolean;
  /** Around which batch norms' biases lie. */
  readonly lift: number;
  /** Of the images. */
  readonly seed: number;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly grads: Digests;
  /** Batch norm's running means and variances after a run in training. */
  readonly statistics: Digests;
}

export const runs = JSON.parse(readFileSync(new URL("../fixtures/models.json", import.meta.url), "utf8")) as ClassicRun[];

function nameOf({ factory, input, training, frozen, options }: ClassicRun): string {
  const special = Object.entries(options).filter(([name]) => name !== "numClasses" && !name.startsWith("dropout"));
  const mode = training ? `training${frozen ? " with frozen norms" : ""}` : "evaluation";
  return `${factory} [${input.join(", ")}] in ${mode}${special.length > 0 ? ` ${JSON.stringify(Object.fromEntries(special))}` : ""}`;
}

/** A network of nn.models by the name of its factory. */
export function construct(factory: string, options: object): nn.Module {
  const make: unknown = Reflect.get(nn.models, factory);
  if (typeof make !== "function") throw new Error(`The fixtures have a row for nn.models.${factory}, which is not exported.`);
  const model: unknown = Reflect.apply(make, undefined, [options]);
  if (!(model instanceof nn.Module)) throw new Error(`nn.models.${factory} did not make a Module.`);
  return model;
}

const pieceLength = 2 ** 22;
function* pieces(length: number): Generator<[number, number]> {
  for (let start = 0; start < length; start += pieceLength) yield [start, Math.min(pieceLength, length - start)];
}

/** As fill in test/fixtures/models.py: the place in the state dict is the stream. */
export function fillHashed(model: nn.Module, lift = 0): void {
  const entries = model.stateEntries(), names = new Set(entries.map(([name]) => name));
  entries.forEach(([name, target], stream) => {
    if (target.dtype !== "float32") return;
    const { shape } = target, vector = shape.length === 1;
    const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
    const normBias = name.endsWith("bias") && names.has(name.replace(/bias$/, "running_mean"));
    const centre = normBias ? lift : name.endsWith("running_var") || (vector && name.endsWith("weight")) ? 1 : 0;
    const width = !vector ? Math.sqrt(6 / fanIn) : name.endsWith("running_var") ? 0.5 : 0.1;
    for (const [start, count] of pieces(target.numel())) {
      const values = hashedPiece(count, stream + 1, start, width, centre);
      noGrad(() => tidy(() => void target.view(-1).narrow(0, start, count).copy_(tensor(values, { device: target.device }))));
    }
  });
}

interface Found {
  readonly norm: number;
  readonly projection: number;
  readonly probes: readonly number[];
}
async function digest(value: Tensor): Promise<Found> {
  const length = value.numel(), places = [0.137, 0.521, 0.893].map((place) => Math.floor(length * place));
  const probes = [NaN, NaN, NaN];
  let squares = 0, projection = 0;
  for (const [start, count] of pieces(length)) {
    const piece = noGrad(() => value.detach().reshape(-1).narrow(0, start, count)), part = await piece.data();
    piece.dispose();
    const along = hashedPiece(count, 9001, start, 1); // its fractions have 24 bits: float32 holds them without rounding
    for (let i = 0; i < count; i++) {
      const element = part[i] ?? NaN;
      squares += element * element;
      projection += element * (along[i] ?? NaN);
    }
    places.forEach((place, i) => {
      if (place >= start && place < start + count) probes[i] = part[place - start] ?? NaN;
    });
  }
  return { norm: Math.sqrt(squares), projection, probes };
}

/** How far ours may be, as the norm of a difference: eight times PyTorch's own float32 error (whose roundings fall otherwise), and never less
 *  than what float32 leaves of a sum of products; on the reference device, which computes in float64, the digits of the fixture. The runs are
 *  chosen so that no ReLU and no maximum is near its kink (far_from_kinks in test/fixtures/models.py). */
function allowance(norm: number, error: number, exact: boolean): number {
  return exact ? 1e-8 * norm + 1e-12 : 8 * error + 3e-6 * norm + 1e-9;
}

async function complaint(what: string, got: Tensor | null | undefined, want: Digest | null, exact: boolean): Promise<string> {
  if (want === null) return got ? `${what}: got a gradient, PyTorch has none` : "";
  if (!got) return `${what}: got nothing`;
  const [norm, projection, p0, p1, p2, error] = want;
  const found = await digest(got), bound = allowance(norm, error, exact);
  const distances = { norm: found.norm - norm, projection: found.projection - projection };
  const probes = [p0, p1, p2].map((probe, i) => Math.abs((found.probes[i] ?? NaN) - probe));
  // A projection on numbers of deviation 1/√3 sees an error of norm e as 0.58·e; four deviations of that are rare.
  const right = Math.abs(distances.norm) <= bound && Math.abs(distances.projection) <= 2.4 * bound && probes.every((d) => d <= bound);
  return right ? "" : `${what}: norm ${norm} off by ${distances.norm.toExponential(1)}, projection by ${distances.projection.toExponential(1)}, ` +
    `elements by ${probes.map((d) => d.toExponential(1)).join(" ")}; allowed ${bound.toExponential(1)}`;
}

interface Report {
  /** What differs from torchvision; empty where nothing does. */
  readonly complaints: string[];
  /** Digests and outputs compared. */
  readonly compared: number;
}

/** Forward and backward. Everything made is let go of. */
async function checkRun(row: ClassicRun, device: Device): Promise<Report> {
  const exact = device.kind === "reference";
  const model = construct(row.factory, { ...row.options, initialize: false }).to(device).train(row.training);
  if (row.frozen) model.modules().forEach((module) => module instanceof nn.BatchNorm2d && module.eval());
  try {
    fillHashed(model, row.lift);
    const images = tensor(hashedPiece(row.input.reduce((a, b) => a * b, 1), 7001 + 100 * row.seed, 0, 1), { shape: row.input, device });
    const answer: unknown = Reflect.apply(model, undefined, [images]);
    const outputs = outputsOf(answer);
    const complaints = [await outputComplaint(row, outputs, exact)];
    Object.keys(row.outputs).forEach((name, i) => {
      const output = outputs.get(name);
      if (output === undefined) return; // outputComplaint has said so
      const cotangent = tensor(hashedPiece(output.numel(), 7002 + i, 0, 1), { shape: output.shape, device });
      output.backward(cotangent, { retainGraph: i < outputs.size - 1 });
    });
    const parameters = new Map(model.namedParameters()), buffers = new Map(model.namedBuffers());
    if (String([...parameters.keys()]) !== String(Object.keys(row.grads))) complaints.push("the parameters' names are not torchvision's");
    for (const [name, want] of Object.entries(row.grads)) {
      complaints.push(await complaint(`gradient of ${name}`, parameters.get(name)?.grad, want, exact));
    }
    for (const [name, want] of Object.entries(row.statistics)) complaints.push(await complaint(name, buffers.get(name), want, exact));
    const compared = outputs.size + Object.keys(row.grads).length + Object.keys(row.statistics).length;
    return { complaints: complaints.filter((text) => text !== ""), compared };
  } finally {
    for (const parameter of model.parameters()) {
      parameter.grad?.dispose();
      parameter.dispose();
    }
    model.buffers().forEach((buffer) => buffer.dispose());
  }
}

/** Each run agrees with torchvision on the device. */
export async function checkRuns(t: Test, device: Device, rows: readonly ClassicRun[]): Promise<void> {
  t.ok(rows.length > 0, `${device.kind}: ${rows.length} runs`);
  for (const row of rows) {
    const start = performance.now(), { complaints, compared } = await checkRun(row, device);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    t.deepEqual(complaints, [], `${device.kind}: ${nameOf(row)}: ${compared} compared, ${seconds} s`);
  }
}

function outputsOf(answer: unknown): Map<string, Tensor> {
  if (answer instanceof Tensor) return new Map([["logits", answer]]);
  if (typeof answer !== "object" || answer === null) throw new Error("The network gave neither a tensor nor a record of tensors.");
  const entries = Object.entries(answer).filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor);
  return new Map(entries);
}

async function outputComplaint(row: ClassicRun, outputs: ReadonlyMap<string, Tensor>, exact: boolean): Promise<string> {
  for (const [name, want] of Object.entries(row.outputs)) {
    const got = await outputs.get(name)?.data();
    const norm = Math.hypot(...want), bound = allowance(norm, row.errors[name] ?? 0, exact);
    const worst = Math.max(...want.map((value, i) => Math.abs((got?.[i] ?? NaN) - value)));
    if (!(worst <= bound)) return `${name}: off by ${worst.toExponential(1)}, allowed ${bound.toExponential(1)}`;
  }
  return "";
}
