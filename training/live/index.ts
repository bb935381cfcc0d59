// Live curves: a page that a program serves and draws on while it trains, with Visdom's calls.
export { Visdom, type VisdomOptions } from "./visdom.js";
export type { Line, LineOptions, LineValues, LineWindow, LiveWindow, TextWindow, WindowOptions } from "./windows.js";
