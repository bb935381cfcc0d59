// nn.models: the notes' own networks, and the classic ones with torchvision's structure, names and initial values.
export { Food11Classifier, MLP, SimpleCNN, type ModelOptions } from "./models/simple.js";
export type { ClassifierOptions } from "./models/initialise.js";
export { lenet5, LeNet5, type LeNet5Options } from "./models/lenet.js";
export { alexnet, AlexNet, type AlexNetOptions } from "./models/alexnet.js";
export { vgg11, vgg11Bn, vgg13, vgg13Bn, vgg16, vgg16Bn, vgg19, vgg19Bn, VGG, type VggConfiguration, type VggOptions } from "./models/vgg.js";
export { googlenet, GoogLeNet, type GoogLeNetOptions, type GoogLeNetOutputs } from "./models/googlenet.js";
export { BasicBlock, Bottleneck, resnet18, resnet34, resnet50, ResNet, type ResNetOptions } from "./models/resnet.js";
export { densenet121, DenseNet, type DenseNetOptions } from "./models/densenet.js";
