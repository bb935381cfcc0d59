// Live curves, by the calls that Visdom's users know: `viz.line([loss], [step], { win: "train_loss", update: "append" })` in a training loop, and
// a page that draws along.
import { type Call, type Options, Signature, takesNothing } from "../../engine/arguments.js";
import { aNumber, aString } from "../../engine/kinds.js";
import { argumentError } from "../../engine/scope.js";
import { type LiveServer, serveLive } from "./server.js";
import { type Change, drawing, type LineCall, type LiveWindow, LiveWindows, type Points, writing } from "./windows.js";

const opening = new Signature("Visdom.open", [], [["port", aNumber, 8097], ["host", aString, "127.0.0.1"], ["title", aString, "Athanor"]]);
const naming = { remove: new Signature("Visdom.remove", [["win", aString]]), window: new Signature("Visdom.window", [["win", aString]]) };
/** port: where the page is served; 0 takes a free one, 8097 is Visdom's. host: who may look: only this machine ("127.0.0.1"); "0.0.0.0" lets everybody
 *  who reaches it. title: what stands over the page. */
export type VisdomOptions = Options<typeof opening>;

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
  static async open(...given: Call<typeof opening>): Promise<Visdom> {
    const [port, host, title] = opening.read(given);
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
  line(...given: LineCall): string {
    this.#checkOpen("line");
    const [y, x, window, opts, update, name] = drawing.read(given), { win, change } = this.#windows.line(y, x, { win: window, opts, update, name });
    this.#publish(win, change);
    return win;
  }
  /** Writes a text in a window. */
  text(...given: Call<typeof writing>): string {
    this.#checkOpen("text");
    const [text, window, opts] = writing.read(given), { win, change } = this.#windows.text(text, window, opts);
    this.#publish(win, change);
    return win;
  }
  /** Takes a window away; false where there is none of that name. */
  remove(...given: Call<typeof naming.remove>): boolean {
    const [win] = naming.remove.read(given), found = this.#windows.remove(win);
    if (found) {
      this.#points.delete(win);
      this.#server.send(message("removed", { win }));
    }
    return found;
  }
  /** What a window holds now. */
  window(...given: Call<typeof naming.window>): LiveWindow | null {
    const [win] = naming.window.read(given), found = this.#windows.get(win);
    return found === undefined ? null : structuredClone(found);
  }

  /** Sends what is gathered. */
  flush(...none: []): void {
    takesNothing("Visdom.flush", none);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const [win, points] of this.#points) this.#server.send(message("points", { win, points }));
    this.#points.clear();
  }
  /** Ends the server; pages keep what they show. */
  async close(...none: []): Promise<void> {
    takesNothing("Visdom.close", none);
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
