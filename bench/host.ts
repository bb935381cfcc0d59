// What an operation costs before its kernel has anything to do: tensors of 8×8, through the public API, recorded as in training.
import { type Device, manualSeed, nn, optim, randn, tensor } from "../index.js";
import { type Timing, type TimingOptions, measure } from "./timing.js";

export interface HostCase {
  readonly name: string;
  /** Calls between two turns of the event loop, at which dropped tensors are collected. */
  readonly calls: number;
  prepare(device: Device): () => void;
}

const square = (device: Device) => randn([8, 8]).to(device);

export const hostCases: readonly HostCase[] = [
  {
    name: "host add 8x8, recorded",
    calls: 1000,
    prepare: (device) => {
      const a = square(device).requiresGrad_(), b = square(device);
      return () => void a.add(b);
    },
  },
  {
    name: "host relu 8x8, recorded",
    calls: 1000,
    prepare: (device) => {
      const a = square(device).requiresGrad_();
      return () => void a.relu();
    },
  },
  {
    name: "host Linear, cross-entropy, Adam 8x8",
    calls: 100,
    prepare: (device) => {
      const linear = new nn.Linear(8, 8).to(device), criterion = new nn.CrossEntropyLoss(), adam = new optim.Adam(linear.parameters());
      const x = square(device), labels = tensor(Int32Array.from({ length: 8 }, (_, i) => i)).to(device);
      return () => {
        const loss = criterion(linear(x), labels);
        adam.zeroGrad();
        loss.backward();
        adam.step();
      };
    },
  },
];

/** The time of one call. */
export async function measureHost(work: HostCase, device: Device, options: TimingOptions): Promise<Timing> {
  manualSeed(0);
  const call = work.prepare(device);
  const result = await measure(async () => {
    for (let i = 0; i < work.calls; i++) call();
    await new Promise((resolve) => setImmediate(resolve));
  }, { ...options, warmup: 20 }); // by then it is compiled
  return { ...result, medianMs: result.medianMs / work.calls, bestMs: result.bestMs / work.calls };
}
