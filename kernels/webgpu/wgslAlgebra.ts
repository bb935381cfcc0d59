// The algebra of kernels/algebra.ts in WGSL: every operation becomes a `let` on vec4 values, four elements at a time.
import type { Algebra } from "../algebra.js";
import { AthanorError } from "../errors.js";
import type { DType } from "../types.js";

export type WorkType = "f32" | "i32";
/** As what a kernel of the two types reads a dtype: bytes and truths lie there as whole numbers. */
export const storedAs = (dtype: DType): WorkType => (dtype === "float32" ? "f32" : "i32");

/** A float32 literal; WGSL has none for infinity and NaN. */
function literal(value: number, work: WorkType): string {
  if (work === "i32") return `vec4<i32>(${Math.trunc(value)})`;
  if (Number.isNaN(value)) return "notANumber()";
  if (!Number.isFinite(value)) return value > 0 ? "infinityOf()" : "(-infinityOf())";
  return `vec4<f32>(${Math.fround(value)}f)`;
}

const floatZero = literal(0, "f32");

export class WGSLAlgebra implements Algebra<string, string> {
  readonly lines: string[] = [];
  constructor(private readonly work: WorkType) {}

  constant(value: number): string {
    return literal(value, this.work);
  }
  add(a: string, b: string): string {
    return this.bind(`${a} + ${b}`);
  }
  sub(a: string, b: string): string {
    return this.bind(`${a} - ${b}`);
  }
  mul(a: string, b: string): string {
    if (this.work === "f32" && (a === floatZero || b === floatZero)) return this.bind(`timesZero(${a === floatZero ? b : a})`);
    return this.bind(`${a} * ${b}`);
  }
  div(a: string, b: string): string {
    return this.float(`quotient(${a}, ${b})`, "a division");
  }
  settled(a: string): string {
    return this.work === "i32" ? a : this.bind(`settled(${a})`);
  }
  neg(a: string): string {
    return this.bind(`-${a}`);
  }
  abs(a: string): string {
    return this.bind(`abs(${a})`);
  }
  max(a: string, b: string): string {
    return this.bind(this.work === "i32" ? `max(${a}, ${b})` : `maximum(${a}, ${b})`);
  }
  min(a: string, b: string): string {
    return this.bind(this.work === "i32" ? `min(${a}, ${b})` : `minimum(${a}, ${b})`);
  }
  sqrt(a: string): string {
    return this.float(`squareRoot(${a})`, "sqrt");
  }
  exp(a: string): string {
    return this.float(`exponential(${a})`, "exp");
  }
  log(a: string): string {
    return this.float(`logarithm(${a})`, "log");
  }
  log1p(a: string): string {
    return this.float(`log1p(${a})`, "log1p");
  }
  expm1(a: string): string {
    return this.float(`expm1(${a})`, "expm1");
  }
  sin(a: string): string {
    return this.float(`sine(${a})`, "sin");
  }
  cos(a: string): string {
    return this.float(`cosine(${a})`, "cos");
  }
  tanh(a: string): string {
    return this.float(`hyperbolicTangent(${a})`, "tanh");
  }
  erf(a: string): string {
    return this.float(`errorFunction(${a})`, "erf");
  }
  pow(a: string, b: string): string {
    return this.float(`power(${a}, ${b})`, "pow");
  }
  floor(a: string): string {
    return this.work === "i32" ? a : this.bind(`floor(${a})`);
  }
  ceil(a: string): string {
    return this.work === "i32" ? a : this.bind(`ceil(${a})`);
  }
  round(a: string): string {
    return this.work === "i32" ? a : this.bind(`round(${a})`);
  }

  lt(a: string, b: string): string {
    return this.compare("<", "lessThan", a, b);
  }
  le(a: string, b: string): string {
    return this.compare("<=", "lessOrEqual", a, b);
  }
  eq(a: string, b: string): string {
    return this.compare("==", "equal", a, b);
  }
  ne(a: string, b: string): string {
    return this.bind(this.work === "i32" ? `${a} != ${b}` : `unequal(${a}, ${b})`);
  }
  isNaN(a: string): string {
    return this.work === "i32" ? "vec4<bool>(false)" : this.bind(`isNotANumber(${a})`);
  }
  and(a: string, b: string): string {
    return this.bind(`${a} & ${b}`);
  }
  or(a: string, b: string): string {
    return this.bind(`${a} | ${b}`);
  }
  not(a: string): string {
    return this.bind(`!${a}`);
  }
  truth(a: string): string {
    return this.work === "i32" ? this.ne(a, this.constant(0)) : this.bind(`isNonZero(${a})`);
  }
  select(condition: string, whenTrue: string, whenFalse: string): string {
    if (this.work === "i32") return this.bind(`select(${whenFalse}, ${whenTrue}, ${condition})`);
    // Of bits: a compiler makes max() of a float's select and −(0 or 1) of a choice between 0 and −1.
    return this.bind(`bitcast<vec4<f32>>(select(bitcast<vec4<u32>>(${whenFalse}), bitcast<vec4<u32>>(${whenTrue}), ${condition}))`);
  }

  /** A comparison is false beside NaN. */
  private compare(operator: string, guarded: string, a: string, b: string): string {
    return this.bind(this.work === "i32" ? `${a} ${operator} ${b}` : `${guarded}(${a}, ${b})`);
  }

  private bind(expression: string): string {
    const name = `t${this.lines.length}`;
    this.lines.push(`let ${name} = ${expression};`);
    return name;
  }

  private float(expression: string, what: string): string {
    if (this.work === "i32") throw new AthanorError(`Got integers for ${what}, expected float32; the caller promotes integers first.`);
    return this.bind(expression);
  }
}
