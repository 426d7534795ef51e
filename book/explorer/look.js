// Look: a drawn person, or an image of the reader's own, on its way through the network.

import { dot } from "../paulbook/scripts/shared/rows.js";
import { PLAIN, photograph, poseOf } from "./camera.js";
import { describe } from "./crops.js";
import { button, make, say, select, slider } from "./dom.js";
import { corners } from "./patches.js";
import { BAGS, RANGES, VIEWS } from "./state.js";

/** @typedef {import("./page.js").App} App */

const BLUE = [0, 114, 178], ORANGE = [213, 94, 0];
const REST = 1000; // milliseconds without a new image, after which the next one is compared with what was there

/** The drawn person as the camera of the state sees them. @param {App} app @returns {ImageData} */
export function drawnPerson({ data: { header }, state: { look }, places }) {
  const base = header.cameras[look.camera] ?? PLAIN, { person, top, lower, bag } = look, own = header.looks[person];
  const camera = { ...base, gamma: base.gamma + Math.round(look.light * 0.8), brightness: base.brightness + Math.round(look.light / 4) };
  const worn = { ...own, upper: top, second: own.pattern === "plain" ? top : own.second, lower_colour: lower, bag };
  if (bag !== "none" && own.bag === "none") worn.bag_colour = "red";
  const rgb = photograph(worn, poseOf(base, look), camera, header.palettes, places[look.camera] ?? null);
  const image = new ImageData(64, 128);
  for (let i = 0; i < 64 * 128; i++) image.data.set([rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2], 255], 4 * i);
  return image;
}

/** The mirror image. @param {ImageData} image */
export function mirrored(image) {
  const out = new ImageData(64, 128);
  for (let y = 0; y < 128; y++) {
    for (let x = 0; x < 64; x++) out.data.set(image.data.subarray(4 * (y * 64 + 63 - x), 4 * (y * 64 + 64 - x)), 4 * (y * 64 + x));
  }
  return out;
}

