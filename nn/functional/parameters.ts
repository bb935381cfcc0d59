// Parameters that a function and its layer describe alike.
import { aBoolean, aboveZero, aCount, aFinite, aNumber, either, type Kind, kind, listOf, numbers, oneOf, orNull } from "../../engine/kinds.js";
import { type Size2, size2 } from "../arguments.js";

/** "valid": none; "same": as much as keeps the size, at stride 1. */
export type Padding2d = Size2 | "same" | "valid";
/** Padding as conv2d takes it. */
export const padding2d: Kind<Padding2d> = either(size2, oneOf("same", "valid"));

/** One number for both sides; null keeps the input's. */
export type OutputSize = number | null | readonly [number | null, number | null];
const isSide = orNull(aCount(0)).takes;
export const outputSizes = {
  ...kind("", (value) => isSide(value) || (Array.isArray(value) && value.length === 2 && value.findIndex((side) => !isSide(side)) === -1)),
  says: "a whole number of at least 0, two of them [height, width], or null for the input's own",
} as Kind<OutputSize>;

/** One number for every side, or one for each. */
export type PerSide = number | readonly number[];
const perSide: Kind<PerSide> = either(aNumber, numbers);
const scales: Kind<PerSide> = { ...either(aboveZero, listOf("a list of them", aboveZero)), says: "a finite number above 0, or one for each side" };
const none: Kind<null> = kind("nothing: the nearest neighbour has no corners to align", (value) => value === null);
/** Upsample's parameters, which recomputeScaleFactor makes step by the ratio of the sizes that scaleFactor leads to, not by its inverse. */
export const resamplingArguments = [
  ["size", perSide, null], ["scaleFactor", scales, null], ["mode", oneOf("nearest"), "nearest"], ["alignCorners", none, null],
  ["recomputeScaleFactor", aBoolean, null],
] as const;

/** multiMarginLoss's. */
export const hinge = [["p", kind<number>("1 or 2", (value) => value === 1 || value === 2), 1], ["margin", aFinite, 1]] as const;
