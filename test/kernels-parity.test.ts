// Takes minutes.
// Every method of Kernels on every device against the reference, on the same data.
import test from "tape";
import { IndexError } from "../kernels/errors.js";
import { openReference } from "../kernels/reference/index.js";
import type { Device, Kernels } from "../kernels/types.js";
import { WebGPUDevice } from "../kernels/webgpu/index.js";
import { kernelFamilies } from "./kernels/families.js";
import { largeGrids } from "./kernels/large.js";
import { closeDevices, type NamedDevice, openTestedDevices } from "./support/devices.js";
import { compareCases, dispatchesOf, type Expectation, expectation, type KernelCase, runCase } from "./support/kernelCase.js";
import { integers, normals, output } from "./support/operands.js";
import { TestRandom } from "./support/random.js";

/** A broken kernel fails hundreds of cases; the first few tell. */
const mostShown = 6;
/** Cases started together: enough to keep a compiler on every core, few enough to hold in memory. */
const atOnce = 40;

/** A reference that remembers which of its methods were called. */
function watched(reference: Device, called: Set<string>): Device {
  const kernels = new Proxy(reference.kernels, {
    get(target, name: keyof Kernels) {
      called.add(name);
      return target[name];
    },
  });
  return new Proxy(reference, { get: (target, name) => (name === "kernels" ? kernels : Reflect.get(target, name, target)) });
}

let devices: NamedDevice[] = [];
const called = new Set<string>();
const reference = watched(openReference(), called);

test("the devices open", async (t) => {
  devices = await openTestedDevices();
  t.equal(devices.length, 4, "cpu on one thread and on two, webgpu with the kernels of this adapter and with those of hardware");
});

/** Whether the kernels of hardware compute the case otherwise than those of this adapter, which have run it already. Labels have numbers of their own. */
function isOtherOnHardware(one: KernelCase): boolean {
  const [own, hardware] = [asWebGPU("webgpu"), asWebGPU("webgpu, kernels of hardware")].map((device) => dispatchesOf(device, one));
  return String(own) !== String(hardware);
}
function asWebGPU(wanted: string): WebGPUDevice {
  const device = devices.find(({ name }) => name === wanted)?.device;
  if (!(device instanceof WebGPUDevice)) throw new TypeError(`${wanted} is not among the devices.`);
  return device;
}
let othersOnHardware = 0;

for (const [family, cases] of Object.entries(kernelFamilies)) {
  test(`kernels: ${family}`, async (t) => {
    const list = cases(), complaints = new Map(devices.map(({ name }): [string, string[]] => [name, []]));
    for (let first = 0; first < list.length; first += atOnce) {
      const some = list.slice(first, first + atOnce);
      const expected: Expectation[] = [];
      for (const one of some) expected.push(await expectation(reference, one));
      for (const { name, device } of devices) {
        const chosen = some.map((one, i) => ({ one, expected: expected[i] ?? { values: [], magnitudes: null } }))
          .filter(({ one }) => !name.includes("hardware") || isOtherOnHardware(one));
        if (name.includes("hardware")) othersOnHardware += chosen.length;
        const found = await compareCases(device, chosen.map(({ one }) => one), chosen.map((row) => row.expected));
        found.forEach((complaint, i) => complaint !== "" && complaints.get(name)?.push(`${chosen[i]?.one.name}: ${complaint}`));
      }
    }
    for (const [name, found] of complaints) t.deepEqual(found.slice(0, mostShown), [], `${name} agrees with the reference in ${list.length} cases`);
  });
}

test("kernels: those of hardware are others, but on hardware", (t) => {
  const { isSoftware } = asWebGPU("webgpu").runtime;
  t.ok(isSoftware ? othersOnHardware > 75 : othersOnHardware === 0, `in ${othersOnHardware} cases, which ran on both`);
  t.end();
});

test("kernels: grids of 65,537 workgroups", async (t) => {
  // The kernels of hardware are the same but for copies that exchange dimensions, whose grids are smaller.
  for (const [what, complaint] of await largeGrids(devices.filter(({ name }) => !name.includes("hardware")))) t.equal(complaint, "", what);
});

test("kernels: an index or a label outside its range is an IndexError", async (t) => {
  const random = new TestRandom(71);
  const matrix = normals(random, [5, 3]), index = integers(random, [2], 5, 6), cells = integers(random, [5, 3], -1, 0);
  const logits = normals(random, [4, 10, 1]), labels = integers(random, [4, 1], 10, 11);
  const params = { reduction: "mean", ignoreIndex: -100, labelSmoothing: 0 } as const;
  const wrong: KernelCase[] = [
    { name: "gather", inputs: [matrix, cells], outputs: [output([5, 3])], run: (k, y, x, i) => k.gather(y, x, i, 0) },
    { name: "scatterAdd", inputs: [cells, matrix], outputs: [matrix], run: (k, y, i, s) => k.scatterAdd(y, i, s, 1) },
    { name: "indexSelect", inputs: [matrix, index], outputs: [output([2, 3])], run: (k, y, x, i) => k.indexSelect(y, x, i, 0) },
    { name: "indexAdd", inputs: [index, normals(random, [2, 3])], outputs: [matrix], run: (k, y, i, s) => k.indexAdd(y, i, s, 0) },
    { name: "crossEntropy", inputs: [logits, labels], outputs: [output([]), output([])],
      run: (k, y, total, x, l) => k.crossEntropy(y, total, x, l, null, params) },
  ];
  const quiet: KernelCase = { name: "fill", inputs: [], outputs: [output([3])], run: (k, y) => k.fill(y, 1) };
  for (const named of [{ name: "reference", device: reference }, ...devices]) {
    for (const one of wrong) {
      const caught = await errorOf(named.device, one);
      t.ok(caught instanceof IndexError && caught.message.includes(one.name), `${named.name}: ${one.name} says "${caught?.message}"`);
      t.deepEqual(await compareCases(named.device, [quiet], [await expectation(reference, quiet)]), [""], `${named.name}: carries on after ${one.name}`);
    }
  }
});

async function errorOf(device: Device, one: KernelCase): Promise<Error | null> {
  try {
    await runCase(device, one);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
  return null;
}

test("kernels: every method was compared", async (t) => {
  const methods = Object.keys(reference.kernels);
  t.deepEqual(methods.filter((method) => !called.has(method)), [], `all ${methods.length} methods ran`);
  await closeDevices(devices);
});
