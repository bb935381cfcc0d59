// The house itself: without an adapter the test run fails in a sentence, and the TAP reader that counts everybody else's assertions counts right.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import test from "tape";

function runNode(args: string[], env: Record<string, string>) {
  const result = spawnSync(process.execPath, args, { encoding: "utf8", env: { ...process.env, ...env } });
  return { status: result.status, text: `${result.stdout}${result.stderr}`, lastLine: result.stdout.trim().split("\n").at(-1) };
}

test("with no WebGPU adapter the test run fails and says what is missing", (t) => {
  const { status, text, lastLine } = runNode(["scripts/test.mjs", "no-such-file"], {
    ATHANOR_TEST_ADAPTER: "system",
    VK_ICD_FILENAMES: "/nonexistent/driver.json",
  });
  t.equal(status, 1, "exit code 1");
  t.match(text, /No WebGPU adapter: Dawn found no usable graphics driver \(VK_ICD_FILENAMES is \/nonexistent\/driver\.json\)/);
  t.match(text, /@sparticuz\/chromium brings a software adapter/, "says what to do");
  t.equal(lastLine, "0 passed, 1 failed");
  t.end();
});

test("a program without a driver: what is lacking and what to do; auto takes the CPU and says why in a few words", (t) => {
  const program = `
    import { openDevice } from "./dist/index.js";
    await openDevice("webgpu").catch((error) => console.log(error.name, error.message));
    await openDevice("auto", { onChoice: (line) => console.log(line) });`;
  const env = { ...process.env, VK_ICD_FILENAMES: "/nonexistent/driver.json" };
  const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", env });
  const [refused = "", chosen = ""] = stdout.split("\n");
  t.equal(status, 0, "and the process ends");
  t.match(refused, /^DeviceUnavailableError WebGPU found no adapter on this machine\. .*Vulkan driver: install one \(mesa-vulkan-drivers .*before version 23, which Debian 12 has: take it from bookworm-backports\)/);
  t.match(refused, /point VK_ICD_FILENAMES at a driver's JSON file .* Without one, use the CPU device\.$/);
  t.match(chosen, /^Using cpu \([^)]*\): WebGPU found no adapter\.$/);
  t.end();
});

test("a wrong ATHANOR_TEST_ADAPTER is a sentence", (t) => {
  const { status, text } = runNode(["scripts/test.mjs", "no-such-file"], { ATHANOR_TEST_ADAPTER: "voodoo" });
  t.equal(status, 1);
  t.match(text, /ATHANOR_TEST_ADAPTER is "voodoo"; expected "swiftshader" or "system"/);
  t.end();
});

test("a name that no test has is a failure, not an empty success", (t) => {
  const { status, lastLine } = runNode(["scripts/test.mjs", "no-such-file"], {});
  t.equal(status, 1);
  t.equal(lastLine, "0 passed, 1 failed");
  t.end();
});

test("the README's table of operations is the one its script writes", (t) => {
  const { status, text } = runNode(["--import", "tsx", "scripts/operations-table.ts", "--check"], {});
  t.deepEqual({ status, text }, { status: 0, text: "" });
  t.end();
});

test("every link of the README and of ARCHITECTURE.md leads somewhere", (t) => {
  for (const page of ["README.md", "ARCHITECTURE.md"]) {
    const links = [...readFileSync(page, "utf8").matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target ?? "");
    t.ok(links.length > 0);
    t.deepEqual(links.filter((target) => !existsSync(target)), [], page);
  }
  t.end();
});

test("from Conv2d to its WGSL it is five files, each of which names the next", (t) => {
  const path = ["nn/layers/conv.ts"];
  for (let file = path[0]; file !== undefined && path.length < 20;) {
    const [, next] = /^(?:\/\/.*\n)*?\/\/.*Next:\s(?:\/\/ )?([\w/.]+\.ts)/.exec(readFileSync(file, "utf8")) ?? [];
    if (next !== undefined) path.push(next);
    file = next;
  }
  t.deepEqual(path, ["nn/layers/conv.ts", "nn/functional/fused.ts", "engine/ops/conv.ts", "kernels/webgpu/conv2d.ts", "kernels/webgpu/tappedProduct.ts"]);
  t.match(readFileSync(path.at(-1) ?? "", "utf8"), /for \(var \w+ = 0u; /, "the last one holds it");
  t.end();
});

test("the TAP reader", async (t) => {
  const { parseTap, runTap } = await import("../scripts/tap.mjs");
  const told = parseTap("TAP version 13\n# sums\nok 1 one\nnot ok 2 two\n  ---\n    operator: equal\n    expected: 1\n  ...\nok 3 three\n\n1..3\n");
  t.equal(told.passed, 2);
  t.equal(told.planned, 3);
  t.deepEqual(told.failures, ["not ok 2 two  (sums)\n    operator: equal\n    expected: 1"]);

  const run = (program: string, timeoutSeconds = 30) => runTap(process.execPath, ["-e", program], { cwd: ".", env: process.env, timeoutSeconds });
  t.match((await run("")).failures.join(), /asserted nothing/, "a silent file fails");
  t.match((await run("console.log('ok 1\\n1..1'); process.exit(3)")).failures.join(), /exited with 3/, "a crash fails");
  t.match((await run("console.log('ok 1\\n1..2')")).failures.join(), /ended after 1 of 2 assertions/, "a cut-off file fails");
  t.match((await run("console.log('ok 1')")).failures.join(), /ended after 1 of an unknown number/, "a missing plan fails");
  t.match((await run("setInterval(() => {}, 1000)", 0.5)).failures.join(), /did not end within 0.5 s/, "a hanging file fails");
  t.deepEqual((await run("console.log('ok 1\\n1..1')")).failures, [], "a good file passes");
});
