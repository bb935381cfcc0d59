// What the walk over all exports knows of each: a good call by place, the same by name. A room of the package has a file of rows beside this
// one; an export without a row fails the walk.

export interface CallCase {
  /** What must be given, by place. */
  readonly needed: readonly unknown[];
  /** Every other place, with values that are not the defaults. */
  readonly rest?: readonly unknown[];
  /** What can be given by name alone, with values that are not the defaults. */
  readonly also?: Readonly<Record<string, unknown>>;
  /** What can be given by name alone must be given. */
  readonly neededByName?: true;
  /** The names of `needed` and `rest`, in order; left out where a call has no such names (sizes one by one, a list of modules). */
  readonly names?: readonly string[];
  /** Why what may be left out does not show in the result. */
  readonly silent?: string;
  /** The result's values are whatever memory held: only its text and shapes are compared. */
  readonly blank?: boolean;
  /** Too much memory to be made at every look: only refusals are tried. */
  readonly heavy?: boolean;
  /** Why anything at all may be given behind `needed` (Identity takes what PyTorch's takes). */
  readonly takesAnything?: string;
}
/** A call, made anew each time, since some change what they are given; or why there is none to make. */
export type Row = (() => CallCase) | { readonly notCalled: string };
export type Rows = Readonly<Record<string, Row>>;

/** An error class: JavaScript's own, with JavaScript's arguments. */
export const errorClass: Row = { notCalled: "an error that the library throws, not one that a caller makes" };
/** A class that callers extend and never make. */
export const abstractClass: Row = { notCalled: "abstract: its subclasses are called" };
