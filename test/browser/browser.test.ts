// Takes minutes.
// The library in a real browser: bundled, it agrees with the reference and with PyTorch on WebGPU and on WebAssembly, and trains; with
// threads in a cross-origin-isolated page and on one thread in an ordinary one.
import type { Browser } from "playwright-core";
import test, { type Test } from "tape";
import { launchChromium, openPage } from "./chromium.js";
import { bundle, serve, type Served } from "./server.js";

const STEPS = 100;
const LOOP = 2000;
const devices = ["cpu", "webgpu"] as const;

let browser: Browser | undefined;
let script = "";
const served: Served[] = [];
test.onFinish(async () => {
  await browser?.close();
  for (const site of served) await site.close();
});

async function open(t: Test, kinds: readonly (typeof devices)[number][], isolated: boolean) {
  if (browser === undefined) throw new Error("Chromium did not start.");
  const site = await serve(script, { isolated });
  served.push(site);
  const { page, complaints } = await openPage(browser, site.url);
  t.equal(await page.evaluate(() => window.athanorTest.isolated()), isolated, `cross-origin isolated: ${isolated}`);
  const descriptions: string[] = [];
  for (const kind of kinds) descriptions.push(await page.evaluate((name) => window.athanorTest.open(name), kind));
  const close = async () => {
    await page.evaluate(() => window.athanorTest.close());
    await page.close();
    t.deepEqual(complaints, [], "the console stayed free of errors");
  };
  return { page, description: descriptions.join(), close };
}

test("the library bundles for the browser and Chromium starts", async (t) => {
  script = await bundle("test/browser/page.ts");
  t.ok(script.length > 0, `one module of ${(script.length / 1024).toFixed(0)} KiB, no static import of Node's modules`);
  browser = await launchChromium();
  t.ok(browser.isConnected(), `Chromium ${browser.version()}`);
});

test(`in the browser, ${devices.join(" and ")}: kernels agree with the reference, operations and layers with PyTorch`, async (t) => {
  const { page, description, close } = await open(t, devices, true);
  t.comment(description);
  for (const family of await page.evaluate(() => window.athanorTest.families())) {
    const found = await page.evaluate((name) => window.athanorTest.compareFamily(name), family);
    t.deepEqual(found.complaints, [], `kernels: ${family}: ${found.cases} cases`);
  }
  const operations = await page.evaluate(() => window.athanorTest.compareOperations());
  t.ok(operations.cases > 0);
  t.deepEqual(operations.complaints, [], `operations: ${operations.cases} rows`);
  const layers = await page.evaluate(() => window.athanorTest.compareLayers());
  t.ok(layers.cases > 0);
  t.deepEqual(layers.complaints, [], `layers and losses: ${layers.cases} rows`);
  await close();
});

for (const device of devices) {
  test(`in the browser, ${device}: SimpleCNN trains for ${STEPS} steps`, async (t) => trains(t, device, true));
}

for (const device of devices) {
  test(`in the browser, ${device}: ${LOOP} steps that await item() alone run in flat memory`, async (t) => {
    const { page, close } = await open(t, [device], true);
    page.setDefaultTimeout(120_000);
    const { early, late } = await page.evaluate((steps) => window.athanorTest.holds(steps), LOOP);
    t.ok(early > 0 && late <= 1.1 * early + 2 ** 20, `${(early / 2 ** 20).toFixed(1)} → ${(late / 2 ** 20).toFixed(1)} MiB`);
    await close();
  });
}

test("in a page without cross-origin isolation the CPU device trains on one thread", async (t) => trains(t, "cpu", false));

async function trains(t: Test, device: (typeof devices)[number], isolated: boolean): Promise<void> {
  const { page, description, close } = await open(t, [device], isolated);
  const start = performance.now();
  const { losses, peakBytes } = await page.evaluate((steps) => window.athanorTest.train(steps), STEPS);
  t.comment(`${description}: ${((performance.now() - start) / STEPS).toFixed(1)} ms a step, peak ${(peakBytes / 2 ** 20).toFixed(1)} MiB`);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [first, last] = [mean(losses.slice(0, 10)), mean(losses.slice(-10))];
  t.equal(losses.filter(Number.isFinite).length, STEPS, `${STEPS} finite losses`);
  t.ok(last < 0.5 * first, `the loss falls from ${first.toFixed(3)} to ${last.toFixed(3)}`);
  if (device === "cpu") t.match(description, isolated ? /2 threads/ : /1 thread\b/, "as many threads as the page allows");
  await close();
}
