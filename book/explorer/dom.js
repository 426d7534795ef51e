// Elements of the page: everything has a name, and works with the keyboard.

const SVG = new Set(["svg", "polygon", "polyline", "line", "text", "path"]);

/**
 * A new element.
 * @param {string} tag @param {Element | null} parent @param {Record<string, any>} [attributes] @param {string} [text]
 * @returns {any}
 */
export function make(tag, parent, attributes = {}, text = "") {
  const element = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  if (parent) parent.append(element);
  return element;
}

/** Set a text only where it changed, so that screen readers are not told twice. @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A labelled slider, with its value beside it.
 * @param {Element} parent @param {string} label
 * @param {{range: [number, number, number], show?: (value: number) => string, about?: string}} options
 * @param {(value: number) => void} onInput
 */
export function slider(parent, label, { range: [min, max, step], show = String, about = "" }, onInput) {
  const row = make("label", parent, { class: "pe-slider", title: about });
  make("span", row, {}, label);
  const input = make("input", row, { type: "range", min, max, step, "aria-label": label }), value = make("output", row);
  const set = (/** @type {number} */ now) => {
    if (document.activeElement !== input || Number(input.value) !== now) input.value = String(now);
    say(value, show(Number(input.value)));
    input.setAttribute("aria-valuetext", value.textContent);
  };
  input.addEventListener("input", () => {
    set(Number(input.value));
    onInput(Number(input.value));
  });
  return { set, input, limit: (/** @type {number} */ most) => input.setAttribute("max", String(most)) };
}

/** A labelled list to choose from: [value, words]. @param {Element} parent @param {string} label @param {[string, string][]} choices @param {(value: string) => void} onChange */
export function select(parent, label, choices, onChange) {
  const row = make("label", parent, { class: "pe-select" });
  make("span", row, {}, label);
  const input = make("select", row, { "aria-label": label });
  for (const [value, words] of choices) make("option", input, { value }, words);
  input.addEventListener("change", () => onChange(input.value));
  return { set: (/** @type {string | number} */ now) => { input.value = String(now); }, input };
}

/** A box to tick. @param {Element} parent @param {string} label @param {(on: boolean) => void} onChange */
export function tick(parent, label, onChange) {
  const row = make("label", parent, { class: "pe-tick" }), input = make("input", row, { type: "checkbox" });
  make("span", row, {}, label);
  input.addEventListener("change", () => onChange(input.checked));
  return { set: (/** @type {boolean} */ on) => { input.checked = on; }, input };
}

/** A button. @param {Element} parent @param {string} words @param {() => void} onClick @param {Record<string, any>} [attributes] */
export function button(parent, words, onClick, attributes = {}) {
  const element = make("button", parent, { type: "button", ...attributes }, words);
  element.addEventListener("click", onClick);
  return element;
}

/** A named number that tests and readers find. @param {Element} parent @param {string} name @param {string} label */
export function readout(parent, name, label) {
  const row = make("span", parent, { class: "pe-readout" });
  make("span", row, {}, `${label} `);
  const output = make("output", row, { "data-name": name });
  return (/** @type {string} */ text) => say(output, text);
}

/** A share as percent. @param {number} share @param {number} [digits] */
export const percent = (share, digits = 0) => (Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : "–");
