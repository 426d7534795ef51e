// Compare: the query's patches among the memory's, and the whole image among the centers and in the gallery.

import { cropList, describe, queryPicture } from "./crops.js";
import { button, make, percent, readout, say, slider } from "./dom.js";
import { RANGES } from "./state.js";

/** @typedef {import("./page.js").App} App */

/** Whether somebody is the same person, for a note. @param {boolean} same */
const mark = (same) => (same ? "✓" : "");

/** The screen. @param {Element} parent @param {App} app */
export function compareView(parent, app) {
  const { patches } = app.data.header.settings.network, grid = make("div", parent, { class: "pe-compare" });
  const side = make("div", grid, { class: "pe-side" });
  make("h2", side, {}, "Query");
  const picture = queryPicture(side, app), name = make("p", side, { class: "pe-hint" });
  const choice = make("div", side, { class: "pe-choice", role: "group", "aria-label": "Patch" });
  const buttons = Array.from({ length: patches }, (_, p) => button(choice, `${p + 1}`, () => app.set({ patch: p }), { "aria-label": `Patch ${p + 1}` }));
  button(side, "Another query", () => app.another());
  button(side, "The person of Look", () => app.ask(-1));
  const body = make("div", grid, { class: "pe-body" });
  const section = (/** @type {string} */ part, /** @type {string} */ title, /** @type {string} */ words) => {
    const box = make("section", body, { "data-part": part });
    make("h2", box, {}, title);
    make("p", box, { class: "pe-hint" }, words);
    return box;
  };
  const settings = (/** @type {any} */ change) => app.change(change);

  const near = section("pedal", "Patch against memory: PEDAL", "Which patches of other images look like this one? PEDAL pulls the K nearest and pushes all others away. The percentage is the probability of each. ✓ marks the same person, which PAUL does not know. Click any crop to make it the query.");
  const sliders = make("div", near, { class: "pe-panel" });
  const K = slider(sliders, "K, how many are pulled", { range: RANGES.k }, (k) => settings({ k }));
  const s = slider(sliders, "s, how sharp", { range: RANGES.scale }, (scale) => settings({ scale }));
  const numbers = make("div", near, { class: "pe-numbers" });
  const tell = { count: readout(numbers, "count", "pulled:"), same: readout(numbers, "same", "the same person among them:"),
    loss: readout(numbers, "pedal", "PEDAL of this patch:"), bound: readout(numbers, "bound", "at most") };
  const meter = make("div", near, { class: "pe-meter", role: "img" }), fill = make("span", meter);
  const labelled = (/** @type {Element} */ box, /** @type {string} */ words, /** @type {string} */ name, kind = "") => {
    make("p", box, { class: `pe-label ${kind}` }, words);
    return cropList(box, name, app);
  };
  const pulled = labelled(near, "Pulled, nearest first", "Pulled, nearest first", "pe-blue");
  const pushed = labelled(near, "Pushed most strongly", "Pushed, hardest first", "pe-orange");

  const whole = section("ipfl", "Image against centers: IPFL and cyclic ranking", "The centers of a batch are tried in the order of their distance. A center is vetoed if the query is on its own list of nearest centers, since it may then be the same person. The first that is not vetoed is the hard negative.");
  const panel = make("div", whole, { class: "pe-panel" });
  const r = slider(panel, "r, how long a center's list is", { range: RANGES.r }, (value) => settings({ r: value }));
  const margin = slider(panel, "Margin", { range: RANGES.margin, show: (v) => v.toFixed(1) }, (value) => settings({ margin: value }));
  const momentum = slider(panel, "Momentum, share of the new", { range: RANGES.momentum, show: (v) => v.toFixed(2) }, (value) => settings({ momentum: value }));
  const more = make("div", whole, { class: "pe-numbers" });
  const said = { pos: readout(more, "pos", "distance to the own center:"), neg: readout(more, "neg", "to the hard negative:"), loss: readout(more, "ipfl", "IPFL of this view:") };
  const tried = labelled(whole, "Centers, nearest first", "Centers, nearest first"), reasons = reasonList(whole, app);

  const gallery = section("gallery", "Image against gallery: the ranked list", "The test. Which gallery images, by other cameras, show the same person?");
  const verdict = make("p", gallery, { class: "pe-label" }), ranked = cropList(gallery, "Ranked gallery, best first", app);
  return {
    show() {
      const { state, found } = app, { settings: now, patch, query } = state;
      picture(patch);
      say(name, describe(app, query));
      buttons.forEach((one, p) => one.setAttribute("aria-pressed", String(p === patch)));
      K.limit(Math.min(RANGES.k[1], app.data.header.counts[0] - 2));
      K.set(now.k), s.set(now.scale), r.set(now.r), margin.set(now.margin), momentum.set(now.momentum);
      if (!found) return;
      const { pulled: near, pushed: far, losses, bound, count, same } = found.patch, { known } = found, trained = query >= 0 && query < app.data.header.counts[0];
      const item = (/** @type {any} */ { place, share, same: mate, own }, /** @type {string} */ kind) => ({ place, kind, patch,
        note: own ? "itself" : `${percent(share, share < 0.1 ? 1 : 0)} ${known ? mark(mate) : ""}`,
        label: `${describe(app, place)}, ${kind}, probability ${percent(share, 1)}${known && mate ? ", same person" : ""}` });
      pulled(near.map((/** @type {any} */ one) => item(one, "pulled")));
      pushed(far.map((/** @type {any} */ one) => item(one, "pushed")));
      tell.count(count > near.length ? `${count}, the first ${near.length} are shown` : `${count}`);
      tell.loss(losses[patch].toFixed(2)), tell.bound(bound.toFixed(2)), tell.same(trained ? `${same} of ${count}` : "nobody, since the query is no training image");
      fill.style.width = `${Math.min(100, (100 * losses[patch]) / Math.max(bound, 1e-9))}%`;
      meter.setAttribute("aria-label", `PEDAL is ${losses[patch].toFixed(2)} of at most ${bound.toFixed(2)}`);
      const { candidates, pos, neg, loss } = found.whole, end = candidates.findIndex((/** @type {any} */ one) => one.negative);
      tried(candidates.slice(0, Math.max(8, end + 1)).map((/** @type {any} */ one, /** @type {number} */ i) => {
        const kind = one.negative ? "negative" : one.vetoed && (end < 0 || i < end) ? "vetoed" : "later";
        const words = { negative: "hard negative", vetoed: "vetoed", later: "" }[kind];
        return { place: one.place, kind, note: `${words} ${known ? mark(one.same) : ""}`,
          label: `${describe(app, one.place)}, distance ${one.away.toFixed(2)}${words && `, ${words}`}${known && one.same ? ", same person" : ""}` };
      }));
      said.pos(pos.toFixed(2)), said.neg(end < 0 ? "nobody is left" : neg.toFixed(2)), said.loss(end < 0 ? "left out" : loss.toFixed(2));
      reasons(candidates.slice(0, end < 0 ? candidates.length : end + 1));
      say(verdict, verdictOf(found.ranked));
      showRanked(ranked, app, found.ranked);
    },
  };
}

