// What runs inside the page: the library as a browser's bundle takes it, called by browser.test.ts from outside through `window.athanorTest`.
import { type Device, manualSeed, memory, nn, openDevice, optim, type Tensor, tensor } from "../../index.js";
import { openReference } from "../../kernels/reference/index.js";
import { kernelFamilies } from "../kernels/families.js";
import { compareCase, expectation } from "../support/kernelCase.js";

const BATCH = 8;
const CLASSES = 10;

class SimpleCNN extends nn.Module {
  conv1 = new nn.Sequential(new nn.Conv2d(1, 32, 3, { padding: 1 }), new nn.ReLU(), new nn.MaxPool2d(2));
  conv2 = new nn.Sequential(new nn.Conv2d(32, 64, 3, { padding: 1 }), new nn.ReLU(), new nn.MaxPool2d(2));
  fc = new nn.Sequential(new nn.Flatten(), new nn.Linear(64 * 7 * 7, 128), new nn.ReLU(), new nn.Dropout(0.5), new nn.Linear(128, CLASSES));
  override forward(images: Tensor): Tensor {
    return this.fc(this.conv2(this.conv1(images)));
  }
}

// Ten patterns a network can tell apart (stripes of one slope each) with noise on top: enough for the loss to have somewhere to fall to.
function stripedDigits(step: number): { images: Float32Array; labels: Int32Array } {
  const images = new Float32Array(BATCH * 28 * 28);
  const labels = new Int32Array(BATCH);
  let state = step * 2654435761 + 1;
  const random = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
  for (let n = 0; n < BATCH; n++) {
    const label = Math.floor(random() * CLASSES);
    labels[n] = label;
    for (let i = 0; i < 28 * 28; i++) {
      const x = i % 28;
      const y = Math.floor(i / 28);
      images[n * 28 * 28 + i] = Math.sin(x * Math.cos((label * Math.PI) / CLASSES) + y * Math.sin((label * Math.PI) / CLASSES)) + 0.2 * (random() - 0.5);
    }
  }
  return { images, labels };
}

type Kind = "webgpu" | "cpu";
let device: Device;

/** The one device of this page. */
async function open(kind: Kind): Promise<string> {
  device = await openDevice(kind, { threads: 2 });
  return device.description;
}

async function train(steps: number): Promise<{ losses: number[]; peakBytes: number }> {
  manualSeed(0);
  const model = new SimpleCNN().to(device);
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { images, labels } = stripedDigits(step);
    const logits = model(tensor(images, { shape: [BATCH, 1, 28, 28] }).to(device));
    const loss = criterion(logits, tensor(labels).to(device));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
  }
  return { losses, peakBytes: memory(device).peakBytes };
}

/** Runs one family of kernel cases against the reference device; resolves to how many there were and what did not agree. */
async function compareFamily(family: string): Promise<{ cases: number; complaints: string[] }> {
  const reference = openReference();
  const cases = kernelFamilies[family]?.() ?? [];
  const complaints: string[] = [];
  for (const one of cases) {
    const complaint = await compareCase({ name: device.kind, device }, one, await expectation(reference, one));
    if (complaint !== "") complaints.push(`${one.name}: ${complaint}`);
  }
  return { cases: cases.length, complaints };
}

const athanorTest = {
  open,
  close: () => device.close(),
  train,
  compareFamily,
  families: () => Object.keys(kernelFamilies),
  isolated: () => crossOriginIsolated,
};
declare global {
  interface Window {
    athanorTest: typeof athanorTest;
  }
}
window.athanorTest = athanorTest;
