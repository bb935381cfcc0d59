// Runs a command where Dawn finds the software adapter of the tests: node scripts/with-adapter.mjs npx tsx some-script.ts
import { spawn } from "node:child_process";
import { adapterEnvironment } from "./archives.mjs";

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  console.error("Usage: node scripts/with-adapter.mjs COMMAND [ARGUMENT …]");
  process.exit(2);
}
const child = spawn(command, args, { stdio: "inherit", env: await adapterEnvironment() });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`Cannot run ${command}: ${error.message}`);
  process.exit(127);
});
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
