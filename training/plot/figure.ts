// Figure: a drawing as SVG text, which becomes PNG bytes or a file of either kind.
import { writeFileAtomically } from "../../engine/files.js";
import { argumentError } from "../../engine/scope.js";
import { rasterize } from "./libraries.js";

export class Figure {
  constructor(
    /** The drawing; a viewer without Open Sans takes its own sans-serif face. */
    readonly svg: string,
    /** In pixels at scale 1. */
    readonly width: number,
    readonly height: number,
  ) {}

  /** The drawing as a PNG file's bytes; scale 2 gives twice the pixels in each direction. */
  async toPng(scale = 1): Promise<Uint8Array> {
    if (!(scale > 0 && Number.isFinite(scale))) throw argumentError("toPng", `got scale ${scale}; expected a number above 0.`);
    return rasterize(this.svg, scale);
  }

  /** Writes `curves.svg` or `curves.png`: the name's ending decides. */
  async save(...paths: string[]): Promise<void> {
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
