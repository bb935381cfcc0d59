// The rows of test/fixtures/transforms.json, and draws that play what torch drew.
import { readFileSync } from "node:fs";
import type { Draws, HostTensor, Image } from "../../data/index.js";

export interface StoredBytes {
  readonly shape: readonly number[];
  readonly dtype: "uint8" | "float32";
  readonly at: number;
}
type Drawn = Readonly<Record<string, readonly number[]>>;
export type TransformRow =
  | { readonly kind: "images"; readonly images: Readonly<Record<string, StoredBytes>> }
  | { readonly kind: "functional"; readonly name: string; readonly args: readonly unknown[]; readonly image: string; readonly output: StoredBytes }
  | {
    readonly kind: "random"; readonly name: string; readonly args: readonly unknown[]; readonly image: string; readonly draws: readonly Drawn[];
    readonly output: StoredBytes;
  }
  | {
    readonly kind: "mix"; readonly name: string; readonly args: readonly number[]; readonly labels: readonly number[]; readonly classes: number;
    readonly input: StoredBytes; readonly output: StoredBytes; readonly target: StoredBytes;
  };

const file = (extension: string): URL => new URL(`../fixtures/transforms.${extension}`, import.meta.url);
export const transformRows = JSON.parse(readFileSync(file("json"), "utf8")) as readonly TransformRow[];
const bytes = new Uint8Array(readFileSync(file("bin")));

export function storedValues({ shape, dtype, at }: StoredBytes): Uint8Array | Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  return dtype === "uint8" ? bytes.slice(at, at + count) : new Float32Array(bytes.slice(at, at + 4 * count).buffer);
}

/** The image of this name that the rows were made from. */
export function sourceImage(name: string): Image {
  const first = transformRows[0];
  const stored = first?.kind === "images" ? first.images[name] : undefined;
  const [height = 0, width = 0, channels = 0] = stored?.shape ?? [];
  const data = stored && storedValues(stored);
  if (!(data instanceof Uint8Array)) throw new Error(`the fixtures have no image ${name}`);
  return { width, height, channels, data };
}

export function isImageLike(value: Image | HostTensor): value is Image {
  return "channels" in value;
}

/** Plays recorded draws; asking for another kind than torch was asked for, or for more, is an error. */
export class PlayedDraws implements Draws {
  #next = 0;
  constructor(readonly recorded: readonly Drawn[]) {}

  get left(): number {
    return this.recorded.length - this.#next;
  }
  uniform(low: number, high: number): number {
    const value = this.#one("uniform");
    if (!(value >= low - 1e-6 && value <= high + 1e-6)) throw new Error(`asked for [${low}, ${high}), torch drew ${value}`);
    return value;
  }
  integer(low: number, high: number): number {
    const value = this.#one("integer");
    if (value < low || value >= high) throw new Error(`asked for a whole number in [${low}, ${high}), torch drew ${value}`);
    return value;
  }
  permutation(count: number): number[] {
    return this.#play("permutation", count);
  }
  normal(count: number): Float32Array {
    return Float32Array.from(this.#play("normal", count));
  }
  fork(): Draws {
    return this;
  }

  #one(kind: string): number {
    return this.#play(kind, 1)[0] ?? NaN;
  }
  #play(kind: string, count: number): number[] {
    const drawn = this.recorded[this.#next++]?.[kind];
    if (drawn?.length !== count) throw new Error(`asked for ${count} ${kind}, torch drew ${JSON.stringify(this.recorded[this.#next - 1])}`);
    return [...drawn];
  }
}
