// Unpacks the archives of the npm package @sparticuz/chromium (brotli, with or without a tar inside) into build/. The package brings what a
// bare machine lacks: SwiftShader (a Vulkan device in software, with its loader), a headless Chromium, and the libraries it links to.
// Plain JavaScript without dependencies: it runs before anything is built.
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { root } from "./prepare.mjs";

const archives = join(root, "node_modules", "@sparticuz", "chromium", "bin");
const BLOCK = 512;

/** Folder with libvulkan.so.1, libvk_swiftshader.so and vk_swiftshader_icd.json; unpacked at the first call. */
export function swiftshaderFolder() {
  return unpackOnce("swiftshader", (folder) => untar(open("swiftshader.tar.br"), folder));
}

/** Folder of the headless Chromium, its libraries and SwiftShader: Chromium looks for its adapter beside its own binary. */
export function chromiumFolder() {
  return unpackOnce("chromium", (folder) => {
    untar(open("swiftshader.tar.br"), folder);
    untar(open("al2023.tar.br"), folder);
    writeFileSync(join(folder, "chromium"), open("chromium.br"), { mode: 0o755 });
  });
}

/**
 * The environment in which Dawn finds an adapter: SwiftShader's on Linux x64 (what the package is built for), unless
 * ATHANOR_TEST_ADAPTER=system asks for whatever the machine itself offers.
 */
export function adapterEnvironment(environment = process.env) {
  const usual = process.platform === "linux" && process.arch === "x64" ? "swiftshader" : "system";
  const wanted = environment.ATHANOR_TEST_ADAPTER ?? usual;
  if (wanted === "system") return { ...environment };
  if (wanted !== "swiftshader") throw new Error(`ATHANOR_TEST_ADAPTER is "${wanted}"; expected "swiftshader" or "system".`);
  const folder = swiftshaderFolder();
  return {
    ...environment,
    VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"),
    LD_LIBRARY_PATH: [folder, environment.LD_LIBRARY_PATH].filter(Boolean).join(":"),
  };
}

// Unpacks into a folder of its own and renames it, so that an interrupted run never leaves half an archive that looks whole.
function unpackOnce(name, unpack) {
  const folder = join(root, "build", name);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  try {
    unpack(partial);
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // otherwise another process was faster
  }
  return folder;
}

function open(archive) {
  const source = join(archives, archive);
  if (!existsSync(source)) throw new Error(`${source} is missing: run "npm ci" (the package @sparticuz/chromium is a development dependency).`);
  return brotliDecompressSync(readFileSync(source));
}

function untar(bytes, folder) {
  const text = (start, length) => bytes.toString("utf8", start, start + length).replace(/\0.*$/s, "");
  let longName = null;
  for (let offset = 0; offset + BLOCK <= bytes.length; ) {
    const header = offset;
    if (bytes[header] === 0) break; // the two zero blocks at the end
    const size = parseInt(text(header + 124, 12).trim() || "0", 8);
    const type = String.fromCharCode(bytes[header + 156]);
    const prefix = text(header + 257, 5) === "ustar" ? text(header + 345, 155) : "";
    const name = longName ?? (prefix ? `${prefix}/${text(header, 100)}` : text(header, 100));
    const content = bytes.subarray(header + BLOCK, header + BLOCK + size);
    longName = type === "L" ? content.toString("utf8").replace(/\0.*$/s, "") : null;
    writeEntry(folder, name, type, content, { mode: parseInt(text(header + 100, 8).trim() || "644", 8), link: text(header + 157, 100) });
    offset = header + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function writeEntry(folder, name, type, content, { mode, link }) {
  const target = resolve(folder, name);
  if (target !== folder && !target.startsWith(folder + sep)) throw new Error(`The archive names a file outside its folder: ${name}`);
  if (type === "5") mkdirSync(target, { recursive: true });
  else if (type === "0" || type === "\0") {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content, { mode: mode | 0o600 });
  } else if (type === "2") {
    mkdirSync(dirname(target), { recursive: true });
    if (!lstatSync(target, { throwIfNoEntry: false })) symlinkSync(link, target);
  }
}
