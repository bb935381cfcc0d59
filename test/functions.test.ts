// Every operation is a function of the package's root as well as a method of the tensor, and the two are one.
import test from "tape";
import * as athanor from "../index.js";
import { type Tensor, tensor } from "../index.js";
import { families } from "./calls/families.js";
import { tensorFor, tensorMethods } from "./calls/methods.js";
import { refusal } from "./support/obeys.js";

type Call = (...given: unknown[]) => unknown;
const reached: Readonly<Record<string, unknown>> = athanor;
/** Methods that are no operations: they read, move or change a tensor, or speak of it. */
const others = "dim numel size retainGrad requiresGrad_ backward dataSync item tolist cpu to type float int bool clearGrad dispose".split(" ");
const operations = Object.keys(families.find(({ base }) => base === athanor.Tensor)?.rows ?? {}).filter((name) => !others.includes(name) && !name.endsWith("_"));

const values = async (result: unknown): Promise<unknown> => (Array.isArray(result) ? Promise.all(result.map(values)) : [(result as Tensor).shape, (result as Tensor).dtype, [...(await (result as Tensor).data())]]);

test("a function for every operation of a tensor", async (t) => {
  t.deepEqual(operations.filter((name) => typeof reached[name] !== "function"), [], "each is exported");
  t.ok(operations.length > 85, `${operations.length} operations`);
  const differ: string[] = [];
  for (const name of operations.filter((one) => one !== "where" && one !== "pad")) { // which have orders of arguments of their own
    const row = tensorMethods[name];
    if (typeof row !== "function") continue;
    const { needed, rest = [], also } = row(), given = [...needed, ...rest, ...(also ? [also] : [])];
    const x = tensorFor(name), byMethod = (x[name as keyof Tensor] as Call)(...given), byFunction = (reached[name] as Call)(tensorFor(name), ...given);
    if (JSON.stringify(await values(byMethod)) !== JSON.stringify(await values(byFunction))) differ.push(name);
    if ((reached[name] as Call).name !== name) differ.push(`${name} is called ${(reached[name] as Call).name}`);
  }
  t.deepEqual(differ, [], "each gives what the method gives");
});

test("what PyTorch's functions take besides", async (t) => {
  const x = tensor([[1, 2, 3], [4, 0, 6]], { requiresGrad: true });
  t.deepEqual(await athanor.pow(2, tensor([0, 1, 3])).tolist(), [1, 2, 8], "a number to the power of a tensor");
  t.equal(athanor.pow(2, tensor([1, 2], { dtype: "int32" })).dtype, "float32");
  t.deepEqual(await athanor.pow({ input: tensor([3]), exponent: 2 }).tolist(), [9]);
  t.deepEqual(await athanor.max(x, 1).indices.tolist(), [2, 2]);
  t.equal(await athanor.max(x).item(), 6);
  t.deepEqual(await athanor.max(x, tensor([2, 2, 2])).tolist(), [[2, 2, 3], [4, 2, 6]]);
  t.deepEqual(await athanor.var(tensor([1, 2, 4]), { correction: 0 }).item().then((v) => v.toFixed(4)), "1.5556");
  t.deepEqual(await athanor.pad(tensor([[1, 2, 3]]), [1, 1], "reflect").tolist(), [[2, 1, 2, 3, 2]], "F.pad");
  t.deepEqual(await athanor.permute(x, 1, 0).tolist(), await x.t().tolist());
  t.deepEqual(await athanor.permute(x, [1, 0]).tolist(), await x.t().tolist());
  athanor.sum(athanor.square({ input: x })).backward();
  t.deepEqual(await x.grad?.tolist(), [[2, 4, 6], [8, 0, 12]], "gradients flow");
  const called = (name: string, ...given: unknown[]) => refusal(reached[name] as Call, given);
  t.match(await called("exp", 3), /^refused: exp: got input 3; expected a tensor \(make one: tensor\(values, \{ dtype \}\)\)\.$/);
  t.match(await called("exp"), /^refused: exp: got no input; expected a tensor first\.$/);
  t.match(await called("softmax", x, 1, "float32"), /^refused: softmax: got 2 arguments; expected at most 1: x\.softmax\(dim\)\.$/);
  t.match(await called("exp", x, 2), /^refused: exp: got 1 argument; expected none: x\.exp\(\)\.$/);
});
