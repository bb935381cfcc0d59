// Numbers at the edge of a dtype: what it cannot hold is refused where a program wrote it down, as PyTorch does, and never wraps around where a
// number meets a tensor. And lists that do not end.
import test from "tape";
import { type Device, arange, full, nn, randint, tensor, where, zeros } from "../index.js";
import type { NumericArray } from "../engine/dtype.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { type RefusedCall, checkRefusals } from "./support/refusal.js";

const devices = await openDevices();
const whole = (values: number[], device: Device) => tensor(values, { dtype: "int32", device });
const bytes = (values: number[], device: Device) => tensor(values, { dtype: "uint8", device });

test("a value for many elements that the dtype cannot hold is refused", async (t) => {
  for (const device of devices) {
    const past = 3_000_000_000, zero = whole([0], device), mask = tensor([true], { device });
    const rows: RefusedCall[] = [
      ["full of int32", () => full([1], past, { dtype: "int32", device }), /full: got the value 3000000000 for dtype int32; expected a number from -2147483648 to 2147483647/],
      ["full of NaN", () => full([1], NaN, { dtype: "int32", device }), /full: got the value NaN for dtype int32/],
      ["full of bytes", () => full([1], 300, { dtype: "uint8", device }), /full: got the value 300 for dtype uint8; expected a number from 0 to 255/],
      ["full past float32", () => full([1], 1e39, { device }), /full: got the value 1e\+39 for dtype float32; expected a number up to 3\.4e38, or Infinity/],
      ["fill_", () => zero.fill_(past), /fill_: got the value 3000000000/],
      ["fill_ with NaN", () => zero.fill_(NaN), /fill_: got the value NaN/],
      ["maskedFill", () => zero.maskedFill(mask, -past), /maskedFill: got the value -3000000000/],
      ["maskedFill with −∞", () => zero.maskedFill(mask, -Infinity), /maskedFill: got the value -Infinity/],
      ["pad", () => nn.functional.pad(zero, [1, 0], "constant", past), /pad: got the value 3000000000/],
      ["randint", () => randint(0, past, [1], { device }), /randint: got the value 2999999999 for dtype int32/],
      ["arange", () => arange(2 ** 31 - 1, 2 ** 31 + 1, { device }), /arange: got 2147483648 at place 1 for dtype int32/],
    ];
    await checkRefusals(t, rows);
    t.equal(await full([1], -Infinity, { device }).item(), -Infinity, "infinities are float32's");
    t.equal(await full([1], 2147483647.5, { dtype: "int32", device }).item(), 2147483647, "fractions are cut off, as in a cast");
  }
});

test("a number that an integer tensor cannot hold does not wrap around where it meets one", async (t) => {
  for (const device of devices) {
    const most = whole([2 ** 31 - 1, 5], device), high = bytes([200, 0], device);
    t.deepEqual(await most.lt(3e9).tolist(), [true, true], `int32 < 3e9 on ${device.kind}`);
    t.deepEqual(await most.eq(3e9).tolist(), [false, false]);
    t.deepEqual(await most.ge(-3e9).tolist(), [true, true]);
    t.deepEqual(await high.lt(300).tolist(), [true, true], "bytes < 300");
    t.deepEqual(await high.gt(-1).tolist(), [true, true]);
    t.deepEqual(await high.eq(44).tolist(), [false, false]);
    t.deepEqual(await where(tensor([true, false], { device }), high, 300).tolist(), [200, 300]);
    const sum = whole([0, 1024], device).add(3e9), product = whole([1], device).mul(1e38);
    t.deepEqual([sum.dtype, await sum.tolist()], ["float32", [3e9, 3_000_001_024]], "as float32 has it"); // both are float32's own
    t.equal(await product.item(), device.kind === "reference" ? 1e38 : Math.fround(1e38));
    const clamped = whole([16_777_217, -5], device).clamp(-3e9, 3e9);
    t.deepEqual([clamped.dtype, await clamped.tolist()], ["int32", [16_777_217, -5]], "limits past int32 limit nothing");
  }
});

test("typed arrays of any integers are int32, which must hold them", async (t) => {
  const values: [string, NumericArray | BigInt64Array | BigUint64Array, string, number[]][] = [
    ["Int8Array", Int8Array.of(-1, 127), "int32", [-1, 127]],
    ["Int16Array", Int16Array.of(-300), "int32", [-300]],
    ["Uint16Array", Uint16Array.of(65535), "int32", [65535]],
    ["Uint32Array", Uint32Array.of(2 ** 31 - 1), "int32", [2 ** 31 - 1]],
    ["BigInt64Array", BigInt64Array.of(-5n), "int32", [-5]],
    ["BigUint64Array", BigUint64Array.of(5n), "int32", [5]],
    ["Uint8ClampedArray", Uint8ClampedArray.of(255), "uint8", [255]],
    ["Buffer", Buffer.from([1, 2]), "uint8", [1, 2]],
    ["Float64Array", Float64Array.of(0.5), "float32", [0.5]],
  ];
  for (const [name, array, dtype, expected] of values) {
    const made = tensor(array);
    t.deepEqual([made.dtype, await made.tolist()], [dtype, expected], name);
  }
  await checkRefusals(t, [
    ["a Uint32Array past int32", () => tensor(Uint32Array.of(1, 4e9)), /got 4000000000 at place 1 for dtype int32/],
    ["a BigInt64Array past int32", () => tensor(BigInt64Array.of(2n ** 40n)), /got 1099511627776 at place 0 for dtype int32/],
  ]);
});

test("lists that hold themselves, and shapes past counting, are sentences", async (t) => {
  const endless: number[] = [];
  Reflect.apply(endless.push, endless, [endless, endless]);
  await checkRefusals(t, [
    ["a list that holds itself", () => tensor(endless), /got lists nested more than 64 deep; .*does a list hold itself/],
    ["such a list as a shape", () => zeros(endless), /zeros: got size \[\[\[\[…\], \[…\]\]/],
    ["100 dimensions", () => zeros(new Array<number>(100).fill(1)), /zeros: got a shape of 100 dimensions; expected at most 64/],
  ]);
  await closeDevices(devices);
});
