// A canvas that writes SVG.
import type { Canvas, Color, TextStyle } from "./canvas.js";
import type { Point } from "./font.js";

/** The height of a capital is about this part of a font's size in the usual sans-serif faces. */
const capitalPart = 0.72;

export class SvgCanvas implements Canvas {
  readonly #elements: string[] = [];
  constructor(readonly width: number, readonly height: number) {}

  rectangle(x: number, y: number, width: number, height: number, color: Color): void {
    this.#elements.push(`<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" fill="${hex(color)}"/>`);
  }

  polyline(points: readonly Point[], color: Color, lineWidth: number, dashes?: Point): void {
    const path = points.map(([x, y]) => `${short(x)},${short(y)}`).join(" ");
    const dash = dashes === undefined ? "" : ` stroke-dasharray="${dashes.join(" ")}"`;
    const stroke = `stroke="${hex(color)}" stroke-width="${short(lineWidth)}" stroke-linejoin="round" stroke-linecap="round"`;
    this.#elements.push(`<polyline points="${path}" fill="none" ${stroke}${dash}/>`);
  }

  disc(x: number, y: number, radius: number, color: Color): void {
    this.#elements.push(`<circle cx="${short(x)}" cy="${short(y)}" r="${short(radius)}" fill="${hex(color)}"/>`);
  }

  text(text: string, x: number, y: number, style: TextStyle): void {
    const { height, color, align = "left", upwards = false, bold = false } = style;
    const anchor = { left: "start", center: "middle", right: "end" }[align];
    const turn = upwards ? ` transform="rotate(-90 ${short(x)} ${short(y)})"` : "";
    const weight = bold ? ' font-weight="bold"' : "";
    const place = `x="${short(x)}" y="${short(y)}" text-anchor="${anchor}"${turn}`;
    this.#elements.push(`<text ${place} font-size="${short(height / capitalPart)}"${weight} fill="${hex(color)}">${escaped(text)}</text>`);
  }

  toString(): string {
    const { width, height } = this;
    const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="Helvetica, Arial, sans-serif">\n${this.#elements.join("\n")}\n</svg>\n`;
  }
}

function hex(color: Color): string {
  return `#${color.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
