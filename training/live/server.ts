// The live page's server: a page, uPlot, and a stream of server-sent events. It only answers, nothing can be changed through it.
import { fontFiles } from "../plots/libraries.js";
import { needNode, packageResolver } from "../../engine/platform.js";
import { importNode } from "../../kernels/platform.js";
import { AthanorError } from "../../kernels/errors.js";
import { css, html, pageScript } from "./page.js";

export interface ServerOptions {
  readonly port: number;
  readonly host: string;
  readonly title: string;
  /** What a browser that connects, for the first time or again, must know: the text of its first event. */
  readonly greeting: () => string;
}
export interface LiveServer {
  readonly url: string;
  /** Sends a text to every page. */
  send(text: string): void;
  close(): Promise<void>;
}

const heartbeat = 15_000; // ms
/** A page that has so many bytes to read yet is let go: it connects again and gets everything anew. */
const mostUnread = 4 * 2 ** 20;
const loopback = /^(?:127(?:\.\d+){3}|localhost|\[::1\])(?::\d+)?$/;

/** uPlot formats numbers for the browser's language when it loads; under LANG=C Chromium gives "en-US@posix", which is none. */
const languageGuard = `try { Intl.NumberFormat(navigator.language); } catch { Object.defineProperty(navigator, "language", { value: "en-US" }); }`;

interface Asset {
  readonly type: string;
  readonly content: string | Uint8Array;
}

async function assetsOf(title: string): Promise<ReadonlyMap<string, Asset>> {
  const { readFile } = await importNode<typeof import("node:fs/promises")>("fs/promises");
  const resolve = await packageResolver(import.meta.url);
  const plotFile = async (name: string): Promise<string> => {
    try {
      return await readFile(resolve(`uplot/dist/${name}`), "utf8");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AthanorError(`The npm package "uplot" could not be loaded (${reason}); the live page needs \`npm install uplot\`.`);
    }
  };
  // Without the font's package the page takes what the machine has.
  const font = await fontFiles().then(([regular = ""]) => readFile(regular), () => null);
  return new Map<string, Asset>([
    ...(font === null ? [] : [["/font.ttf", { type: "font/ttf", content: font }] as const]),
    ["/", { type: "text/html; charset=utf-8", content: html(title) }],
    ["/page.css", { type: "text/css; charset=utf-8", content: css }],
    ["/page.js", { type: "text/javascript; charset=utf-8", content: pageScript() }],
    ["/uPlot.css", { type: "text/css; charset=utf-8", content: await plotFile("uPlot.min.css") }],
    ["/uPlot.js", { type: "text/javascript; charset=utf-8", content: `${languageGuard}\n${await plotFile("uPlot.iife.min.js")}` }],
  ]);
}

export async function serveLive({ port, host, title, greeting }: ServerOptions): Promise<LiveServer> {
  needNode("Live curves are served from Node; in a browser draw into the page itself.");
  const { createServer } = await importNode<typeof import("node:http")>("http");
  const assets = await assetsOf(title);
  const pages = new Set<import("node:http").ServerResponse>();
  const local = loopback.test(host) || host === "::1";
  const server = createServer((request, response) => {
    // A page of another site may resolve its own name to this machine (DNS rebinding); it then asks for that name.
    if (local && !loopback.test(request.headers.host ?? "")) return void response.writeHead(403).end();
    if (request.method !== "GET" && request.method !== "HEAD") return void response.writeHead(405, { Allow: "GET, HEAD" }).end();
    const path = (request.url ?? "/").replace(/\?.*$/, "");
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; frame-ancestors 'none'");
    response.setHeader("X-Content-Type-Options", "nosniff");
    const asset = assets.get(path);
    if (asset) return void response.writeHead(200, { "Content-Type": asset.type }).end(request.method === "HEAD" ? "" : asset.content);
    if (path !== "/events" || request.method === "HEAD") return void response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(`retry: 2000\n\n${greeting()}`);
    pages.add(response);
    response.on("close", () => pages.delete(response));
  });
  await listening(server, port, host);
  server.on("connection", (socket) => socket.unref());
  server.unref(); // a training that is done ends, whether a page is open or not
  const send = (text: string): void => {
    for (const page of pages) {
      if (page.writableLength > mostUnread) page.destroy();
      else page.write(text);
    }
  };
  const timer = setInterval(() => send(": still here\n\n"), heartbeat);
  timer.unref();
  const address = server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actual}/`,
    send,
    close: () => new Promise((closed) => {
      clearInterval(timer);
      server.close(() => closed());
      server.closeAllConnections();
    }),
  };
}

function listening(server: import("node:http").Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const taken = "code" in error && error.code === "EADDRINUSE";
      const hint = taken ? "another program has that port; name another, or 0 for a free one" : "expected an address of this machine and a free port";
      reject(new AthanorError(`Visdom.open: cannot listen on ${host}, port ${port} (${error.message}); ${hint}.`));
    });
    server.listen(port, host, resolve);
  });
}
