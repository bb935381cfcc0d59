// The network whose weights travel between PyTorch and here (test/fixtures/pytorch_weights.py has its twin).
import { nn, noGrad, type Tensor } from "../../index.js";
import { fillHashed } from "./classicRuns.js";

export class Small extends nn.Module {
  conv = new nn.Conv2d(2, 3, 3);
  bn = new nn.BatchNorm2d(3);
  fc = new nn.Linear(3, 2);
  forward(x: Tensor): Tensor {
    return this.fc(this.bn(this.conv(x)).mean([2, 3]));
  }
}

/** With the weights that both sides compute, and a counter of 7 batches. */
export function smallNetwork(): Small {
  const model = new Small();
  fillHashed(model);
  noGrad(() => model.bn.numBatchesTracked?.fill_(7));
  return model;
}
