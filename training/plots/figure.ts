// Figure: a drawing as SVG text, which becomes PNG bytes or a file of either kind.
import { type Call, Signature } from "../../engine/arguments.js";
import { type FilePath, checkedPath } from "../../serialization/atomicFile.js";
import { writeFileAtomically } from "../../serialization/files.js";
import { aboveZero, aString, kind, type Kind } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { rasterize } from "./libraries.js";

export const pixels: Kind<number> = kind("a number of pixels from 1 to 32767", (value) => typeof value === "number" && value >= 1 && value <= 32_767);
const signature = new Signature("Figure", [["svg", aString], ["width", pixels], ["height", pixels]]);
const drawing = new Signature("Figure.toPng", [["scale", aboveZero, 1]]);

export class Figure {
  /** The drawing; a viewer without Open Sans takes its own sans-serif face. */
  readonly svg: string;
  /** In pixels at scale 1. */
  readonly width: number;
  readonly height: number;

  constructor(...given: Call<typeof signature>) {
    [this.svg, this.width, this.height] = signature.read(given);
  }

  /** The drawing as a PNG file's bytes; scale 2 gives twice the pixels in each direction. */
  async toPng(...given: Call<typeof drawing>): Promise<Uint8Array> {
    const [scale] = drawing.read(given);
    return rasterize(this.svg, scale);
  }

  /** Writes `curves.svg` or `curves.png`: the name's ending decides. */
  async save(...files: readonly FilePath[]): Promise<void> {
    const paths = files.map((file) => checkedPath("Figure.save", file));
    if (paths.length === 0) throw argumentError("Figure.save", "got no path; expected one or more names that end in .svg or .png.");
    for (const path of paths) {
      if (path.endsWith(".svg")) await writeFileAtomically(path, new TextEncoder().encode(this.svg));
      else if (path.endsWith(".png")) await writeFileAtomically(path, await this.toPng());
      else throw argumentError("Figure.save", `got "${path}"; expected a name that ends in .svg or .png.`);
    }
  }
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
