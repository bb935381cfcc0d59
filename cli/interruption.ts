// Being asked to stop: signals, a reader of our output that went away, and errors that nobody awaited. None ends the process by itself: the
// training loop asks between two steps, so that no kernel is running when the device closes.
import { constants } from "node:os";

type Signal = "SIGINT" | "SIGTERM";
/** npm passes on a Ctrl-C that the terminal has sent already; two signals within this time are one. */
const sameKeyPress = 300; // ms

export class Interruption {
  #signal: Signal | null = null;
  #asked = 0;
  #askedAt = -Infinity;
  #failure: { readonly error: unknown } | null = null;
  readonly #off: (() => void)[] = [];

  /** Starts listening; `dispose` stops it. */
  constructor() {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const listener = (): void => this.ask(signal);
      process.on(signal, listener);
      this.#off.push(() => process.off(signal, listener));
    }
    const fail = (error: unknown): void => this.fail(error);
    for (const event of ["uncaughtException", "unhandledRejection"] as const) {
      process.on(event, fail);
      this.#off.push(() => process.off(event, fail));
    }
    for (const stream of [process.stdout, process.stderr]) {
      const listener = (): void => this.ask("SIGTERM"); // `npm start | head`: nobody reads on
      stream.on("error", listener);
      this.#off.push(() => stream.off("error", listener));
    }
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

  /** 130 after Ctrl-C, 143 after SIGTERM, as shells have it; null when nobody asked. */
  get exitCode(): number | null {
    return this.#signal === null ? null : 128 + constants.signals[this.#signal];
  }

  dispose(): void {
    for (const off of this.#off.splice(0)) off();
  }
}
