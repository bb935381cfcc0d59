// Live curves, by the calls that Visdom's users know: `viz.line([loss], [step], { win: "train_loss", update: "append" })` in a training loop, and
// a page that draws along.
import { argumentError } from "../../engine/scope.js";
import { type LiveServer, serveLive } from "./server.js";
import { type Change, type LineOptions, type LineValues, type LiveWindow, LiveWindows, type Points, type WindowOptions } from "./windows.js";

export interface VisdomOptions {
  /** Where the page is served; 0 takes a free port. Default 8097, Visdom's. */
  readonly port?: number;
  /** Who may look: only this machine by default ("127.0.0.1"); "0.0.0.0" lets everybody who reaches it. */
  readonly host?: string;
  /** What stands over the page. Default "Athanor". */
  readonly title?: string;
}

/** Points are gathered for so long before they are sent. */
const sendEvery = 50; // ms

export class Visdom {
  readonly #windows: LiveWindows;
  readonly #server: LiveServer;
  readonly #points = new Map<string, Points[]>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  private constructor(windows: LiveWindows, server: LiveServer) {
    this.#windows = windows;
    this.#server = server;
  }

  /** Starts serving; the address is `url`. The server ends with the process, or with close(). */
  static async open(options: VisdomOptions = {}): Promise<Visdom> {
    const { port = 8097, host = "127.0.0.1", title = "Athanor" } = options;
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw argumentError("Visdom.open", `got port ${port}; expected a whole number from 0 to 65535.`);
    }
    const windows = new LiveWindows();
    let opened: Visdom | null = null;
    const greeting = (): string => {
      opened?.flush(); // what is gathered goes to the pages that are there already: the new one gets it with everything else
      return message("all", { windows: windows.all() });
    };
    opened = new Visdom(windows, await serveLive({ port, host, title, greeting }));
    return opened;
  }

  /** Where the page is: http://127.0.0.1:8097/ */
  get url(): string {
    return this.#server.url;
  }

  /** Draws y over x in a window, or adds to one: a value, a list of values, or rows of one value a line. Gives the window's name. */
  line(y: LineValues, x: number | readonly number[], options: LineOptions = {}): string {
    this.#checkOpen("line");
    const { win, change } = this.#windows.line(y, x, options);
    this.#publish(win, change);
    return win;
  }
  /** Writes a text in a window. */
  text(text: string, options: { readonly win?: string; readonly opts?: WindowOptions } = {}): string {
    this.#checkOpen("text");
    const { win, change } = this.#windows.text(text, options.win, options.opts);
    this.#publish(win, change);
    return win;
  }
  /** Takes a window away; false where there is none of that name. */
  remove(win: string): boolean {
    const found = this.#windows.remove(win);
    if (found) {
      this.#points.delete(win);
      this.#server.send(message("removed", { win }));
    }
    return found;
  }
  /** What a window holds now. */
  window(win: string): LiveWindow | null {
    const found = this.#windows.get(win);
    return found === undefined ? null : structuredClone(found);
  }

  /** Sends what is gathered. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const [win, points] of this.#points) this.#server.send(message("points", { win, points }));
    this.#points.clear();
  }
  /** Ends the server; pages keep what they show. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    await this.#server.close();
  }

  #checkOpen(operation: string): void {
    if (this.#closed) throw argumentError(operation, "this Visdom was closed; open another.");
  }
  #publish(win: string, change: Change): void {
    if (change.kind === "window") {
      this.#points.delete(win); // the whole window holds them
      this.#server.send(message("window", { window: change.window }));
      return;
    }
    this.#points.set(win, [...(this.#points.get(win) ?? []), ...change.points]);
    this.#timer ??= unreferenced(setTimeout(() => this.flush(), sendEvery));
  }
}

/** A timer that does not keep the process alive. */
function unreferenced(timer: ReturnType<typeof setTimeout>): ReturnType<typeof setTimeout> {
  if (typeof timer === "object") timer.unref();
  return timer;
}

function message(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
