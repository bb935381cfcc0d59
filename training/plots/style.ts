// How all figures look: one face, dark text on white, and colours that are told apart with every kind of colour vision.
import { fontFamily } from "./libraries.js";

export const ink = "#1a1a1a", faint = "#606060", rule = "#d8d8d8", paper = "#ffffff", alarm = "#c81010";
export const face = `${fontFamily}, Helvetica, Arial, sans-serif`;
/** Okabe and Ito's palette; yellow, hard to see on white, comes last. */
export const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#f0e442"] as const;
/** Lines differ in print too; "solid" comes first. */
export const dashes = ["solid", "dashed", "dotted"] as const;

export const textStyle = { fontFamily: face, color: ink, fontSize: 14 } as const;
export const titleStyle = { fontFamily: face, color: ink, fontSize: 18, fontWeight: "bold" } as const;
