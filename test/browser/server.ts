// Bundles a page for the browser as a user's bundler would, and serves it, with the fixtures, on localhost.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

/** One ES module with everything the entry imports; a static import of one of Node's modules anywhere in it fails the build. */
export async function bundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error(`esbuild made no output of ${entry}.`);
  return file.text;
}

export interface PageKind {
  /** The headers that give the page SharedArrayBuffer (and so threads). */
  readonly isolated: boolean;
  /** The script is an ES module (default), else a classic script. */
  readonly module?: boolean;
  /** The page's Content-Security-Policy. */
  readonly policy?: string;
}

/** Serves the script as a page's only one. */
export async function serve(script: string, { isolated, module = true, policy }: PageKind): Promise<Served> {
  const html = `<!doctype html><title>Athanor</title><script ${module ? 'type="module"' : "defer"} src="page.js"></script>`;
  const server = createServer(async (request, response) => {
    if (isolated) {
      response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    }
    if (policy !== undefined) response.setHeader("Content-Security-Policy", policy);
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    if (path === "/") response.setHeader("Content-Type", "text/html").end(html);
    else if (path === "/page.js") response.setHeader("Content-Type", "text/javascript").end(script);
    else if (path.startsWith("/test/fixtures/")) {
      const content = await readFile(join(root, path)).catch(() => null);
      if (content === null) response.writeHead(404);
      response.end(content);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The test server did not get a port.");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
