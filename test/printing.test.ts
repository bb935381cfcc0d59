// What console.log(x) and String(x) show, against the texts of PyTorch 1.13 (test/fixtures/printed.py), character for character.
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import test from "tape";
import { type Device, type DType, type PrintOptions, type Tensor, memory, nn, noGrad, ones, optim, setPrintoptions, tensor, tidy, zeros } from "../index.js";
import { closeDevices, openDevices } from "./support/engineDevices.js";
import { refusal } from "./support/refusal.js";

interface Row {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Without them the values are the ramp's. */
  readonly values?: readonly string[];
  readonly transposed?: boolean;
  readonly text: string;
}
const file: { tensors: Row[]; programs: Record<string, string | string[]> } = JSON.parse(readFileSync(new URL("./fixtures/printed.json", import.meta.url), "utf8"));

/** The fixtures' formula: multiples of 1/8 around zero. */
function ramp(...shape: number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(Float32Array.from({ length: count }, (_, i) => (((i * 37) % 101) - 50) / 8), { shape });
}
function given(row: Row, device: Device): Tensor {
  const values = row.values?.map((text) => Number(text.replace("inf", "Infinity")));
  const source = values ? tensor(Float32Array.from(values), { shape: row.shape }) : ramp(...row.shape);
  const x = source.to(row.dtype).to(device);
  return row.transposed ? x.t() : x.requiresGrad_(row.options["requires_grad"] === true);
}
function optionsOf({ options }: Row): PrintOptions {
  const { requires_grad: _, sci_mode: sciMode, ...same } = options;
  return { profile: "default", ...same, ...(sciMode !== undefined && { sciMode: sciMode === true }) };
}

const devices = await openDevices();
const [reference, cpu, webgpu] = devices;
if (!reference || !cpu || !webgpu) throw new Error("three devices were expected");

test("tensors print as in PyTorch", (t) => {
  for (const row of file.tensors) {
    setPrintoptions(optionsOf(row));
    t.equal(String(given(row, cpu)), row.text, row.name);
    // Another device stands after the values, or on a line of its own.
    const elsewhere = String(given(row, reference)).replace(/,\s+device='reference'/, "");
    const flat = (text: string) => text.replace(/\s+/g, " ");
    t.equal(flat(elsewhere), flat(row.text), `${row.name} [reference]`);
  }
  setPrintoptions({ profile: "default" });
  t.end();
});

test("on a GPU the text says shape, dtype and how to read the values", (t) => {
  t.equal(String(zeros(2, 3, { device: webgpu })), "tensor(..., device='webgpu', size=(2, 3), values: await x.tolist())");
  t.equal(inspect(zeros(4, { device: webgpu, dtype: "int32" })), "tensor(..., device='webgpu', size=(4,), dtype=torch.int32,\n       values: await x.tolist())");
  t.equal(String(ones([], { device: webgpu, requiresGrad: true }).mul(2)), "tensor(..., device='webgpu', size=(), grad_fn=<MulBackward0>,\n       values: await x.tolist())");
  t.end();
});

test("parameters, results, state dicts and optimizers print as in PyTorch", (t) => {
  const layer = new nn.Linear(2, 3), { programs } = file;
  const { weight, bias } = layer;
  if (!bias) throw new Error("a bias was expected");
  noGrad(() => {
    weight.copy_(ramp(3, 2));
    bias.copy_(ramp(3));
  });
  t.equal(String(weight), programs["parameter"]);
  t.equal(String(new nn.Parameter(ramp(2), false)), programs["frozen"]);
  t.equal(String(layer(ones(1, 2))), programs["logits"]);
  t.equal(String(layer(ones(1, 2)).relu().sum()), programs["sum"]);
  t.equal(String(layer.weight.detach()), programs["detached"]);
  t.equal(
    inspect(layer.stateDict()),
    "{\n  weight: tensor([[-6.2500, -1.6250],\n          [ 3.0000, -5.0000],\n          [-0.3750,  4.2500]]),\n  bias: tensor([-6.2500, -1.6250,  3.0000])\n}",
    "a state dict",
  );
  t.equal(inspect([layer.bias]), "[\n  Parameter containing:\n  tensor([-6.2500, -1.6250,  3.0000], requires_grad=True)\n]", "a list of parameters");

  const lines = (value: unknown) => String(value).split("\n");
  const steps = new optim.SGD(layer.parameters(), { lr: 0.1 });
  t.deepEqual(lines(steps), programs["steps"]);
  t.ok(new optim.StepLR(steps, 1), "a scheduler leaves the rate it started from");
  t.deepEqual(inspect(steps).split("\n"), programs["scheduled"]);
  t.deepEqual(lines(new optim.Adam([{ params: weight }, { params: bias, lr: 1e-5 }], { betas: [0.5, 0.999], weightDecay: 0.01 })), programs["groups"]);
  t.end();
});

test("looking at a tensor changes nothing", async (t) => {
  const x = ones(40, 40, { requiresGrad: true }), y = x.mul(2);
  const before = memory(cpu).liveTensors;
  t.equal(String(y).split("\n").length, 7, "a summary");
  t.equal(memory(cpu).liveTensors, before, "nothing stays behind");
  tidy(() => void String(x));
  y.sum().backward();
  t.equal(await x.grad?.mean().item(), 2, "the tape goes on");

  const gone = zeros(2, 3);
  gone.dispose();
  t.equal(String(gone), "tensor(..., size=(2, 3), disposed of)", "a tensor that was disposed of can be printed");
  t.match(await refusal(() => setPrintoptions({ precision: 1.5 })), /got precision 1.5; expected a whole number of at least 0/);
  t.match(await refusal(() => setPrintoptions(JSON.parse('{"profile": "long"}'))), /got profile "long"; expected "default", "short" or "full"/);
});

test.onFinish(() => void closeDevices(devices));
