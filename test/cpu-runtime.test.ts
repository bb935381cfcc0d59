// The CPU's runtime: the same bits whatever the number of threads, memory that is reused and never grows without need, and errors that end
// in a sentence instead of a hang. Sizes here are large enough for every kernel family to be split over threads.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import test from "tape";
import { Allocator } from "../kernels/cpu/allocator.js";
import { FreeList } from "../kernels/cpu/freeList.js";
import { openCpu } from "../kernels/cpu/index.js";
import { CpuRuntime } from "../kernels/cpu/runtime.js";
import { OutOfMemoryError } from "../kernels/errors.js";
import { v8Flags } from "../scripts/v8-flags.mjs";
import { largeCases } from "./kernels/threads.js";
import { runCase } from "./support/kernelCase.js";

const bytesOf = (values: ArrayBufferView) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

test("every kernel family gives the same bits on one thread and on two", async (t) => {
  const one = await openCpu({ threads: 1 }), two = await openCpu({ threads: 2 });
  for (const [family, cases] of Object.entries(largeCases())) {
    const different: string[] = [];
    for (const given of cases) {
      const alone = await runCase(one, given), together = await runCase(two, given);
      if (!alone.every((values, i) => bytesOf(values).equals(bytesOf(together[i] ?? new Uint8Array(0))))) different.push(given.name);
    }
    t.deepEqual(different, [], `${family}: ${cases.length} cases`);
  }
  await one.close();
  await two.close();
});

test("both WebAssembly modules multiply right: the plain one, and the relaxed one that is made from it", async (t) => {
  const program = `
    import { openDevice, tensor } from "./dist/index.js";
    const [simd, n] = [process.argv[1], 37];
    const device = await openDevice("cpu", { threads: 1, simd });
    const rows = (f) => Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => f(i, j)));
    const a = rows((i, j) => (i * 7 + j * 5) % 11 - 5), b = rows((i, j) => (i * 3 + j * 2) % 13 - 6);
    const got = await tensor(a).matmul(tensor(b)).tolist();
    const wrong = rows((i, j) => a[i].reduce((sum, value, k) => sum + value * b[k][j], 0) === got[i][j] ? 0 : 1).flat();
    console.log(device.description, wrong.reduce((sum, one) => sum + one));`;
  for (const [simd, described] of [["plain", "WebAssembly SIMD"], ["relaxed", "WebAssembly relaxed SIMD"]] as const) {
    const { stdout } = await promisify(execFile)(process.execPath, [...v8Flags, "--input-type=module", "-e", program, simd]);
    t.match(stdout, new RegExp(`, ${described}\\) 0\n$`), stdout.trim());
  }
});

test("in Node with a window, as test runners make one, threads are Node's; a page of Electron has a page's", async (t) => {
  const program = `
    globalThis.window = {};
    if (process.argv[1] === "electron") Object.assign(process, { type: "renderer" });
    const { openDevice, tensor } = await import("./dist/index.js");
    const device = await openDevice("cpu", { threads: 2 });
    console.log(device.description, await tensor([1, 2]).to(device).sum().item());
    await device.close();`;
  const said = async (where: string) => (await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, where])).stdout;
  t.match(await said("jsdom"), /^cpu \(2 threads, .*\) 3\n$/);
  t.match(await said("electron"), /^cpu \(1 thread: the page is not cross-origin isolated; .*\) 3\n$/);
});

test("the heap hands out the lowest free block, merges neighbours and keeps blocks apart", async (t) => {
  const heap = new Allocator(1024, 65536, 1 << 20, () => true);
  const [a, b, c] = [heap.allocate(100), heap.allocate(100), heap.allocate(100)];
  t.ok(a.address < b.address && b.address < c.address, "ascending addresses");
  t.ok([a, b, c].every(({ address }) => address % 64 === 0), "64-byte alignment");
  t.ok(b.address - a.address >= 116, "padding behind a block, for the overrun of its last vector");
  heap.release(a.address);
  heap.release(b.address);
  t.equal(heap.allocate(300).address > c.address, true, "what does not fit a hole goes behind");
  t.equal(heap.allocate(200).address, a.address, "two holes side by side are one");
  heap.release(c.address);
  t.equal(heap.allocate(10).address < c.address + 64, true, "lowest address first");
});

