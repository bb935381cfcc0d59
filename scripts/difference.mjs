// What turns one WebAssembly module into another that is nearly the same, in the form that kernels/cpu/difference.ts applies.

/** Shorter runs cost as much to point at as to repeat. */
const shortestRun = 6;

/** Greedy: the longest run of `base` that goes on like `whole`, then the bytes up to where some run does. */
export function findDifference(base, whole) {
  const places = placesOfRuns(base), out = [...leb128(whole.length)];
  for (let at = 0; at < whole.length;) {
    const { start, length } = longestRun(base, whole, at, places);
    const own = whole.subarray(at + length, nextRun(whole, at + length, places));
    out.push(...leb128(start), ...leb128(length), ...leb128(own.length), ...own);
    at += length + own.length;
  }
  return Uint8Array.from(out);
}

function placesOfRuns(base) {
  const places = new Map();
  for (let at = 0; at + shortestRun <= base.length; at++) {
    const key = keyAt(base, at);
    const known = places.get(key);
    if (known) known.push(at);
    else places.set(key, [at]);
  }
  return places;
}

function keyAt(bytes, at) {
  return String.fromCharCode(...bytes.subarray(at, at + shortestRun));
}

function longestRun(base, whole, at, places) {
  let start = 0, length = 0;
  for (const place of places.get(keyAt(whole, at)) ?? []) {
    let same = 0;
    while (at + same < whole.length && base[place + same] === whole[at + same]) same++;
    if (same > length) [start, length] = [place, same];
  }
  return { start, length };
}

function nextRun(whole, at, places) {
  while (at < whole.length && !places.has(keyAt(whole, at))) at++;
  return at;
}

function leb128(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}
