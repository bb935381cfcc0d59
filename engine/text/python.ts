// Numbers, truth values and tuples as Python writes them: what the printed form of tensors, modules and optimizers is made of.

/** A number as Python writes it: 1e-05, 0.1, inf. Whole numbers print as int; `float` makes them 2.0. */
export function pythonNumber(value: number, float = false): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  return float && Number.isInteger(value) ? `${value}.0` : String(value);
}

export function pythonBoolean(value: boolean): string {
  return value ? "True" : "False";
}

/** A number, a tuple of numbers and Nones, or None. */
export function pythonValue(value: number | null | readonly (number | null)[]): string {
  if (value === null) return "None";
  return typeof value === "number" ? pythonNumber(value) : `(${value.map((v) => pythonValue(v)).join(", ")})`;
}

/** A shape as Python prints a tuple: (), (3,), (2, 3). */
export function pythonTuple(values: readonly number[]): string {
  return values.length === 1 ? `(${values[0]},)` : `(${values.join(", ")})`;
}

/** Python's "{:.Nf}": a half goes to the even neighbour, where toFixed goes away from zero; minus zero keeps its sign. */
export function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  const size = Math.abs(value);
  // From 2⁵³ on a double is whole; toFixed gives up at 1e21.
  const text = size < 1e21 ? size.toFixed(digits) : `${BigInt(size)}${digits > 0 ? `.${"0".repeat(digits)}` : ""}`;
  // A value lies halfway between two decimals of N digits when it is an odd multiple of 2⁻ᴺ⁻¹.
  const halves = size * 2 ** (digits + 1);
  return signed(value, Number.isInteger(halves) && halves % 2 === 1 ? evenBelow(text) : text);
}

/** More digits than a double has that ends in a half a few places after its point. */
const exactDigits = 60;

/** Python's "{:.Ne}". */
export function exponential(value: number, digits: number): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  const size = Math.abs(value);
  const [mantissa = "", exponent = ""] = size.toExponential(digits).split("e");
  const tail = size.toExponential(exactDigits).split("e")[0]?.slice(digits === 0 ? 1 : digits + 2).replace(".", "") ?? "";
  const halfway = /^50*$/.test(tail);
  return signed(value, `${halfway ? evenBelow(mantissa) : mantissa}e${exponent.replace(/^([+-])(\d)$/, "$10$2")}`);
}

function nonFinite(value: number): string {
  if (Number.isNaN(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}
function signed(value: number, magnitude: string): string {
  return value < 0 || Object.is(value, -0) ? `-${magnitude}` : magnitude;
}
/** JavaScript rounds a half up, to the odd digit half of the time: the even one is the digit below. */
function evenBelow(text: string): string {
  const last = Number(text.at(-1));
  return last % 2 === 1 ? `${text.slice(0, -1)}${last - 1}` : text;
}
