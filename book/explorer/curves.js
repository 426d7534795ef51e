// Curves over the steps: a few lines in one drawing, with the values where the training began.

import { make } from "./dom.js";

const WIDTH = 320, HEIGHT = 132, LEFT = 34, RIGHT = 312, TOP = 8, BOTTOM = 110;

/**
 * A drawing of some columns of the rows.
 * @param {Element} parent @param {string} title
 * @param {{name: string, label: string, kind: string, scale: number}[]} lines ``kind`` is the style's name
 * @param {{unit: string, least?: number}} options the smallest range that the axis shows
 */
export function chart(parent, title, lines, { unit, least = 0.1 }) {
  const box = make("div", parent, { class: "pe-chart" });
  make("h2", box, {}, title);
  const key = make("div", box, { class: "pe-key" });
  const values = lines.map(({ label, kind }) => {
    const one = make("span", key, { class: `pe-line-${kind}` });
    make("span", one, {}, label);
    return make("output", one, { "data-name": `${kind}` });
  });
  const svg = make("svg", box, { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  make("line", svg, { x1: LEFT, x2: RIGHT, y1: BOTTOM, y2: BOTTOM, class: "pe-axis" });
  const start = make("line", svg, { x1: LEFT, x2: RIGHT, class: "pe-first" });
  const changed = make("path", svg, { class: "pe-change" }), paths = lines.map(({ kind }) => make("polyline", svg, { class: `pe-path-${kind}` }));
  const text = (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ anchor) => make("text", svg, { x, y, "text-anchor": anchor });
  const high = text(LEFT - 4, TOP + 8, "end"), low = text(LEFT - 4, BOTTOM, "end"), last = text(RIGHT, BOTTOM + 16, "end"), zero = text(LEFT, BOTTOM + 16, "start");
  zero.textContent = "step 0";
  return (/** @type {any[]} */ rows, /** @type {any[]} */ changes = []) => {
    const all = lines.map(({ name, scale }) => rows.map((row) => row[name] * scale)), finite = all.flat().filter(Number.isFinite);
    let [bottom, top] = [Math.min(...finite, Infinity), Math.max(...finite, -Infinity)];
    if (!finite.length) [bottom, top] = [0, least];
    if (top - bottom < least) [bottom, top] = [Math.max(0, (top + bottom - least) / 2), Math.max(0, (top + bottom - least) / 2) + least];
    const steps = Math.max(45, rows[rows.length - 1].step), y = (/** @type {number} */ v) => BOTTOM - ((BOTTOM - TOP) * (v - bottom)) / (top - bottom);
    all.forEach((column, i) => {
      const points = column.map((v, j) => (Number.isFinite(v) ? `${(LEFT + ((RIGHT - LEFT) * rows[j].step) / steps).toFixed(1)},${y(v).toFixed(1)}` : ""));
      paths[i].setAttribute("points", points.filter(Boolean).join(" "));
      const now = column[column.length - 1], words = Number.isFinite(now) ? `${now.toFixed(unit === "%" ? 1 : 2)}${unit && ` ${unit}`}` : "–";
      if (values[i].textContent !== words) values[i].textContent = words;
    });
    changed.setAttribute("d", changes.map(([step]) => `M${(LEFT + ((RIGHT - LEFT) * step) / steps).toFixed(1)} ${TOP}V${BOTTOM}`).join(""));
    const first = all[0][0];
    start.setAttribute("visibility", Number.isFinite(first) ? "visible" : "hidden");
    if (Number.isFinite(first)) start.setAttribute("y1", y(first)), start.setAttribute("y2", y(first));
    const digits = top - bottom < 2 ? 2 : 0;
    high.textContent = top.toFixed(digits), low.textContent = bottom.toFixed(digits), last.textContent = `${steps}`;
    svg.setAttribute("aria-label", `${title}: ${lines.map(({ label }, i) => `${label} ${values[i].textContent}`).join(", ")} after ${rows[rows.length - 1].step} steps.`);
  };
}
