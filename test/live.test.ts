// Live curves: what the windows hold, what the server answers and refuses, and the page in a real browser, which draws along and survives a reload.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import test from "tape";
import { data } from "../index.js";
import { Visdom } from "../training/live/index.js";
import { launchChromium } from "./browser/chromium.js";
import { type RefusedCall, checkRefusals, refusal } from "./support/refusal.js";

const root = fileURLToPath(new URL("..", import.meta.url));

function ask(url: string, options: { method?: string; host?: string } = {}): Promise<{ status: number; text: string; type: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: options.method ?? "GET", ...(options.host && { headers: { Host: options.host } }) }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text, type: String(response.headers["content-type"]) }));
    });
    asked.on("error", reject).end();
  });
}

test("windows: begin, append, replace, several lines, gaps, names", async (t) => {
  const viz = await Visdom.open({ port: 0 });
  const lines = (win: string) => {
    const window = viz.window(win);
    return window?.kind === "line" ? window.lines : null;
  };
  t.equal(viz.line([0], [0], { win: "train_loss", opts: { title: "train_loss" } }), "train_loss");
  viz.line(0.5, 1, { win: "train_loss", update: "append" });
  viz.line([0.25, NaN], [2, 3], { win: "train_loss", update: "append" });
  t.deepEqual(lines("train_loss"), [{ name: "train_loss", x: [0, 1, 2, 3], y: [0, 0.5, 0.25, null] }], "as the notes call it; NaN is a gap");
  viz.line([[1, 90], [0.5, 95]], [1, 2], { win: "test", opts: { title: "test", legend: ["loss", "acc."] } });
  viz.line([[0.4, 96]], [3], { win: "test", update: "append" });
  t.deepEqual(lines("test"), [{ name: "loss", x: [1, 2, 3], y: [1, 0.5, 0.4] }, { name: "acc.", x: [1, 2, 3], y: [90, 95, 96] }], "a row a point");
  viz.line([7], [4], { win: "test", name: "lr", update: "append" });
  viz.line([0.3], [4], { win: "test", name: "loss", update: "append" });
  viz.line([8], [5], { win: "test", name: "lr", update: "replace" });
  t.deepEqual(lines("test")?.map(({ name, x }) => [name, x]), [["loss", [1, 2, 3, 4]], ["acc.", [1, 2, 3]], ["lr", [5]]], "lines by name");
  viz.line([1], [1], { win: "train_loss" });
  t.deepEqual(lines("train_loss")?.[0]?.x, [1], "without update the window begins anew");
  t.deepEqual([viz.line(1, 1), viz.line(1, 1), viz.text("hello")], ["window 1", "window 2", "window 3"], "windows without a name");
  t.deepEqual([viz.remove("window 1"), viz.remove("window 1"), viz.window("window 1")], [true, false, null]);
  for (let step = 0; step < 30_000; step++) viz.line(step, step, { win: "long", update: "append" });
  const [long] = lines("long") ?? [];
  const count = long?.x.length ?? 0;
  t.ok(count > 10_000 && count <= 20_000, `30,000 points are thinned to ${count}`);
  t.ok((long?.x[0] ?? 9) <= 1 && long?.x.at(-1) === 29_999, "from the first to the last");
  const rows: RefusedCall[] = [
    ["more values than places", () => viz.line([1, 2], [1]), /2 values for 1 places/],
    ["uneven rows", () => viz.line([[1, 2], [1]], [1, 2]), /uneven rows/],
    ["a place that is none", () => viz.line(1, NaN), /NaN as a place/],
    ["an odd update", () => viz.line(1, 1, { update: JSON.parse('"add"') }), /update "add"/],
    ["two lines of one name", () => viz.line([[1, 2]], [1], { name: "a" }), /2 lines for the name "a"/],
    ["an odd port", () => Visdom.open({ port: 70_000 }), /port 70000/],
  ];
  await checkRefusals(t, rows);
  await viz.close();
  await viz.close();
  t.match(await refusal(() => viz.line(1, 1)), /was closed/);
});

test("the server answers this machine, and only reads", async (t) => {
  const viz = await Visdom.open({ port: 0, title: "A <page>" });
  t.match(viz.url, /^http:\/\/127\.0\.0\.1:\d+\/$/, "on loopback, on a free port");
  const page = await ask(viz.url);
  t.ok(page.status === 200 && page.text.includes("<title>A &lt;page></title>"), "the page");
  t.ok((await ask(`${viz.url}uPlot.js`)).text.includes("uPlot"), "uPlot");
  for (const path of ["none", "../package.json", "..%2fpackage.json"]) t.equal((await ask(`${viz.url}${path}`)).status, 404, path);
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) t.equal((await ask(viz.url, { method })).status, 405, method);
  t.equal((await ask(viz.url, { method: "HEAD" })).text, "", "HEAD");
  t.equal((await ask(viz.url, { host: "evil.example" })).status, 403, "a name that is not this machine's");
  t.equal((await ask(viz.url, { host: "localhost:1" })).status, 200, "localhost is");
  const port = Number(new URL(viz.url).port);
  t.match(await refusal(() => Visdom.open({ port })), /EADDRINUSE.*another program has that port; name another, or 0/, "the port is taken");
  await viz.close();
  const other = createServer().listen(port, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  t.pass("after close the port is free");
  await new Promise((resolve) => other.close(resolve));
});

