// The data room: data sets, the loader, transforms, and the file formats they come in.
export { withChannels } from "./channels.js";
export { collate, type Collated } from "./collate.js";
export type { ColumnDTypes } from "./columns.js";
export { Dataset } from "./dataset.js";
export { ConcatDataset, randomSplit, Subset, TensorDataset } from "./derived.js";
export { type Draws, ownDraws, StreamDraws } from "./draws.js";
export { DataFileError, MissingFileError, parseIdx, readIdx } from "./idx.js";
export type { NumericArray } from "./forms.js";
export { type HostTensor, type Image, isImage } from "./image.js";
export {
  imageExtensions, ImageFileDataset, ImageFiles, type ImageFilesOptions, ImageFolder, type ImageFolderOptions, listImages, type ListImagesOptions,
} from "./imageFiles.js";
export type { DatasetInput } from "./indexable.js";
export type { Job, WorkerRecipe } from "./jobs.js";
export { decodeJpeg, encodeJpeg } from "./jpeg.js";
export { KFold, type KFoldOptions } from "./kfold.js";
export { DataLoader, DataLoaderError, type DataLoaderOptions, type SkippedSample } from "./loader.js";
export { ImageDataset, type ImageArrays } from "./mnist.js";
export { loadMnist, readIdxFile, readPngFile, writeJpegFile, writePngFile, type MnistOptions } from "./node.js";
export type { BatchSamplerInput, Sampler, SamplerInput } from "./order.js";
export { decodePng, encodePng } from "./png.js";
export { decodeImage, readImage, type ReadImageOptions } from "./readImage.js";
export {
  BatchSampler, RandomSampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler, type WeightedSamplerOptions,
} from "./samplers.js";
export * as transforms from "./transforms.js";
