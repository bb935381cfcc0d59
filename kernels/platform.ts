// Node's modules for those who may run in a browser too: loaded when asked for, and unseen by bundlers.

/** Node, or Deno or Bun, which have its modules; with a `window` of jsdom too. A page of Electron has Node's process, but the main thread and the
 *  workers of a page. */
export const isNode = typeof process !== "undefined" && typeof process.versions?.node === "string" && (process as { readonly type?: string }).type !== "renderer";

/** Imports one of Node's modules without a bundler seeing it. */
export function importNode<Module>(name: string): Promise<Module> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`) as Promise<Module>;
}
