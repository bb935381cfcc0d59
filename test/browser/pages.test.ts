// Pages that lack something: each says what, and the library works as far as it can.
import type { Browser } from "playwright-core";
import test from "tape";
import { insecureHost, launchChromium, openPage } from "./chromium.js";
import { bundle, type PageKind, serve, type Served } from "./server.js";

let browser: Browser | undefined;
let script = "";
const served: Served[] = [];
test.onFinish(async () => {
  await browser?.close();
  for (const site of served) await site.close();
});

async function open(kind: PageKind, host = "127.0.0.1") {
  browser ??= await launchChromium();
  script ||= await bundle("test/browser/page.ts");
  const site = await serve(script, kind);
  served.push(site);
  const { page } = await openPage(browser, site.url.replace("127.0.0.1", host));
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

test("a policy without WebAssembly is named", async (t) => {
  const { page, opened } = await open({ isolated: true, policy: "script-src 'self'" });
  const forbidden = /DeviceUnavailableError: The page's Content-Security-Policy forbids WebAssembly.*'wasm-unsafe-eval'/;
  t.match(await opened("cpu"), forbidden);
  t.match(await opened("webgpu"), /^webgpu/, "a GPU opens");
  t.match(await page.evaluate(() => window.athanorTest.train(1).catch(String)).then(String), forbidden, "tensors begin on the CPU");
  await page.close();
});

test("a page without isolation says which headers more threads need", async (t) => {
  const { page, opened } = await open({ isolated: false });
  t.match(await opened("cpu"), /^cpu \(1 thread: the page is not cross-origin isolated; .*Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp/);
  await page.close();
});

test("an insecure page says that it is one, for threads and for WebGPU, and trains", async (t) => {
  const { page, opened } = await open({ isolated: true }, insecureHost);
  t.match(await opened("cpu"), /^cpu \(1 thread: the page is not a secure context; serve it over HTTPS or from localhost, with the headers Cross-Origin-Opener-Policy/);
  t.match(await opened("webgpu"), /^DeviceUnavailableError: This page has no WebGPU because it is not a secure context; serve it over HTTPS or from localhost, or use the CPU device\.$/);
  t.match(await page.evaluate(() => window.athanorTest.choose()), /^Using cpu \(.*\): This page has no WebGPU because it is not a secure context/);
  const { losses } = await page.evaluate(() => window.athanorTest.train(3));
  t.equal(losses.filter(Number.isFinite).length, 3);
  await page.close();
});

test("a browser without WebGPU, and one without an adapter: the CPU serves, and one line says why", async (t) => {
  const { page, opened } = await open({ isolated: true });
  await page.evaluate(() => window.athanorTest.lacking("adapter"));
  t.match(await opened("webgpu"), /^DeviceUnavailableError: WebGPU found no adapter on this machine\. The browser may block this GPU or driver \(see chrome:\/\/gpu\)\. Without one, use the CPU device\.$/);
  t.match(await page.evaluate(() => window.athanorTest.choose()), /^Using cpu \(2 threads, [^)]*\): WebGPU found no adapter\.$/);
  await page.evaluate(() => window.athanorTest.lacking("WebGPU"));
  t.match(await opened("webgpu"), /^DeviceUnavailableError: This browser has no WebGPU \(navigator\.gpu is missing\); use a recent Chrome, Edge, Safari or Firefox, or the CPU device\.$/);
  const { losses } = await page.evaluate(() => window.athanorTest.train(3));
  t.equal(losses.filter(Number.isFinite).length, 3);
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
