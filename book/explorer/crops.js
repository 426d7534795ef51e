// Crops of the drawn world: buttons that show a piece of the sheet, reused when a list changes, so that the focus stays.

import { make, say } from "./dom.js";
import { thetaOf } from "./lab.js";
import { corners } from "./patches.js";

/** @typedef {import("./page.js").App} App */
/** What a crop shows. @typedef {{place: number, kind?: string, note?: string, label: string, patch?: number}} Item */

/** Show one image of the sheet in an element, as wide as the element. @param {HTMLElement} element @param {App} app @param {number} place */
function fromSheet(element, { data, sheet }, place) {
  const { columns } = data.header.sheet, rows = Math.ceil(data.header.pids.length / columns);
  element.style.backgroundImage = `url(${sheet})`;
  element.style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
  const share = (/** @type {number} */ at, /** @type {number} */ of) => (of > 1 ? (100 * at) / (of - 1) : 0);
  element.style.backgroundPosition = `${share(place % columns, columns)}% ${share(Math.floor(place / columns), rows)}%`;
}

/** The corners of a patch as a path to clip by. @param {App} app @param {number} place @param {number} patch */
function clip({ data, state }, place, patch) {
  const [height, width] = data.header.settings.network.map, theta = thetaOf(data, state.settings.statistics, place);
  const points = corners(theta, patch, height, width).map(([x, y]) => `${(100 * x).toFixed(1)}% ${(100 * y).toFixed(1)}%`);
  return `polygon(${points.join(",")})`;
}

/**
 * A list of crops. Every crop is a button that makes its image the query.
 * @param {Element} parent @param {string} name for screen readers @param {App} app
 */
export function cropList(parent, name, app) {
  const list = make("ul", parent, { class: "pe-crops", "aria-label": name });
  /** @type {{row: HTMLElement, button: any, dim: any, bright: any, note: any, place: number}[]} */
  const slots = [];
  const slot = () => {
    const row = make("li", list), button = make("button", row, { type: "button" });
    const dim = make("span", button, { class: "pe-crop" }), bright = make("span", dim, { class: "pe-crop-bright" });
    const made = { row, button, dim, bright, note: make("span", row, { class: "pe-note" }), place: -1 };
    button.addEventListener("click", () => app.ask(made.place));
    slots.push(made);
    return made;
  };
  return (/** @type {Item[]} */ items) => {
    items.forEach(({ place, kind = "", note = "", label, patch = -1 }, i) => {
      const one = slots[i] ?? slot();
      one.row.hidden = false;
      one.row.dataset.kind = kind;
      if (one.place !== place) fromSheet(one.dim, app, place), fromSheet(one.bright, app, place);
      one.place = place;
      one.dim.classList.toggle("pe-part", patch >= 0);
      one.bright.style.clipPath = patch >= 0 ? clip(app, place, patch) : "none";
      one.button.setAttribute("aria-label", `${label}. Make it the query.`);
      say(one.note, note);
    });
    slots.slice(items.length).forEach(({ row }) => { row.hidden = true; });
  };
}

/** The query itself, large: a crop of the sheet, or the drawn person. @param {Element} parent @param {App} app */
export function queryPicture(parent, app) {
  const frame = make("div", parent, { class: "pe-query", role: "img" }), crop = make("span", frame, { class: "pe-crop" });
  const canvas = make("canvas", frame, { width: 64, height: 128 }), bright = make("span", crop, { class: "pe-crop-bright" });
  const over = make("svg", frame, { viewBox: "0 0 64 128", "aria-hidden": "true" }), box = make("polygon", over, { class: "pe-on" });
  return (/** @type {number} */ patch) => {
    const { query } = app.state, drawn = query < 0, [height, width] = app.data.header.settings.network.map;
    crop.hidden = drawn, canvas.hidden = !drawn;
    if (drawn && app.picture) canvas.getContext("2d").putImageData(app.picture, 0, 0);
    if (!drawn) fromSheet(crop, app, query), fromSheet(bright, app, query);
    crop.classList.toggle("pe-part", patch >= 0);
    if (!drawn) bright.style.clipPath = patch >= 0 ? clip(app, query, patch) : "none";
    const theta = drawn ? app.seen?.theta : thetaOf(app.data, app.state.settings.statistics, query);
    const points = theta && patch >= 0 ? corners(theta, patch, height, width) : [];
    box.setAttribute("points", points.map(([x, y]) => `${64 * x},${128 * y}`).join(" "));
    frame.setAttribute("aria-label", `The query: ${describe(app, query)}`);
  };
}

/** An image of the file in words. @param {App} app @param {number} place */
export function describe({ data, own }, place) {
  if (place < 0) return own ? "your own image" : "the drawn person of Look";
  const { counts: [train, queries], camids, pids } = data.header;
  if (place < train) return `training image ${place + 1}, camera ${camids[place]}`;
  const kind = place < train + queries ? "test query" : "gallery image";
  return `${kind} ${place - train + 1}, ${pids[place] < 0 ? "junk" : `camera ${camids[place]}`}`;
}
