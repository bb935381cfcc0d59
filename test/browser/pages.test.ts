// Pages that lack something: each says what, and the library works as far as it can.
import type { Browser } from "playwright-core";
import test from "tape";
import { launchChromium, openPage } from "./chromium.js";
import { bundle, type PageKind, serve, type Served } from "./server.js";

let browser: Browser | undefined;
let script = "";
const served: Served[] = [];
test.onFinish(async () => {
  await browser?.close();
  for (const site of served) await site.close();
});

async function open(kind: PageKind) {
  browser ??= await launchChromium();
  script ||= await bundle("test/browser/page.ts");
  const site = await serve(script, kind);
  served.push(site);
  const { page } = await openPage(browser, site.url);
  const opened = (name: "cpu" | "webgpu") => page.evaluate((device) => window.athanorTest.open(device).catch((error: Error) => `${error.name}: ${error.message}`), name);
  return { page, opened };
}

test("a policy without blob workers: one thread, which says why, and trains", async (t) => {
  const { page, opened } = await open({ isolated: true, policy: "script-src 'self' 'wasm-unsafe-eval'" });
  t.match(await opened("cpu"), /^cpu \(1 thread: the page's Content-Security-Policy forbids workers from memory; allow worker-src blob:.*WebAssembly/);
  t.match(await opened("cpu"), /^cpu \(1 thread: .*policy/i, "and so when it is opened again");
  const { losses } = await page.evaluate(() => window.athanorTest.train(3));
  t.equal(losses.filter(Number.isFinite).length, 3);
  await page.close();
});

test("a policy with blob workers: two threads", async (t) => {
  const { page, opened } = await open({ isolated: true, policy: "script-src 'self' 'wasm-unsafe-eval'; worker-src blob:" });
  t.match(await opened("cpu"), /^cpu \(2 threads, WebAssembly/);
  await page.close();
});

test("a policy without WebAssembly is named, for every device", async (t) => {
  const { page, opened } = await open({ isolated: true, policy: "script-src 'self'" });
  t.match(await opened("cpu"), /^DeviceUnavailableError: The page's Content-Security-Policy forbids WebAssembly.*'wasm-unsafe-eval'/);
  await page.close();
});

test("a page without isolation says which headers more threads need", async (t) => {
  const { page, opened } = await open({ isolated: false });
  t.match(await opened("cpu"), /^cpu \(1 thread: the page is not cross-origin isolated; .*Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp/);
  await page.close();
});

test("a training step beside a noGrad block that waits is refused, not left unrecorded", async (t) => {
  const { page, opened } = await open({ isolated: true });
  await opened("cpu");
  const [beside, later, after] = await page.evaluate(() => window.athanorTest.besideNoGrad());
  t.match(beside ?? "", /^backward: a noGrad\(async …\) block is still waiting, and this platform cannot tell tasks apart.*Await the block/);
  t.match(later ?? "", /does not require a gradient.*beside a noGrad\(async …\) block that was waiting/, "what was computed beside it says so later");
  t.equal(after, "", "after it training goes on");
  await page.close();
});
