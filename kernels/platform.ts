// Node's modules for those who may run in a browser too: loaded when asked for, and unseen by bundlers.

/** Imports one of Node's modules without a bundler seeing it. */
export function importNode<Module>(name: string): Promise<Module> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`) as Promise<Module>;
}