/** An image file as the network takes it: 64 x 128 pixels, the whole of it. @param {Blob} file @returns {Promise<ImageData>} */
export async function fromFile(file) {
  const picture = await createImageBitmap(file), canvas = make("canvas", null, { width: 64, height: 128 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, 64, 128);
  return pen.getImageData(0, 0, 64, 128);
}

/** Cells of a map in shades of blue, the largest value darkest. @param {any} canvas @param {ArrayLike<number>} values @param {number} columns */
function paintMap(canvas, values, columns) {
  const pen = canvas.getContext("2d"), image = new ImageData(columns, values.length / columns), top = Math.max(1e-9, ...Array.from(values));
  for (let i = 0; i < values.length; i++) {
    const share = Math.max(0, values[i] / top);
    image.data.set([...BLUE.map((channel) => 255 - share * (255 - channel)), 255], 4 * i);
  }
  pen.putImageData(image, 0, 0);
}

/** The image, darkened where a patch does not look. @param {any} canvas @param {ImageData} picture @param {Float32Array} weights @param {number} columns */
function paintAttention(canvas, picture, weights, columns) {
  const pen = canvas.getContext("2d"), top = Math.max(...weights), rows = weights.length / columns;
  pen.putImageData(picture, 0, 0);
  weights.forEach((weight, i) => {
    pen.fillStyle = `rgba(0,0,0,${0.82 * (1 - weight / top)})`;
    pen.fillRect((i % columns) * (64 / columns), Math.floor(i / columns) * (128 / rows), 64 / columns, 128 / rows);
  });
}

/** One feature as a strip of cells, blue above 0 and orange below. @param {any} canvas @param {ArrayLike<number>} values */
function paintFeature(canvas, values) {
  const pen = canvas.getContext("2d"), image = new ImageData(values.length, 1);
  for (let i = 0; i < values.length; i++) {
    const share = Math.min(1, Math.abs(values[i]) / 0.35), colour = values[i] > 0 ? BLUE : ORANGE;
    image.data.set([...colour.map((channel) => 255 - share * (255 - channel)), 255], 4 * i);
  }
  pen.putImageData(image, 0, 0);
}

/** Remembers what was seen before a change, and says how similar each patch's feature still is: cosines, or nothing yet. @param {number} patches */
function comparison(patches) {
  /** @type {{features: Float32Array, at: number} | null} */
  let last = null;
  /** @type {Float32Array | null} */
  let before = null;
  return (/** @type {Float32Array} */ features) => {
    const now = performance.now(), length = features.length / patches;
    if (last && last.features !== features && now - last.at > REST) before = last.features;
    if (last?.features !== features) last = { features, at: now };
    const known = before;
    return known && Array.from({ length: patches }, (_, p) => dot(features, p * length, known, p * length, length));
  };
}

/** The screen. @param {Element} parent @param {App} app */
export function lookView(parent, app) {
  const { header } = app.data, { patches, channels, map: [height, width] } = header.settings.network;
  make("p", parent, { class: "pe-hint" }, `Change the person and watch. The network turns the image into a small map, cuts ${patches} patches out of it, and describes each patch (white outlines) by a strip of numbers, its feature. After a change, each patch says how similar its feature still is, where 1 means unchanged.`);
  const choices = make("div", parent, { class: "pe-panel pe-choices" });
  const flow = make("div", parent, { class: "pe-flow" });
  const stage = (/** @type {string} */ name, /** @type {string} */ title) => {
    const box = make("div", flow, { class: `pe-stage pe-${name}` });
    make("h2", box, {}, title);
    return box;
  };
  const first = stage("image", "Image"), frame = make("div", first, { class: "pe-frame", role: "img" });
  const canvas = make("canvas", frame, { width: 64, height: 128 }), over = make("svg", frame, { viewBox: "0 0 64 128", "aria-hidden": "true" });
  const caption = make("p", first, { class: "pe-hint", role: "status" });
  const boxes = Array.from({ length: patches }, () => make("polygon", over));
  const second = stage("map", "Feature map"), mapCanvas = make("canvas", second, { width, height, role: "img" });
  const channel = slider(second, "Channel", { range: [-1, channels - 1, 1], show: (v) => (v < 0 ? "mean of all" : `${v + 1} of ${channels}`) },
    (v) => app.set({ channel: v }));
  const third = stage("patches", `${patches} patches and their features`);
  const rows = Array.from({ length: patches }, (_, p) => {
    const row = button(third, "", () => app.set({ patch: p }), { class: "pe-patch" });
    const seen = make("canvas", row, { width: 64, height: 128 }), text = make("span", row);
    const words = make("b", text), strip = make("canvas", text, { width: header.settings.network.feature_dim, height: 1 });
    return { row, seen, text: words, strip, still: make("small", text) };
  });
  const panel = make("div", parent, { class: "pe-panel" });
  const words = (/** @type {string[]} */ all) => all.map((word) => /** @type {[string, string]} */ ([word, word]));
  const put = (/** @type {any} */ changes) => app.draw({ ...app.state.look, ...changes });
  const numbers = (/** @type {number} */ count, /** @type {string} */ word) => Array.from({ length: count }, (_, i) => /** @type {[string, string]} */ ([`${i}`, `${word} ${i + 1}`]));
  const pixels = (/** @type {number} */ units) => `${units / 16} px`, change = comparison(patches);
  const inputs = {
    person: select(choices, "Person", numbers(header.looks.length, "person"), (v) => app.pickPerson(Number(v))),
    top: select(choices, "Top", words(Object.keys(header.palettes.cloth)), (top) => put({ top })),
    lower: select(choices, "Legs", words(Object.keys(header.palettes.lower)), (lower) => put({ lower })),
    bag: select(choices, "Bag", words(BAGS), (bag) => put({ bag })),
    view: select(choices, "View", words(VIEWS), (view) => put({ view })),
    camera: select(choices, "Camera", [...numbers(header.cameras.length, "camera"), ["-1", "none, plain paper"]], (v) => put({ camera: Number(v) })),
    light: slider(panel, "Light", { range: RANGES.light }, (light) => put({ light })),
    across: slider(panel, "Person to the side", { range: RANGES.across, show: pixels }, (across) => put({ across })),
    down: slider(panel, "Person up or down", { range: RANGES.down, show: pixels }, (down) => put({ down })),
    near: slider(panel, "Person near or far", { range: RANGES.near, show: (v) => `${v} %` }, (near) => put({ near })),
  };
  const file = make("label", panel, { class: "pe-file" });
  make("span", file, {}, "Your own image (it stays on this computer, and is stretched to 64 x 128 pixels; you can also drop it on the picture)");
  const input = make("input", file, { type: "file", accept: "image/*" });
  input.addEventListener("change", () => input.files[0] && app.useFile(input.files[0]));
  frame.addEventListener("dragover", (/** @type {DragEvent} */ event) => event.preventDefault());
  frame.addEventListener("drop", (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    const [dropped] = event.dataTransfer?.files ?? [];
    if (dropped) app.useFile(dropped);
  });
  const note = make("p", panel, { class: "pe-hint", role: "status" });
  return {
    show() {
      const { state, picture, seen } = app, { patch, look } = state;
      for (const [name, one] of Object.entries(inputs)) one.set(/** @type {any} */ (look)[name]);
      const other = app.own || state.query >= 0;
      say(caption, other ? `You see ${describe(app, state.query)}. Choose a person to come back to the drawn one.` : "");
      say(note, app.fault);
      channel.set(state.channel);
      if (picture) canvas.getContext("2d").putImageData(picture, 0, 0);
      frame.setAttribute("aria-label", other ? `${describe(app, state.query)}, with its patches` : `A drawn person, ${look.top} top, ${look.lower} legs, seen from ${look.view}, with its patches`);
      if (!seen || !picture) return;
      const cells = height * width, one = state.channel < 0
        ? Float32Array.from({ length: cells }, (_, i) => { let sum = 0; for (let c = 0; c < channels; c++) sum += seen.map[c * cells + i]; return sum; })
        : seen.map.subarray(state.channel * cells, (state.channel + 1) * cells);
      paintMap(mapCanvas, one, width);
      mapCanvas.setAttribute("aria-label", `Feature map of ${height} rows and ${width} columns, strongest in row ${Math.floor(one.indexOf(Math.max(...one)) / width) + 1}`);
      const cosines = seen.features && change(seen.features);
      rows.forEach(({ row, seen: small, text, strip, still }, p) => {
        const weights = seen.maps[p], D = strip.width, middle = (((seen.theta[6 * p + 5] + 1) / 2) * (height - 1) + 0.5) * (128 / height);
        boxes[p].setAttribute("points", corners(seen.theta, p, height, width).map(([x, y]) => `${64 * x},${128 * y}`).join(" "));
        boxes[p].classList.toggle("pe-on", p === patch);
        row.setAttribute("aria-pressed", String(p === patch));
        paintAttention(small, picture, weights, width);
        if (seen.features) paintFeature(strip, seen.features.subarray(p * D, (p + 1) * D));
        say(text, `Patch ${p + 1}, centre at ${middle.toFixed(1)} px`);
        say(still, cosines ? `similarity to before: ${cosines[p].toFixed(2)}` : "");
        row.classList.toggle("pe-changed", Boolean(cosines && cosines[p] < 0.9));
      });
      over.append(boxes[patch]); // the chosen one lies on top
    },
  };
}
