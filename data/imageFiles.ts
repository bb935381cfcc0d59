// Data sets over files of images: any list of files, and a folder with one folder for each class.
import { type Call, type Options, Signature } from "../engine/arguments.js";
import { aBoolean, aString, listOf } from "../engine/kinds.js";
import { byCodePoints } from "../engine/text.js";
import { checkIndex, Dataset, ourDataset } from "./dataset.js";
import { type Draws, ownDraws } from "./draws.js";
import { nodeModules, reasonOf } from "./files.js";
import { DataFileError, MissingFileError } from "./idx.js";
import type { HostTensor, Image } from "./image.js";
import { type ImageJobInput, imageJobModule } from "./imageJob.js";
import type { WorkerRecipe } from "./jobs.js";
import { aTransform, channelCount } from "./kinds.js";
import { readImage } from "./readImage.js";
import { runSteps, splitSteps } from "./transforms/compose.js";
import { isRandom, type Transform } from "./transforms/transform.js";
import { ToTensor } from "./transforms/values.js";

/** What is taken for an image by its name, as in torchvision. */
export const imageExtensions: readonly string[] = [".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"];

const endings = listOf("a list of endings, such as .png", aString);
/** extensions: endings of the names, in any case; recursive: also the folders inside. */
export type ListImagesOptions = Options<typeof listing>;

const listing = new Signature("listImages", [["folder", aString]], [["extensions", endings, imageExtensions], ["recursive", aBoolean, false]]);
/** The paths of a folder's images, sorted by name. A folder that has none is an error. */
export function listImages(...given: Call<typeof listing>): string[] {
  const [folder, extensions, recursive] = listing.read(given);
  const found = imagesIn(folder, extensions, recursive);
  if (found.length > 0) return found;
  throw new DataFileError(`${folder}: holds no image; expected files that end in ${extensions.join(", ")}.`);
}

interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** What a folder holds, by name in Python's order. */
function entriesOf(folder: string): FolderEntry[] {
  const { fs, path } = nodeModules();
  try {
    const names = fs.readdirSync(folder).sort(byCodePoints);
    return names.map((name) => ({ name, isFolder: isFolder(fs, path.join(folder, name)) }));
  } catch (error) {
    throw new MissingFileError(`${folder}: cannot be listed (${reasonOf(error)}); expected a folder of images.`);
  }
}

/** Links are followed; one that leads nowhere, or to itself, is no folder. */
function isFolder(fs: typeof import("node:fs"), path: string): boolean {
  try {
    return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ELOOP") return false;
    throw error;
  }
}

/** torchvision's order: folder by folder, these by their whole paths (so that a's files stand before a-b's, and those before a/b's), then by name. */
function imagesIn(folder: string, extensions: readonly string[], recursive: boolean): string[] {
  const { path } = nodeModules();
  const folders = recursive ? foldersIn(folder).sort(([a], [b]) => byCodePoints(a, b)) : [[folder, entriesOf(folder)] as const];
  return folders.flatMap(([where, entries]) => entries.flatMap(({ name, isFolder }) => {
    const isImage = !isFolder && extensions.some((extension) => name.toLowerCase().endsWith(extension.toLowerCase()));
    return isImage ? [path.join(where, name)] : [];
  }));
}

/** The folder and every one below it. A link to a folder above itself would be walked for ever. */
function foldersIn(folder: string, above: readonly string[] = []): (readonly [folder: string, entries: FolderEntry[]])[] {
  const { fs, path } = nodeModules();
  const entries = entriesOf(folder), real = fs.realpathSync(folder);
  if (above.includes(real)) {
    throw new DataFileError(`${folder}: is ${real} once more, which holds it: a link leads back, and the folders have no end; remove the link.`);
  }
  const inside = entries.flatMap(({ name, isFolder }) => (isFolder ? foldersIn(path.join(folder, name), [...above, real]) : []));
  return [[folder, entries], ...inside];
}

export interface ImageFilesOptions<Output> {
  /** Default ToTensor(). */
  readonly transform?: Transform<Image, Output>;
  /** What files are read as: 3 (RGB, the default), 1 or 4. */
  readonly channels?: 1 | 3 | 4;
}

const paths = listOf("a list of paths", aString);
const transformed = ["transform", aTransform<Image, unknown>(), null] as const, read = ["channels", channelCount, 3] as const;
const fileDataset = new Signature("ImageFileDataset", [["files", paths], transformed], [read]);
const imageFolder = new Signature("ImageFolder", [["root", aString], transformed], [read, ["extensions", endings, imageExtensions]]);

/** How a data set of images is called: the transform by place, as in torchvision, or an options object. */
type ImagesCall<Name extends string, Given, Output, Options> =
  | [given: Given, options?: Options]
  | [given: Given, transform: Transform<Image, Output>, options?: Options]
  | [whole: Options & { readonly [Key in Name]: Given }];

