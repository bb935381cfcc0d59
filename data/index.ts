// The data room: data sets, the loader, transforms, and the file formats they come in.
export { collate, type Collated } from "./collate.js";
export { randomSplit, Subset, TensorDataset, type Dataset } from "./dataset.js";
export { type Draws, ownDraws, StreamDraws } from "./draws.js";
export { DataFileError, MissingFileError, parseIdx, readIdx } from "./idx.js";
export { type HostTensor, type Image, isImage } from "./image.js";
export { DataLoader, DataLoaderError, type DataLoaderOptions } from "./loader.js";
export { ImageDataset, type ImageArrays } from "./mnist.js";
export { loadMnist, readIdxFile, readPngFile, writePngFile, type MnistOptions } from "./node.js";
export { decodePng, encodePng } from "./png.js";
export { RandomSampler, SequentialSampler, type Sampler } from "./samplers.js";
export * as transforms from "./transforms.js";
