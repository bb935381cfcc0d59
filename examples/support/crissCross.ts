// The network of examples/attention.ts: squeeze-and-excitation (Hu et al. 2018) before, and criss-cross attention (Huang et al. 2019) between
// two 1×1 convolutions, then two linear layers. Each line is the program's in PyTorch.
import { cat, nn, type Tensor, tensor, zeros } from "athanor";

const { init } = nn;

/** Weighs each channel of x [B, C, H, W] by a number from 0 to 1 that two small linear layers find from the channels' means. With one channel and
 *  a reduction of 8 the middle is `Linear(1, 0)`: empty, then `Linear(0, 1)`: zeros, then 0.5 for every image. */
export class SEAttention extends nn.Module {
  avgPool: nn.AdaptiveAvgPool2d;
  fc: nn.Sequential;

  constructor(channel = 1, reduction = 8) {
    super();
    this.avgPool = new nn.AdaptiveAvgPool2d(1); // each channel becomes its mean
    this.fc = new nn.Sequential(
      new nn.Linear(channel, Math.floor(channel / reduction), { bias: false }), // squeeze
      new nn.ReLU({ inplace: true }),
      new nn.Linear(Math.floor(channel / reduction), channel, { bias: false }), // excite
      new nn.Sigmoid(),
    );
  }

  /** As the program defines it; like there, nobody calls it. */
  initWeights(): void {
    for (const m of this.modules()) {
      if (m instanceof nn.Conv2d) {
        init.kaimingNormal_(m.weight, { mode: "fan_out" });
        if (m.bias !== null) init.constant_(m.bias, 0);
      } else if (m instanceof nn.BatchNorm2d) {
        if (m.weight !== null) init.constant_(m.weight, 1);
        if (m.bias !== null) init.constant_(m.bias, 0);
      } else if (m instanceof nn.Linear) {
        init.normal_(m.weight, { std: 0.001 });
        if (m.bias !== null) init.constant_(m.bias, 0);
      }
    }
  }

  forward(x: Tensor): Tensor {
    const b = x.size(0), c = x.size(1);
    let y = this.avgPool(x).view(b, c);
    y = this.fc(y).view(b, c, 1, 1);
    return x.mul(y.expandAs(x));
  }
}

/** −∞ on the diagonal of B·W matrices H×H: a pixel lies on its column and on its row, and must not be counted twice. */
export function INF(B: number, H: number, W: number): Tensor {
  return tensor(Infinity).repeat(H).diag().neg().unsqueeze(0).repeat(B * W, 1, 1);
}

/** Each pixel attends to the pixels of its own row and column. */
export class CrissCrossAttention extends nn.Module {
  queryConv: nn.Conv2d;
  keyConv: nn.Conv2d;
  valueConv: nn.Conv2d;
  softmax: nn.Softmax;
  INF: typeof INF;
  gamma: nn.Parameter;

  constructor(inDim: number) {
    super();
    // layers for query, key and value
    this.queryConv = new nn.Conv2d(inDim, Math.floor(inDim / 8), 1);
    this.keyConv = new nn.Conv2d(inDim, Math.floor(inDim / 8), 1);
    this.valueConv = new nn.Conv2d(inDim, inDim, 1);
    this.softmax = new nn.Softmax({ dim: 3 }); // over a pixel's column and row together
    this.INF = INF;
    this.gamma = new nn.Parameter(zeros(1)); // how much attention adds, learnt from 0 on
  }

  forward(x: Tensor): Tensor {
    const [batch = 0, , height = 0, width = 0] = x.size();
    const projQuery = this.queryConv(x);
    const projQueryH = projQuery.permute(0, 3, 1, 2).contiguous().view(batch * width, -1, height).permute(0, 2, 1);
    const projQueryW = projQuery.permute(0, 2, 1, 3).contiguous().view(batch * height, -1, width).permute(0, 2, 1);
    const projKey = this.keyConv(x);
    const projKeyH = projKey.permute(0, 3, 1, 2).contiguous().view(batch * width, -1, height);
    const projKeyW = projKey.permute(0, 2, 1, 3).contiguous().view(batch * height, -1, width);
    const projValue = this.valueConv(x);
    const projValueH = projValue.permute(0, 3, 1, 2).contiguous().view(batch * width, -1, height);
    const projValueW = projValue.permute(0, 2, 1, 3).contiguous().view(batch * height, -1, width);
    // scores down the column, the pixel itself masked, and along the row
    const energyH = projQueryH.bmm(projKeyH).add(this.INF(batch, height, width).to(x.device)).view(batch, width, height, height).permute(0, 2, 1, 3);
    const energyW = projQueryW.bmm(projKeyW).view(batch, height, width, width);
    const concate = this.softmax(cat([energyH, energyW], 3));
    // the column's and the row's share of the attention
    const attH = concate.slice(3, 0, height).permute(0, 2, 1, 3).contiguous().view(batch * width, height, height);
    const attW = concate.slice(3, height, height + width).contiguous().view(batch * height, width, width);
    const outH = projValueH.bmm(attH.permute(0, 2, 1)).view(batch, width, -1, height).permute(0, 2, 3, 1);
    const outW = projValueW.bmm(attW.permute(0, 2, 1)).view(batch, height, -1, width).permute(0, 2, 1, 3);
    return this.gamma.mul(outH.add(outW)).add(x);
  }
}

/** 107,164 parameters with 784, 128 and 10. */
export class Net extends nn.Module {
  fc1: nn.Linear;
  relu: nn.ReLU;
  fc2: nn.Linear;
  conv1: nn.Conv2d;
  se: SEAttention;
  cca: CrissCrossAttention;
  conv2: nn.Conv2d;

  constructor(readonly inputSize: number, hiddenSize: number, numClasses: number) {
    super();
    this.fc1 = new nn.Linear(inputSize, hiddenSize);
    this.relu = new nn.ReLU();
    this.fc2 = new nn.Linear(hiddenSize, numClasses);
    this.conv1 = new nn.Conv2d(1, 64, 1);
    this.se = new SEAttention(1);
    this.cca = new CrissCrossAttention(64);
    this.conv2 = new nn.Conv2d(64, 1, 1);
  }

  forward(x: Tensor): Tensor {
    x = this.se(x);
    x = this.conv1(x);
    x = this.cca(x);
    x = this.conv2(x);
    let out = this.fc1(x.view(-1, this.inputSize));
    out = this.relu(out);
    out = this.fc2(out);
    return out;
  }
}
