// Unpacks the archives of the npm package @sparticuz/chromium (brotli, with or without a tar inside) into build/. The package brings what a
// bare machine lacks: SwiftShader (a Vulkan device in software, with its loader), a headless Chromium, and the libraries it links to.
// Plain JavaScript: it runs before anything is built.
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { root } from "./prepare.mjs";

const archives = join(root, "node_modules", "@sparticuz", "chromium", "bin");

/** Folder with libvulkan.so.1, libvk_swiftshader.so and vk_swiftshader_icd.json; unpacked at the first call. */
export function swiftshaderFolder() {
  return unpackOnce("swiftshader", (folder) => untar("swiftshader.tar.br", folder));
}

/** Folder of the headless Chromium, its libraries and SwiftShader: Chromium looks for its adapter beside its own binary. */
export function chromiumFolder() {
  return unpackOnce("chromium", async (folder) => {
    await untar("swiftshader.tar.br", folder);
    await untar("al2023.tar.br", folder);
    await unpack("chromium.br", createWriteStream(join(folder, "chromium"), { mode: 0o755 }));
  });
}

/**
 * The environment in which Dawn finds an adapter: SwiftShader's on Linux x64 (what the package is built for), unless
 * ATHANOR_TEST_ADAPTER=system asks for whatever the machine itself offers.
 */
export async function adapterEnvironment(environment = process.env) {
  const usual = process.platform === "linux" && process.arch === "x64" ? "swiftshader" : "system";
  const wanted = environment.ATHANOR_TEST_ADAPTER ?? usual;
  if (wanted === "system") return { ...environment };
  if (wanted !== "swiftshader") throw new Error(`ATHANOR_TEST_ADAPTER is "${wanted}"; expected "swiftshader" or "system".`);
  const folder = await swiftshaderFolder();
  return {
    ...environment,
    VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"),
    LD_LIBRARY_PATH: [folder, environment.LD_LIBRARY_PATH].filter(Boolean).join(":"),
  };
}

// Unpacks into a folder of its own and renames it, so that an interrupted run never leaves half an archive that looks whole.
async function unpackOnce(name, fill) {
  const folder = join(root, "build", name);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  try {
    await fill(partial);
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // otherwise another process was faster
  }
  return folder;
}

function unpack(archive, target) {
  const source = join(archives, archive);
  if (!existsSync(source)) throw new Error(`${source} is missing: run "npm ci" (the package @sparticuz/chromium is a development dependency).`);
  return pipeline(createReadStream(source), createBrotliDecompress(), target);
}

async function untar(archive, folder) {
  const { extract } = await import("tar-fs"); // installed by now
  await unpack(archive, extract(folder, { chown: false })); // the files are ours, whoever packed them
}
