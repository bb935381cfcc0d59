// Which neighbour nearest-neighbour resampling takes, and where its gradient goes: PyTorch 1.13's answers (of one channel, where its layouts
// agree), on every device.
import test from "tape";
import { type Device, nn, tensor } from "../index.js";
import * as F from "../nn/functional.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";

type Options = F.InterpolateOptions;

/** Inputs 1 … n along the width; the result, and the input's gradient for the cotangent 1, 2, 3 …. */
const rows: readonly (readonly [number, Options, readonly number[], readonly number[]])[] = [
  // A side that keeps its size or doubles maps exactly, whatever the factor.
  [5, { scaleFactor: [1, 1.1] }, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]],
  [3, { scaleFactor: [1, 1.3] }, [1, 2, 3], [1, 2, 3]],
  [2, { scaleFactor: [1, 2.4] }, [1, 1, 2, 2], [3, 7]],
  [5, { scaleFactor: [1, 1.5] }, [1, 1, 2, 3, 3, 4, 5], [3, 3, 9, 6, 7]],
  [7, { scaleFactor: [1, 0.5] }, [1, 3, 5], [1, 0, 2, 0, 3, 0, 0]],
  [7, { scaleFactor: [1, 0.6] }, [1, 2, 4, 6], [1, 2, 0, 3, 0, 4, 0]],
  [5, { scaleFactor: [1, 1.7] }, [1, 1, 2, 2, 3, 3, 4, 5], [3, 7, 11, 7, 8]],
  [5, { scaleFactor: [1, 1.7], recomputeScaleFactor: true }, [1, 1, 2, 2, 3, 4, 4, 5], [3, 7, 5, 13, 8]],
  [10, { scaleFactor: [1, 0.37] }, [1, 3, 6], [1, 0, 2, 0, 0, 3, 0, 0, 0, 0]],
  [10, { scaleFactor: [1, 0.37], recomputeScaleFactor: true }, [1, 4, 7], [1, 0, 0, 2, 0, 0, 3, 0, 0, 0]],
  [3, { scaleFactor: [1, 3.9] }, [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3], [10, 26, 30]],
  [6, { size: [1, 4] }, [1, 2, 4, 5], [1, 2, 0, 3, 4, 0]],
  [5, { size: [1, 9] }, [1, 1, 2, 2, 3, 3, 4, 4, 5], [3, 7, 11, 15, 9]],
  [9, { size: [1, 5] }, [1, 2, 4, 6, 8], [1, 2, 0, 3, 0, 4, 0, 5, 0]],
  // 11·float32(26/22) is below 13.
  [26, { size: [1, 22] }, [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 21, 22, 23, 24, 25],
    [1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12, 0, 13, 14, 15, 16, 17, 0, 18, 19, 20, 21, 22, 0]],
];
const counted = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

let devices: Device[] = [];
test("the devices open", async (t) => {
  devices = await openDevices();
  t.equal(devices.length, 3);
});

test("interpolate: the neighbour and the gradient are PyTorch's", async (t) => {
  for (const device of devices) {
    for (const [n, options, values, gradient] of rows) {
      const x = tensor(counted(n), { device }).reshape(1, 1, 1, n).detach().requiresGrad_();
      const y = F.interpolate(x, options);
      y.backward(tensor(counted(values.length), { device }).reshape(y.shape));
      t.deepEqual(Array.from(await y.data()), values, `${n} by ${JSON.stringify(options)} on ${device.kind}`);
      t.deepEqual(Array.from((await x.grad?.data()) ?? []), gradient, "… and its gradient");
    }
  }
});

test("interpolate: both sides of several images", async (t) => {
  for (const device of devices) {
    const x = tensor(counted(16), { device }).reshape(1, 2, 4, 2);
    const y = F.interpolate(x, { scaleFactor: [2.05, 3.15] });
    t.deepEqual(y.shape, [1, 2, 8, 6]);
    const first = [1, 1, 3, 3, 5, 5, 7, 7].flatMap((row) => [row, row, row, row, row + 1, row + 1]);
    t.deepEqual(Array.from(await y.data()), [...first, ...first.map((value) => value + 8)], device.kind);
  }
});

test("interpolate: [N, C, L] is a sequence, as in PyTorch", async (t) => {
  for (const device of devices) {
    const x = tensor([[[0, 1, 2], [3, 4, 5]]], { device });
    t.deepEqual((await F.interpolate(x, { size: 4 }).tolist()), [[[0, 0, 1, 2], [3, 3, 4, 5]]], device.kind);
    t.deepEqual(F.interpolate(x, { scaleFactor: 2 }).shape, [1, 2, 6]);
    t.deepEqual((await new nn.Upsample({ scaleFactor: 1.4 })(x).tolist()), [[[0, 0, 1, 2], [3, 3, 4, 5]]], "Upsample");
  }
});

test("interpolate: what it cannot do is a sentence", (t) => {
  const x = tensor([[[[1, 2]]]]);
  t.throws(() => F.interpolate(x.squeeze(0).squeeze(0), { size: 4 }), /\[N, C, H, W\]/);
  t.throws(() => F.interpolate(x.squeeze(0), { size: [4, 4] }), /size \[4,4\].*one for \[N, C, L\]/);
  t.throws(() => F.interpolate(x, { size: 4, recomputeScaleFactor: true }), /recomputeScaleFactor/);
  t.throws(() => F.interpolate(x, { scaleFactor: 0.4 }), /leaves nothing/);
  t.throws(() => F.interpolate(x, { scaleFactor: -1 }), /got scaleFactor -1; expected a finite number above 0/);
  t.end();
});

test("the devices close", async () => closeDevices(devices));
