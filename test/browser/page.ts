// What runs inside the page: the library as a browser's bundle takes it, called by browser.test.ts from outside through `window.athanorTest`.
import { type Device, type Tensor, manualSeed, memory, nn, noGrad, openDevice, optim, randn, tensor } from "../../index.js";
import { openReference } from "../../kernels/reference/index.js";
import { kernelFamilies } from "../kernels/families.js";
import { allowanceOf, checkLayer, checkOperation, type LayerRow, nameOfRow, type OperationRow } from "../support/fixtureRows.js";
import { Fixtures } from "../support/fixtures.js";
import { compareCases, type Expectation, expectation } from "../support/kernelCase.js";

const BATCH = 2;
const CLASSES = 10;
const SIDE = 28;
/** Kernel cases started together: a GPU compiles their pipelines in parallel. */
const AT_ONCE = 40;

export interface Comparison {
  readonly cases: number;
  readonly complaints: readonly string[];
}

let device: Device;
const opened: Device[] = [];

/** Opens a device; what follows runs on it, comparisons on all that this page has open. */
async function open(kind: "webgpu" | "cpu"): Promise<string> {
  device = await openDevice(kind, { threads: 2 });
  opened.push(device);
  return device.description;
}

async function close(): Promise<void> {
  for (const each of opened) await each.close();
}

/** The line that says which device "auto" took. */
async function choose(): Promise<string> {
  let said = "";
  device = await openDevice("auto", { onChoice: (line) => void (said = line) });
  return said;
}

/** The page as in a browser without WebGPU, or as on a machine whose driver the browser blocks. */
function lacking(what: "WebGPU" | "adapter"): void {
  if (what === "WebGPU") Object.defineProperty(navigator, "gpu", { value: undefined });
  else navigator.gpu.requestAdapter = async () => null;
}

/** Runs one family of kernel cases on every open device against the reference. */
async function compareFamily(family: string): Promise<Comparison> {
  const reference = openReference();
  const cases = kernelFamilies[family]?.() ?? [];
  const complaints: string[] = [];
  for (let first = 0; first < cases.length; first += AT_ONCE) {
    const some = cases.slice(first, first + AT_ONCE);
    const expected: Expectation[] = [];
    for (const one of some) expected.push(await expectation(reference, one));
    for (const each of opened) {
      const found = await compareCases(each, some, expected);
      found.forEach((complaint, i) => complaint !== "" && complaints.push(`${each.kind}: ${some[i]?.name}: ${complaint}`));
    }
  }
  return { cases: cases.length, complaints };
}

async function fetchFixtures<Row>(name: string): Promise<Fixtures<Row>> {
  const [rows, words] = await Promise.all([fetch(`test/fixtures/${name}.json`), fetch(`test/fixtures/${name}.bin`)]);
  return new Fixtures((await rows.json()) as Row[], await words.arrayBuffer());
}

/** Values and gradients of every operation against PyTorch's. */
async function compareOperations(): Promise<Comparison> {
  const fixtures = await fetchFixtures<OperationRow>("operations");
  const complaints: string[] = [];
  for (const row of fixtures.rows) {
    for (const each of opened) {
      const complaint = await checkOperation(fixtures, row, each, allowanceOf(row));
      if (complaint !== "") complaints.push(`${each.kind}: ${nameOfRow(row)}: ${complaint}`);
    }
  }
  return { cases: fixtures.rows.length, complaints };
}

/** Layers and losses against PyTorch's. */
async function compareLayers(): Promise<Comparison> {
  const fixtures = await fetchFixtures<LayerRow>("layers");
  const complaints: string[] = [];
  for (const row of fixtures.rows) {
    for (const each of opened) {
      const complaint = await checkLayer(fixtures, row, each);
      if (complaint !== "") complaints.push(`${each.kind}: ${row.layer}: ${complaint}`);
    }
  }
  return { cases: fixtures.rows.length, complaints };
}

/** Trains SimpleCNN by the plain loop, as a user writes it. */
async function train(steps: number): Promise<{ losses: number[]; peakBytes: number }> {
  manualSeed(0);
  const model = new nn.models.SimpleCNN().to(device);
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { images, labels } = stripes(step);
    const loss = criterion(model(tensor(images, { shape: [BATCH, 1, SIDE, SIDE] }).to(device)), tensor(labels).to(device));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
  }
  return { losses, peakBytes: memory(device).peakBytes };
}

/** The plain loop, with nothing in it that waits but loss.item(): the largest live-and-pooled bytes of its early and of its late steps. */
async function holds(steps: number): Promise<{ early: number; late: number }> {
  const [batch, width] = device.kind === "cpu" ? [1024, 512] : [32, 32];
  const model = new nn.Sequential(new nn.Linear(16, width), new nn.ReLU(), new nn.Linear(width, 1)).to(device);
  const optimizer = new optim.SGD(model.parameters(), { lr: 1e-3 });
  const input = randn(batch, 16).to(device);
  const peaks = { early: 0, late: 0 };
  for (let step = 0; step < steps; step++) {
    const loss = model(input.mul(1)).square().mean();
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    await loss.item();
    const { liveBytes, pooledBytes } = memory(device);
    const window = step >= 0.1 * steps && step < 0.5 * steps ? "early" : step >= 0.6 * steps ? "late" : null;
    if (window !== null) peaks[window] = Math.max(peaks[window], liveBytes + pooledBytes);
  }
  return peaks;
}

/** What backward() says beside a noGrad block that waits, to what was computed beside it when that has ended, and to a step after it. */
async function besideNoGrad(): Promise<string[]> {
  const x = randn(2).requiresGrad_(), recorded = x.square().sum();
  const said = (loss: Tensor): string => {
    try {
      loss.backward();
      return "";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const block = noGrad(() => new Promise((resolve) => setTimeout(resolve, 10)));
  const unrecorded = x.square().sum(), beside = said(recorded);
  await block;
  await Promise.resolve();
  return [beside, said(unrecorded), said(x.square().sum())];
}

// Ten patterns that a network can tell apart (stripes of one slope each) under noise: the loss has somewhere to fall to.
function stripes(step: number): { images: Float32Array; labels: Int32Array } {
  const images = new Float32Array(BATCH * SIDE * SIDE);
  const labels = new Int32Array(BATCH);
  let state = step * 2654435761 + 1;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  for (let n = 0; n < BATCH; n++) {
    const label = Math.floor(random() * CLASSES);
    const angle = (label * Math.PI) / CLASSES;
    labels[n] = label;
    for (let i = 0; i < SIDE * SIDE; i++) {
      const across = (i % SIDE) * Math.cos(angle) + Math.floor(i / SIDE) * Math.sin(angle);
      images[n * SIDE * SIDE + i] = Math.sin(across) + 0.2 * (random() - 0.5);
    }
  }
  return { images, labels };
}

const athanorTest = {
  open,
  choose,
  lacking,
  close,
  isolated: () => crossOriginIsolated,
  families: () => Object.keys(kernelFamilies),
  compareFamily,
  compareOperations,
  compareLayers,
  train,
  holds,
  besideNoGrad,
};
declare global {
  interface Window {
    athanorTest: typeof athanorTest;
  }
}
window.athanorTest = athanorTest;
