/** Where Node's console.log looks for an object's text. */
export const inspected: unique symbol = Symbol.for("nodejs.util.inspect.custom");