/** A data set whose samples are made of image files. `sample` says what a sample is, from the transformed image: a label by the file's name,
 *  say. Worker threads read, decode and transform. */
export abstract class ImageFileDataset<Output, Sample> extends Dataset<Sample> {
  readonly length: number;
  readonly random: boolean;
  readonly channels: 1 | 3 | 4;
  readonly transform: Transform<Image, Output>;
  readonly recipe: WorkerRecipe<Sample>;

  readonly files: readonly string[];

  constructor(...given: ImagesCall<"files", readonly string[], Output, ImageFilesOptions<Output>>) {
    super();
    const [files, transform, channels] = fileDataset.read(given, new.target.name);
    this.files = files;
    this.transform = (transform ?? ToTensor()) as Transform<Image, Output>; // Output is HostTensor where no transform tells otherwise
    this.channels = channels;
    this.length = files.length;
    this.random = isRandom(this.transform);
    this.recipe = this.#recipe();
  }

  /** A sample, from what the transforms made of files[index]. */
  abstract sample(image: Output, index: number): Sample | Promise<Sample>;

  async get(index: number, draws?: Draws): Promise<Sample> {
    const own = draws ?? (this.random ? ownDraws() : undefined); // taken now: after a wait the order of the calls would be lost
    return this.sample(this.transform(await this.image(index), own), index);
  }

  /** The image as it is in the file. */
  image(index: number): Promise<Image> {
    return readImage(this.#file(index), { channels: this.channels });
  }

  #file(index: number): string {
    checkIndex(this.constructor.name, index, this.length);
    return this.files[index] ?? "";
  }

  #recipe(): WorkerRecipe<Sample> {
    const { described, rest, nested } = splitSteps(this.transform);
    const finished = (made: unknown, draws: Draws): unknown =>
      nested ? runSteps(this.transform.steps ?? [], made, draws, described.length) : rest.reduce((value, step) => step(value, draws), made);
    return {
      job: (index) => {
        const input: ImageJobInput = { file: this.#file(index), channels: this.channels, transforms: described, nested };
        return { module: imageJobModule, name: "imageJob", input };
      },
      finish: (index, made, draws) => this.sample(finished(made, draws) as Output, index),
    };
  }
}

/** A list of files; a sample is the transformed image. */
export class ImageFiles<Output = HostTensor> extends ImageFileDataset<Output, Output> {
  sample(image: Output): Output {
    return image;
  }
}

export interface ImageFolderOptions<Output> extends ImageFilesOptions<Output> {
  readonly extensions?: readonly string[];
}

/** root/class/…/image.jpg: the folders' names are the classes, sorted; a sample is [image, class index] (torchvision's ImageFolder). */
export class ImageFolder<Output = HostTensor> extends ImageFileDataset<Output, [Output, number]> {
  readonly classes: readonly string[];
  readonly classToIdx: Readonly<Record<string, number>>;
  /** Each file with the index of its class. */
  readonly samples: readonly (readonly [file: string, target: number])[];

  readonly root: string;

  constructor(...given: ImagesCall<"root", string, Output, ImageFolderOptions<Output>>) {
    const [root, transform, channels, extensions] = imageFolder.read(given, new.target.name);
    const { classes, samples } = classFolders(root, extensions);
    super(samples.map(([file]) => file), { ...(transform !== null && { transform: transform as Transform<Image, Output> }), channels });
    this.root = root;
    this.classes = classes;
    this.classToIdx = Object.fromEntries(classes.map((name, index) => [name, index]));
    this.samples = samples;
  }

  /** torchvision's other name for the samples. */
  get imgs(): readonly (readonly [file: string, target: number])[] {
    return this.samples;
  }
  /** The class of each sample. */
  get targets(): Int32Array {
    return Int32Array.from(this.samples, ([, target]) => target);
  }

  sample(image: Output, index: number): [Output, number] {
    return [image, this.samples[index]?.[1] ?? 0];
  }
}

for (const owner of [ImageFiles, ImageFolder]) ourDataset(owner);

function classFolders(root: string, extensions: readonly string[]): { classes: string[]; samples: (readonly [string, number])[] } {
  const { path } = nodeModules();
  const classes = entriesOf(root).flatMap(({ name, isFolder }) => (isFolder ? [name] : []));
  if (classes.length === 0) throw new DataFileError(`${root}: holds no folder; expected one for each class, with its images inside.`);
  const files = classes.map((name) => imagesIn(path.join(root, name), extensions, true));
  const empty = classes.filter((_, index) => files[index]?.length === 0);
  if (empty.length > 0) {
    throw new DataFileError(
      `${root}: no image for the ${empty.length === 1 ? "class" : "classes"} ${empty.join(", ")}; ` +
        `expected files that end in ${extensions.join(", ")}.`,
    );
  }
  return { classes, samples: files.flatMap((inClass, index) => inClass.map((file) => [file, index] as const)) };
}
