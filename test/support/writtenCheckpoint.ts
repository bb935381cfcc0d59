// A value with everything that a .pt file written here may hold: test/fixtures/weights/checkpoint-written-here.pt, which PyTorch reads when the fixtures
// are generated.
import { tensor, type Tensor, zeros } from "../../index.js";

export function writtenCheckpoint() {
  const tied: Tensor = tensor([[1.5, -2]]);
  return {
    tied: [tied, tied.detach()], transposed: tensor([[1, 2], [3, 4]]).t(), empty: zeros(0, 3), mask: tensor([true, false]),
    labels: tensor(Int32Array.of(-1, 2 ** 31 - 1)), nan: NaN, epoch: 3, lr: 1e-3, zero: -0, large: 2n ** 53n, huge: -(2n ** 100n), text: "Grüße 😀",
    done: true, none: null, left: undefined, list: [1, [2.5, "a"], []], nested: { ["__proto__"]: 1 }, bytes: Uint8Array.of(0, 255),
    set: new Set([1, 2]), map: new Map<unknown, unknown>([[1, "a"], ["1", "b"], [null, 0], [[1, 2], 3]]),
  };
}
