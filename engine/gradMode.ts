// Gradient mode: whether operations are recorded.
let noGradDepth = 0;

export function isGradEnabled(): boolean {
  return noGradDepth === 0;
}

/** Runs fn without recording a tape; an async fn keeps it off until its promise settles. Calls may overlap: a depth is counted. */
export function noGrad<R>(fn: () => R): R {
  noGradDepth++;
  let asynchronous = false;
  try {
    const result = fn();
    if (result instanceof Promise) {
      asynchronous = true;
      const settled = () => void noGradDepth--;
      result.then(settled, settled);
    }
    return result;
  } finally {
    if (!asynchronous) noGradDepth--;
  }
}