/** Why each center that was tried is vetoed or not: the list of its nearest. @param {Element} parent @param {App} app */
function reasonList(parent, app) {
  const list = make("ol", parent, { class: "pe-reasons", "aria-label": "Why each center is vetoed or not" });
  const rows = Array.from({ length: 5 }, (_, i) => {
    const row = make("li", list), words = make("span", row);
    return { row, words, crops: cropList(row, `List of center ${i + 1}`, app) };
  });
  return (/** @type {any[]} */ candidates) => rows.forEach(({ row, words, crops }, i) => {
    row.hidden = i >= candidates.length;
    if (row.hidden) return;
    const { list: near, vetoed } = candidates[i], others = near.filter((/** @type {number} */ place) => place !== candidates[i].place);
    const asked = vetoed ? "the query is among them, so it is vetoed" : "the query is not among them, so it is the hard negative";
    say(words, others.length ? `Nearest to center ${i + 1}; ${asked}.` : `The list of center ${i + 1} is empty, so it is the hard negative.`);
    crops(others.map((/** @type {number} */ place) => (place < 0 ? app.state.query : place)).filter((/** @type {number} */ place) => place >= 0)
      .map((/** @type {number} */ place) => ({ place, kind: place === app.state.query ? "asked" : "", note: place === app.state.query ? "query" : "", label: describe(app, place) })));
  });
}

/** What ✓ and ✗ mean for this query. @param {any} ranked */
export function verdictOf({ known, ranks, precision }) {
  if (!known) return "Nobody knows who this is, so nothing is marked.";
  if (!ranks.length) return "Nothing is marked, since the gallery has no image of this person. Press Another query for one that has.";
  return `✓ is right, ✗ is wrong. Average precision of this list: ${precision.toFixed(2)}`;
}

/** A ranked list with right and wrong. @param {(items: any[]) => void} list @param {App} app @param {any} ranked */
export function showRanked(list, app, { list: found, known, ranks }) {
  const marked = known && ranks.length;
  list(found.map((/** @type {any} */ { place, similarity, right }, /** @type {number} */ i) => ({
    place, kind: marked ? (right ? "right" : "wrong") : "", note: `${i + 1} ${marked ? (right ? "✓" : "✗") : ""}`,
    label: `Rank ${i + 1}: ${describe(app, place)}, cosine ${similarity.toFixed(2)}${marked ? `, ${right ? "right" : "wrong"}` : ""}`,
  })));
}
