// What String(module) gives, against the text of PyTorch 1.13's print(model), character for character.
import test from "tape";
import { type Tensor, nn } from "../index.js";

const layers: readonly (readonly [nn.Module, string])[] = [
  [new nn.Linear(3, 4), "Linear(in_features=3, out_features=4, bias=True)"],
  [new nn.Linear(1, 0, { bias: false }), "Linear(in_features=1, out_features=0, bias=False)"],
  [new nn.Conv2d(1, 32, 3, { padding: 1 }), "Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"],
  [new nn.Conv2d(3, 64, 3, 1, 1), "Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"],
  [
    new nn.Conv2d(4, 8, [3, 5], { stride: [2, 1], padding: [0, 2], dilation: 2, groups: 2, bias: false }),
    "Conv2d(4, 8, kernel_size=(3, 5), stride=(2, 1), padding=(0, 2), dilation=(2, 2), groups=2, bias=False)",
  ],
  [new nn.Conv2d(4, 8, 3, { padding: "same" }), "Conv2d(4, 8, kernel_size=(3, 3), stride=(1, 1), padding=same)"],
  [new nn.Conv2d(4, 8, 1, 1, "valid", { bias: false }), "Conv2d(4, 8, kernel_size=(1, 1), stride=(1, 1), padding=valid, bias=False)"],
  [new nn.BatchNorm1d(7), "BatchNorm1d(7, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)"],
  [
    new nn.BatchNorm2d(7, { eps: 1e-3, momentum: null, affine: false }),
    "BatchNorm2d(7, eps=0.001, momentum=None, affine=False, track_running_stats=True)",
  ],
  [new nn.BatchNorm2d(7, 1e-7, 0.25, true, false), "BatchNorm2d(7, eps=1e-07, momentum=0.25, affine=True, track_running_stats=False)"],
  [new nn.ReLU(), "ReLU()"],
  [new nn.ReLU({ inplace: true }), "ReLU(inplace=True)"],
  [new nn.LeakyReLU(), "LeakyReLU(negative_slope=0.01)"],
  [new nn.LeakyReLU(0.2, { inplace: true }), "LeakyReLU(negative_slope=0.2, inplace=True)"],
  [new nn.Sigmoid(), "Sigmoid()"],
  [new nn.Tanh(), "Tanh()"],
  [new nn.GELU(), "GELU(approximate='none')"],
  [new nn.GELU({ approximate: "tanh" }), "GELU(approximate='tanh')"],
  [new nn.SiLU(), "SiLU()"],
  [new nn.SiLU(true), "SiLU(inplace=True)"],
  [new nn.Softmax({ dim: 1 }), "Softmax(dim=1)"],
  [new nn.Softmax(), "Softmax(dim=None)"],
  [new nn.LogSoftmax(-1), "LogSoftmax(dim=-1)"],
  [new nn.MaxPool2d(2), "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"],
  [new nn.MaxPool2d(2, 2, 0), "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"],
  [
    new nn.MaxPool2d([3, 2], { stride: 2, padding: [1, 0], dilation: 2, ceilMode: true }),
    "MaxPool2d(kernel_size=(3, 2), stride=2, padding=(1, 0), dilation=2, ceil_mode=True)",
  ],
  [new nn.AvgPool2d(3, { stride: [2, 1], padding: 1 }), "AvgPool2d(kernel_size=3, stride=(2, 1), padding=1)"],
  [new nn.AvgPool2d(2), "AvgPool2d(kernel_size=2, stride=2, padding=0)"],
  [new nn.AdaptiveAvgPool2d(1), "AdaptiveAvgPool2d(output_size=1)"],
  [new nn.AdaptiveAvgPool2d([null, 7]), "AdaptiveAvgPool2d(output_size=(None, 7))"],
  [new nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"],
  [new nn.Flatten({ startDim: 0, endDim: 2 }), "Flatten(start_dim=0, end_dim=2)"],
  [new nn.Dropout(), "Dropout(p=0.5, inplace=False)"],
  [new nn.Dropout2d({ p: 0.25, inplace: true }), "Dropout2d(p=0.25, inplace=True)"],
  [new nn.Dropout(1e-5), "Dropout(p=1e-05, inplace=False)"],
  [new nn.Upsample({ scaleFactor: 2 }), "Upsample(scale_factor=2.0, mode=nearest)"],
  [new nn.Upsample({ scaleFactor: [1.5, 2] }), "Upsample(scale_factor=(1.5, 2.0), mode=nearest)"],
  [new nn.Upsample([7, 9]), "Upsample(size=(7, 9), mode=nearest)"],
  [new nn.Upsample({ size: 8 }), "Upsample(size=8, mode=nearest)"],
  [new nn.Identity(), "Identity()"],
  [new nn.CrossEntropyLoss(), "CrossEntropyLoss()"],
  [new nn.NLLLoss(), "NLLLoss()"],
  [new nn.MSELoss(), "MSELoss()"],
  [new nn.L1Loss(), "L1Loss()"],
  [new nn.BCEWithLogitsLoss(), "BCEWithLogitsLoss()"],
  [new nn.MultiMarginLoss(), "MultiMarginLoss()"],
  [new nn.Sequential(), "Sequential()"],
  [new nn.ModuleList(), "ModuleList()"],
];

test("every layer prints as in PyTorch", (t) => {
  for (const [layer, text] of layers) t.equal(String(layer), text);
  t.end();
});

test("a model prints as a tree", (t) => {
  t.equal(
    String(new nn.models.SimpleCNN()),
    `SimpleCNN(
  (conv1): Sequential(
    (0): Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    (1): ReLU()
    (2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
  )
  (conv2): Sequential(
    (0): Conv2d(32, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    (1): ReLU()
    (2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
  )
  (fc): Sequential(
    (0): Flatten(start_dim=1, end_dim=-1)
    (1): Linear(in_features=3136, out_features=128, bias=True)
    (2): ReLU()
    (3): Dropout(p=0.5, inplace=False)
    (4): Linear(in_features=128, out_features=10, bias=True)
  )
)`,
  );
  t.end();
});

test("names, empty containers and a module under two names print as in PyTorch", (t) => {
  class Tower extends nn.Module {
    blocks = new nn.ModuleList([new nn.Linear(2, 2), new nn.Sequential({ first: new nn.Linear(2, 2), act: new nn.ReLU() })]);
    empty = new nn.Sequential();
    head = new nn.Linear(2, 1);
    again = this.head;
    forward(x: Tensor): Tensor {
      return this.again(this.empty(x));
    }
  }
  t.equal(
    String(new Tower()),
    `Tower(
  (blocks): ModuleList(
    (0): Linear(in_features=2, out_features=2, bias=True)
    (1): Sequential(
      (first): Linear(in_features=2, out_features=2, bias=True)
      (act): ReLU()
    )
  )
  (empty): Sequential()
  (head): Linear(in_features=2, out_features=1, bias=True)
  (again): Linear(in_features=2, out_features=1, bias=True)
)`,
  );
  t.end();
});

test("facts of one line and of several stand where PyTorch puts them", (t) => {
  class Two extends nn.Module {
    forward(x: Tensor): Tensor {
      return x;
    }
    override extraRepr(): string {
      return "scale=2\nshift=1";
    }
  }
  class One extends Two {
    inner = new nn.Tanh();
    override extraRepr(): string {
      return "scale=2";
    }
  }
  t.equal(String(new Two()), "Two(\n  scale=2\n  shift=1\n)");
  t.equal(String(new One()), "One(\n  scale=2\n  (inner): Tanh()\n)");
  t.end();
});