test("the list of free blocks is a plain list of blocks, for any number of fragments", (t) => {
  const free = new FreeList(), end = 40_000 * 64;
  free.give(0, end);
  let plain: [start: number, size: number][] = [[0, end]];
  const live: [start: number, size: number][] = [];
  let state = 7;
  const random = (below: number) => Math.floor(((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32) * below);
  let wrong = 0;
  for (let i = 0; i < 12_000; i++) {
    if (live.length > 0 && random(10) < (i < 7_000 ? 3 : 6)) {
      const [[start, size] = [0, 0]] = live.splice(random(live.length), 1);
      free.give(start, size);
      const at = plain.findIndex(([other]) => other > start);
      plain.splice(at < 0 ? plain.length : at, 0, [start, size]);
      plain = plain.reduce<[number, number][]>((joined, [from, length]) => {
        const last = joined[joined.length - 1];
        if (last !== undefined && last[0] + last[1] === from) last[1] += length;
        else joined.push([from, length]);
        return joined;
      }, []);
    } else {
      const size = 64 * (1 + random(random(8) === 0 ? 40 : 3)), hole = plain.find(([, length]) => length >= size), start = free.take(size);
      if (start !== (hole?.[0] ?? -1)) wrong++;
      if (hole === undefined) continue;
      live.push([hole[0], size]);
      if (hole[1] === size) plain.splice(plain.indexOf(hole), 1);
      else [hole[0], hole[1]] = [hole[0] + size, hole[1] - size];
    }
    const last = plain[plain.length - 1];
    if (free.endingAt(end) !== (last !== undefined && last[0] + last[1] === end ? last[1] : 0)) wrong++;
  }
  t.equal(wrong, 0, `${plain.length} fragments at the end: the lowest that fits each time`);
  t.end();
});

test("freeing fragments takes no longer for each when there are many", (t) => {
  const timeOf = (fragments: number): number => {
    const free = new FreeList(), start = performance.now();
    for (let i = 0; i < fragments; i++) free.give(128 * i, 64); // none touches another
    for (let i = 0; i < fragments; i++) free.give(128 * i + 64, 64);
    return performance.now() - start;
  };
  const best = (fragments: number) => Math.min(timeOf(fragments), timeOf(fragments), timeOf(fragments), timeOf(fragments));
  timeOf(20_000);
  const few = best(20_000), many = best(320_000);
  t.ok(many < 64 * few, `16 times the fragments take ${(many / few).toFixed(1)} times as long (a quadratic list: 256)`);
  t.end();
});

test("a loop whose allocations repeat settles in the same memory", async (t) => {
  const device = await openCpu({ threads: 1 });
  const step = () => {
    const held = [1_000, 50_000, 7, 123_456, 50_000].map((elements) => device.allocate(elements));
    const late = device.allocate(300_000);
    for (const buffer of held) device.release(buffer);
    device.release(late);
  };
  for (let i = 0; i < 10; i++) step();
  const pooled = device.pooledBytes, created = device.counters.newBuffers;
  for (let i = 0; i < 2_000; i++) step();
  t.equal(device.pooledBytes, pooled, "pooled bytes stay what they were");
  t.equal(device.counters.newBuffers, created, "no buffer is new");
  await device.close();
});

test("running out of memory is a sentence, and the device carries on", async (t) => {
  const device = await openCpu({ threads: 1 });
  try {
    device.allocate(device.capacity / 4 + 1);
    t.fail("an allocation past the capacity succeeded");
  } catch (error) {
    t.ok(error instanceof OutOfMemoryError, "an OutOfMemoryError");
    const message = error instanceof Error ? error.message : "";
    t.match(message, /cannot allocate \d+\.\d+ GiB.*live in 0 buffers.*smaller batch.*noGrad/, message);
  }
  const buffer = device.allocate(3);
  device.upload(buffer, Float32Array.of(1, 2, 3), "float32");
  t.deepEqual([...device.downloadSync(buffer, 3, "float32")], [1, 2, 3]);
  await device.close();
});

test("contents survive the memory's growth", async (t) => {
  const device = await openCpu({ threads: 2 });
  const first = device.allocate(4);
  device.upload(first, Int32Array.of(5, 6, 7, 8), "int32");
  const large = device.allocate(40_000_000);
  t.deepEqual([...(await device.download(first, 4, "int32"))], [5, 6, 7, 8]);
  device.release(large);
  await device.close();
});

test("a kernel that traps ends in an error on every thread, never in a hang", async (t) => {
  const runtime = await CpuRuntime.create({ threads: 2 });
  const outside = 0xfffff000;
  for (let i = 0; i < 20; i++) {
    t.throws(() => runtime.run("convertIntToFloat", 64, [outside, outside, 64 * 16384]), /kernel "convertIntToFloat" stopped: .*out of bounds/);
  }
  const buffer = runtime.allocate(64 * 16384);
  runtime.upload(buffer, new Int32Array(64 * 16384).fill(3), "int32");
  runtime.run("convertIntToFloat", 64, [buffer.address, buffer.address, 64 * 16384]);
  t.ok(runtime.download(buffer, 64 * 16384, "float32").every((value) => value === 3), "and the threads work on");
  t.throws(() => runtime.run("noSuchKernel", 1, []), /no kernel "noSuchKernel"/);
  await runtime.close();
});

test("buffers of other devices, released buffers and closed devices are refused", async (t) => {
  const one = await openCpu({ threads: 1 }), other = await openCpu({ threads: 1 });
  const buffer = one.allocate(4), foreign = other.allocate(4);
  t.throws(() => one.downloadSync(foreign, 4, "float32"), /another device/);
  one.release(buffer);
  t.throws(() => one.downloadSync(buffer, 4, "float32"), /released/);
  await one.close();
  await one.close();
  t.throws(() => one.allocate(4), /closed/);
  await other.close();
});

test("a number of threads that makes no sense is refused", async (t) => {
  for (const threads of [0, 1.5, -2, 1000]) {
    const message = await openCpu({ threads }).then(() => "opened", (error: Error) => error.message);
    t.match(message, /integer from 1 to 16/, message);
  }
});

test("threads that were never closed do not keep the process alive", (t) => {
  const program = `
    import { openCpu } from "./kernels/cpu/index.ts";
    const device = await openCpu({ threads: 3 });
    device.allocate(10);
    console.log(device.description);
  `;
  execFile(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", program], { timeout: 60_000 }, (error, stdout) => {
    t.equal(error, null, "the process ended by itself");
    t.match(stdout, /cpu \(3 threads/);
    t.end();
  });
});
