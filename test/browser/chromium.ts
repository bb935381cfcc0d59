// Starts the headless Chromium that the development dependency @sparticuz/chromium brings, with WebGPU on its software adapter.
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { chromiumFolder } from "../../scripts/archives.mjs";

/** A name of this machine whose pages are no secure contexts, as http://localhost is one. */
export const insecureHost = "insecure.test";

// Chromium looks for the adapter's library beside its own binary; no flag may reach for the network.
const flags = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension", // as openWebGPU asks for in Node
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
  `--host-resolver-rules=MAP ${insecureHost} 127.0.0.1`,
];

/** Chromium draws with the font that the project brings and no other: a machine without any shows the same as one with many. */
async function fontEnvironment(): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "athanor-fonts-"));
  const file = join(folder, "fonts.conf"), fonts = fileURLToPath(new URL("../../node_modules/@expo-google-fonts/open-sans", import.meta.url));
  await writeFile(file, `<?xml version="1.0"?>\n<fontconfig><dir>${fonts}</dir><cachedir>${folder}</cachedir></fontconfig>\n`);
  return { FONTCONFIG_FILE: file };
}

export async function launchChromium(): Promise<Browser> {
  const folder = await chromiumFolder();
  const libraries = [folder, join(folder, "lib"), process.env["LD_LIBRARY_PATH"]].filter(Boolean).join(":");
  return chromium.launch({ executablePath: join(folder, "chromium"), headless: true, args: flags, env: { ...process.env, ...(await fontEnvironment()), LD_LIBRARY_PATH: libraries } });
}

/** Opens the page and waits until its module has put its functions on `window`; what the page complains about is collected. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(url);
  await page.waitForFunction(() => "athanorTest" in window).catch((error: unknown) => {
    throw new Error(`The page did not load: ${complaints.join("; ") || String(error)}`);
  });
  return { page, complaints };
}
