// Runs one test file in a process of its own and reads its TAP output: how many assertions passed, which failed and what they said.
import { spawn } from "node:child_process";

/**
 * Runs a command and resolves to { passed, failures, seconds }. A file that crashed, hangs or asserted nothing counts as one failure: silence is
 * never success.
 */
export function runTap(command, args, { cwd, env, timeoutSeconds }) {
  return new Promise((settle) => {
    const start = performance.now();
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutSeconds * 1000);
    child.stdout.setEncoding("utf8").on("data", (chunk) => (output += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk) => (errors += chunk));
    child.on("error", (error) => (errors += error.message));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const { passed, failures, planned } = parseTap(output);
      const crash = describeCrash({ code, signal, timedOut, timeoutSeconds, planned, asserted: passed + failures.length, failures });
      if (crash) failures.push([crash, ...tail(output), ...tail(errors)].join("\n"));
      settle({ passed, failures, seconds: (performance.now() - start) / 1000 });
    });
  });
}

function describeCrash({ code, signal, timedOut, timeoutSeconds, planned, asserted, failures }) {
  if (timedOut) return `did not end within ${timeoutSeconds} s`;
  if (signal) return `was killed by ${signal}`;
  if (code !== 0 && failures.length === 0) return `exited with ${code}`;
  if (asserted === 0) return "asserted nothing";
  if (planned !== asserted) return `ended after ${asserted} of ${planned ?? "an unknown number of"} assertions`;
  return null;
}

/** A failure is its "not ok" line, the test it stands in and the block of details that follows. */
export function parseTap(output) {
  let passed = 0;
  let planned = null;
  let test = "";
  const failures = [];
  const lines = output.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (/^ok\b/.test(line)) passed++;
    else if (/^not ok\b/.test(line)) {
      const details = [];
      if (lines[i + 1]?.trim() === "---") while (++i < lines.length && lines[i].trim() !== "...") details.push(lines[i]);
      failures.push([`${line}${test && `  (${test})`}`, ...details.slice(1, 25)].join("\n"));
    } else if (/^1\.\.\d+/.test(line)) planned = Number(line.slice(3));
    else if (line.startsWith("# ")) test = line.slice(2);
  }
  return { passed, failures, planned };
}

function tail(text, lines = 25) {
  return text.split("\n").filter((line) => line.trim() !== "" && !/^ok\b/.test(line)).slice(-lines);
}
