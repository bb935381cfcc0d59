// Loops over memory for hardware GPUs, as WGSL. What bounds a kernel that only reads and writes is how many loads are under way at once: one of four
// bytes a lane fetches 2 TB/s on an H200 whose copies run at 4.1. These loops ask for several places before they use the first.

/** A place of a loop, by the names that the WGSL has for it. */
export interface Place {
  /** The number of the place, u32. */
  readonly index: string;
  /** What was read there. */
  readonly values: readonly string[];
  /** A condition, where the loop may have ended before this place (the values are then those of its last). */
  readonly inside: string | null;
}

export interface Loop {
  /** WGSL of u32: the first place of this lane, and the end of all lanes' places. */
  readonly first: string;
  readonly end: string;
  /** From a lane's place to its next. */
  readonly stride: number;
  /** Places under way at once. */
  readonly steps: number;
  /** WGSL of what is read at a place. */
  readonly read: (index: string) => readonly string[];
  /** WGSL that uses the places of one round, of which the first is always inside. */
  readonly use: (places: readonly Place[]) => string;
}

export function loadsInFlight({ first, end, stride, steps, read, use }: Loop): string {
  const round = (count: number, isLast: boolean): string => {
    const places = Array.from({ length: count }, (_, j): Place & { readonly lines: readonly string[] } => {
      const mayBeOutside = isLast && j > 0, next = `k + ${j * stride}u`, index = `place${j}`;
      const expressions = read(index), values = expressions.map((_value, v) => `read${j}_${v}`);
      const lines = [
        `let ${index} = ${j === 0 ? "k" : mayBeOutside ? `min(${next}, ${end} - 1u)` : next};`,
        ...expressions.map((expression, v) => `let ${values[v]} = ${expression};`),
      ];
      return { index, values, inside: mayBeOutside ? `(${next} < ${end})` : null, lines };
    });
    return [...places.flatMap(({ lines }) => lines), use(places)].join("\n      ");
  };
  return `
  {
    var k = ${first};
    for (; k + ${(steps - 1) * stride}u < ${end}; k += ${steps * stride}u) {
      ${round(steps, false)}
    }
    ${steps > 1 ? `if (k < ${end}) {\n      ${round(steps - 1, true)}\n    }` : ""}
  }`;
}

/** `use` for places that have nothing to do with each other. */
export function eachPlace(each: (place: Place) => string): Loop["use"] {
  return (places) => places.map((place) => `${place.inside === null ? "" : `if ${place.inside} `}{ ${each(place)} }`).join("\n      ");
}