test("a process with a live page ends when its work is done, though a page is open", async (t) => {
  const program = `
    import { Visdom } from ${JSON.stringify(join(root, "training/live/index.ts"))};
    const viz = await Visdom.open({ port: 0 });
    viz.line(1, 1, { win: "loss" });
    console.log(viz.url);
    process.stdin.once("data", () => process.stdin.unref());`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const url = await new Promise<string>((resolve) => child.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.trim())));
  const greeted = await new Promise<string>((resolve, reject) => {
    const page = request(`${url}events`, (response) => response.setEncoding("utf8").once("data", resolve).on("error", () => undefined));
    page.on("error", reject).end();
  });
  t.ok(greeted.includes('"win":"loss"'), "a page that connects late is told everything");
  child.stdin.write("go on\n");
  const code = await Promise.race([ended, new Promise((resolve) => setTimeout(() => resolve("still running"), 20_000))]);
  t.equal(code, 0);
  if (code !== 0) child.kill("SIGKILL");
});

let browser: Browser | null = null;
const caption = (page: Page, win: string) => page.locator(`section[data-win="${win}"] > p`).textContent();
// Locators, not waitForFunction: that needs eval, which the page's own policy forbids.
const waitForCaption = (page: Page, win: string, part: string) => page.locator(`section[data-win="${win}"] > p`, { hasText: part }).waitFor();

test("in Chromium the page draws along, survives a reload, and says when the training has ended", async (t) => {
  browser = await launchChromium();
  const viz = await Visdom.open({ port: 0, title: "A training" });
  viz.line([2.3], [0], { win: "train_loss", opts: { title: "Training loss", xlabel: "step", ylabel: "loss" } });
  const page = await browser.newPage({ viewport: { width: 1000, height: 760 } });
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(viz.url);
  await waitForCaption(page, "train_loss", "Training loss: 2.3 at 0");
  t.equal(await page.title(), "A training");
  for (let step = 1; step <= 200; step++) {
    viz.line([2.3 * Math.exp(-step / 60) + 0.02 * Math.sin(step)], [step], { win: "train_loss", update: "append" });
  }
  await waitForCaption(page, "train_loss", "at 200");
  t.pass("200 points arrived while the page was open");
  for (let epoch = 1; epoch <= 8; epoch++) {
    const opts = epoch === 1 && { opts: { title: "Test", xlabel: "epoch", legend: ["loss", "accuracy"] } };
    viz.line([[1 / epoch, 1 - 0.5 / epoch]], [epoch], { win: "test", update: "append", ...opts });
  }
  viz.text("Adam, lr 0.001\nbatch size 64", { win: "settings", opts: { title: "Settings" } });
  await page.waitForSelector('section[data-win="settings"] pre');
  await waitForCaption(page, "test", "accuracy: 0.9375 at 8");
  t.equal(await page.locator("section").count(), 3, "several windows");
  t.equal(await page.locator("canvas").count(), 2, "two of them charts");
  const before = await Promise.all(["train_loss", "test"].map((win) => caption(page, win)));
  await page.reload();
  await waitForCaption(page, "train_loss", "at 200");
  await waitForCaption(page, "test", "at 8");
  t.deepEqual(await Promise.all(["train_loss", "test"].map((win) => caption(page, win))), before, "a reload brings everything back");
  const second = await browser.newPage();
  await second.goto(viz.url);
  await waitForCaption(second, "test", "at 8");
  viz.line([[0.1, 0.95]], [9], { win: "test", update: "append" });
  await Promise.all([waitForCaption(page, "test", "at 9"), waitForCaption(second, "test", "at 9")]);
  t.pass("two pages see the same");
  viz.remove("settings");
  await page.locator('section[data-win="settings"]').waitFor({ state: "detached" });
  viz.text("Adam, lr 0.001\nbatch size 64", { win: "settings", opts: { title: "Settings" } });
  await page.waitForSelector('section[data-win="settings"] pre');
  await page.waitForTimeout(200); // the charts' next frame
  const shot = await page.screenshot();
  mkdirSync(join(root, "build"), { recursive: true });
  await data.writePngFile(join(root, "build", "live.png"), await data.decodePng(shot, { channels: 3 }));
  const image = await data.decodePng(shot, { channels: 3 });
  const blue = countColor(image, [0, 114, 178]), vermilion = countColor(image, [213, 94, 0]);
  t.ok(blue > 300 && vermilion > 100, `the curves are on the picture: ${blue} blue and ${vermilion} vermilion pixels`);
  t.deepEqual(complaints, [], "the console stayed free of errors");
  await viz.close();
  await page.locator("#state", { hasText: "the training has ended" }).waitFor();
  t.equal(await page.locator("section").count(), 3, "what was drawn stays");
});

function countColor({ data: values }: data.Image, [red, green, blue]: readonly [number, number, number]): number {
  let count = 0;
  for (let i = 0; i < values.length; i += 3) {
    const distance = Math.abs((values[i] ?? 0) - red) + Math.abs((values[i + 1] ?? 0) - green) + Math.abs((values[i + 2] ?? 0) - blue);
    if (distance < 40) count++;
  }
  return count;
}

test.onFinish(() => void browser?.close());
