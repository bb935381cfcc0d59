// The live page. startPage is sent to the browser as its own source text, so it uses nothing from outside itself; types alone are imported.
import type uPlot from "uplot";
import type { LiveWindow, LineWindow, Points } from "./windows.js";

export function html(title: string): string {
  const escaped = title.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="uPlot.css">
<link rel="stylesheet" href="page.css">
</head>
<body>
<header><h1>${escaped}</h1><p id="state">connecting …</p></header>
<main id="windows"><p id="empty">Nothing is drawn yet.</p></main>
<script src="uPlot.js"></script>
<script src="page.js"></script>
</body>
</html>
`;
}

/** The page brings its font, where it is installed: on a machine without any, text has no height. */
export const css = `
@font-face { font-family: "Open Sans"; src: url("font.ttf"); font-display: swap; }
body { margin: 0; font: 15px/1.4 "Open Sans", system-ui, Helvetica, Arial, sans-serif; color: #1a1a1a; background: #f4f5f7; }
header { display: flex; align-items: baseline; gap: 16px; padding: 12px 20px; background: #fff; border-bottom: 1px solid #d8d8d8; }
h1 { font-size: 18px; margin: 0; }
#state { margin: 0; color: #606060; }
#state.live { color: #00754f; }
#state.gone { color: #c81010; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 16px; padding: 16px 20px; }
section { background: #fff; border: 1px solid #d8d8d8; border-radius: 6px; padding: 12px; min-width: 0; }
h2 { font-size: 15px; margin: 0 0 8px; text-align: center; }
section p { margin: 8px 0 0; color: #606060; font-variant-numeric: tabular-nums; }
pre { margin: 0; white-space: pre-wrap; }
.u-legend { font-size: 14px; }
`;

/** What is sent as page.js. Compilers that keep function names wrap them in a call of __name; the page has none. */
export function pageScript(): string {
  return `const __name = (f) => f;\n(${startPage.toString()})(window.uPlot);\n`;
}

function startPage(Plot: typeof uPlot): void {
  const colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];
  interface Card {
    readonly section: HTMLElement;
    readonly chart: HTMLElement;
    readonly caption: HTMLElement;
    window: LiveWindow;
    plot: uPlot | null;
  }
  const cards = new Map<string, Card>();
  const waiting = new Set<Card>();
  const main = document.getElementById("windows") ?? document.body;
  const state = document.getElementById("state") ?? document.body;

  function say(text: string, kind: string): void {
    state.textContent = text;
    state.className = kind;
  }
  function cardOf(window: LiveWindow): Card {
    let card = cards.get(window.win);
    if (card === undefined) {
      document.getElementById("empty")?.remove();
      const section = document.createElement("section"), title = document.createElement("h2");
      const chart = document.createElement("div"), caption = document.createElement("p");
      section.dataset["win"] = window.win;
      section.append(title, chart, caption);
      main.append(section);
      card = { section, chart, caption, window, plot: null };
      cards.set(window.win, card);
      const made = card;
      new ResizeObserver(() => made.plot?.setSize(sizeOf(made))).observe(section);
    }
    card.window = window;
    const heading = card.section.querySelector("h2");
    if (heading) heading.textContent = window.options.title ?? window.win;
    return card;
  }
  function sizeOf(card: Card): { width: number; height: number } {
    return { width: Math.max(200, card.section.clientWidth - 24), height: 280 };
  }
  /** One x axis for all lines, in rising order, as uPlot wants it. */
  function dataOf(window: LineWindow): uPlot.AlignedData {
    const tables = window.lines.map(({ x, y }): uPlot.AlignedData => {
      const order = x.map((_, i) => i).sort((a, b) => (x[a] ?? 0) - (x[b] ?? 0));
      return [order.map((i) => x[i] ?? 0), order.map((i) => y[i] ?? null)];
    });
    return tables.length === 0 ? [[]] : Plot.join(tables);
  }
  function captionOf(window: LineWindow): string {
    return window.lines.map(({ name, x, y }) => {
      const value = y[y.length - 1];
      const text = typeof value === "number" ? Number(value.toPrecision(5)).toString() : "–";
      return `${name}: ${text} at ${x[x.length - 1] ?? "–"}`;
    }).join(" · ");
  }
  function build(card: Card): void {
    card.plot?.destroy();
    card.plot = null;
    card.chart.replaceChildren();
    card.caption.textContent = "";
    if (card.window.kind === "text") {
      const text = document.createElement("pre");
      text.textContent = card.window.text;
      card.chart.append(text);
      return;
    }
    const { options, lines } = card.window;
    const axis = { font: "13px 'Open Sans', system-ui, sans-serif", labelFont: "13px 'Open Sans', system-ui, sans-serif", labelSize: 22 };
    card.plot = new Plot({
      ...sizeOf(card),
      scales: { x: { time: false } },
      series: [
        { label: options.xlabel ?? "step" },
        ...lines.map(({ name }, i) => ({ label: name, stroke: colors[i % colors.length] ?? "#000", width: 1.5, spanGaps: true })),
      ],
      axes: [{ ...axis, label: options.xlabel ?? "step" }, { ...axis, size: 64, label: options.ylabel ?? "" }],
    }, dataOf(card.window), card.chart);
    card.caption.textContent = captionOf(card.window);
  }
  function redraw(card: Card): void {
    if (card.window.kind !== "line") return;
    card.plot?.setData(dataOf(card.window));
    card.caption.textContent = captionOf(card.window);
  }
  /** Many points a second are one drawing a frame. */
  function redrawSoon(card: Card): void {
    if (waiting.size === 0) {
      requestAnimationFrame(() => {
        for (const one of waiting) redraw(one);
        waiting.clear();
      });
    }
    waiting.add(card);
  }
  function addPoints(win: string, points: readonly Points[]): void {
    const card = cards.get(win);
    if (card?.window.kind !== "line") return;
    for (const { line, x, y } of points) {
      const known = card.window.lines[line];
      for (const value of x) known?.x.push(value);
      for (const value of y) known?.y.push(value);
    }
    redrawSoon(card);
  }
  function remove(win: string): void {
    cards.get(win)?.section.remove();
    cards.delete(win);
  }

  const events = new EventSource("events");
  const on = <Message>(name: string, handle: (message: Message) => void) =>
    events.addEventListener(name, (event) => handle(JSON.parse(event.data) as Message));
  events.addEventListener("open", () => say("live", "live"));
  events.addEventListener("error", () => say("the training has ended, or cannot be reached", "gone"));
  on<{ windows: LiveWindow[] }>("all", ({ windows }) => {
    const names = new Set(windows.map(({ win }) => win));
    for (const win of cards.keys()) if (!names.has(win)) remove(win);
    for (const window of windows) build(cardOf(window));
  });
  on<{ window: LiveWindow }>("window", ({ window }) => build(cardOf(window)));
  on<{ win: string; points: Points[] }>("points", ({ win, points }) => addPoints(win, points));
  on<{ win: string }>("removed", ({ win }) => remove(win));
}
