// Being asked to stop: signals, a reader of our output that went away, and errors that nobody awaited. None ends the process by itself: the
// training loop asks between two steps, so that no kernel is running when the device closes.

/** 128 + the signal's number, as shells have it. */
const exitCodes = { SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;
type Signal = keyof typeof exitCodes;
/** npm passes on a Ctrl-C that the terminal has sent already; two signals within this time are one. */
const sameKeyPress = 300; // ms

export class Interruption {
  #signal: Signal | null = null;
  #asked = 0;
  #askedAt = -Infinity;
  #failure: { readonly error: unknown } | null = null;
  readonly #fail = (error: unknown): void => this.fail(error);

  /** Starts listening: to signals and to our output until the process ends, for a key pressed late must not kill it; to errors until
   *  `ignoreErrors`. */
  constructor() {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => this.ask(signal));
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => this.ask("SIGPIPE")); // `npm start | head`: nobody reads on
    for (const event of ["uncaughtException", "unhandledRejection"] as const) process.on(event, this.#fail);
  }

  ask(signal: Signal): void {
    const now = performance.now();
    if (now - this.#askedAt > sameKeyPress) this.#asked++;
    this.#askedAt = now;
    this.#signal ??= signal;
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Whether to stop; throws the error that nobody awaited, if there was one. Call between steps. */
  get requested(): boolean {
    if (this.#failure !== null) throw this.#failure.error;
    return this.#signal !== null;
  }

  /** A second Ctrl-C: what takes time and is not the weights may be left out. */
  get urgent(): boolean {
    return this.#asked > 1;
  }

  /** The process's exit code if it was asked to stop, else null. */
  get exitCode(): number | null {
    return this.#signal === null ? null : exitCodes[this.#signal];
  }

  /** Nobody asks any more: an error from here on ends the process as usual. */
  ignoreErrors(): void {
    for (const event of ["uncaughtException", "unhandledRejection"] as const) process.off(event, this.#fail);
  }
}
