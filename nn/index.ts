// nn: modules, layers, losses, and the namespaces functional, init, utils and models.
import { declareForwards } from "./builtIn.js";

export { Module, type BufferOptions, type ForwardHook, type TensorModule } from "./module.js";
export type { LoadReport, StateDict } from "./stateDict.js";
export { Parameter } from "./parameter.js";
export { ModuleList } from "./moduleList.js";
export { Sequential } from "./sequential.js";
export { summary, type Summary, type SummaryOptions, type SummaryRow } from "./summary.js";
export { Identity, Linear, type LinearOptions } from "./layers/linear.js";
export { Conv2d, ConvTranspose2d, type Conv2dLayerOptions, type ConvTranspose2dLayerOptions } from "./layers/conv.js";
export { BatchNorm1d, BatchNorm2d, type BatchNormLayerOptions } from "./layers/batchnorm.js";
export {
  GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Tanh, type InplaceOptions, type LeakyReLUOptions,
} from "./layers/activations.js";
export { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d, Upsample } from "./layers/pooling.js";
export { GRU, LSTM, RNN, type RNNOptions, type RecurrentOptions, type RnnNonlinearity } from "./layers/recurrent.js";
export { RNNBase } from "./layers/recurrentBase.js";
export { GRUCell, LSTMCell, RNNCell, type RNNCellOptions, type RecurrentCellOptions } from "./layers/recurrentCells.js";
export { Dropout, Dropout2d, Flatten, type DropoutLayerOptions, type FlattenOptions } from "./layers/shaping.js";
export {
  BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, HuberLoss, KLDivLoss, L1Loss, MSELoss, MultiMarginLoss, NLLLoss, SmoothL1Loss,
} from "./losses.js";
export * as functional from "./functional.js";
export * as init from "./init.js";
export * as models from "./models.js";
export * as utils from "./utils.js";

declareForwards();
