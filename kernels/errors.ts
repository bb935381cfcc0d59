// The errors a device can raise. Every message is a sentence: what was got, what was expected, what to do.

/** Base of everything Athanor throws on purpose, so that a caller can tell a wrong call from a bug. */
export class AthanorError extends Error {
  override name = "AthanorError";
}
/** A shape, dtype, device or argument that an operation cannot take. */
export class ArgumentError extends AthanorError {
  override name = "ArgumentError";
}
/** An index or a label outside its range, found in the data. */
export class IndexError extends AthanorError {
  override name = "IndexError";
}
/** A tensor past what the device's limits allow. */
export class DeviceLimitError extends AthanorError {
  override name = "DeviceLimitError";
}
export class OutOfMemoryError extends AthanorError {
  override name = "OutOfMemoryError";
}
/** The GPU went away (driver reset, unplugged, destroyed). A new device and the last checkpoint carry on. */
export class DeviceLostError extends AthanorError {
  override name = "DeviceLostError";
}
/** The device cannot be opened here (no adapter, no binding). */
export class DeviceUnavailableError extends AthanorError {
  override name = "DeviceUnavailableError";
  /** What is missing, in a few words, for the line that says why another device serves. */
  readonly brief: string;
  constructor(message: string, options: ErrorOptions & { readonly brief?: string } = {}) {
    super(message, options);
    this.brief = options.brief ?? message;
  }
}
