// Train: PAUL's second phase, live, with what may be changed while it runs.

import { cropList, describe, queryPicture } from "./crops.js";
import { chart } from "./curves.js";
import { button, make, say, select, slider, tick } from "./dom.js";
import { showRanked, verdictOf } from "./compare.js";
import { RANGES } from "./state.js";

/** @typedef {import("./page.js").App} App */

/** Known failures: words, what they set, and what to expect. @type {[string, any, string][]} */
const FAILURES = [
  ["One neighbour, very sharp", { k: 1, scale: 60, broken: "" }, "K = 1 and s = 60: only the nearest entry is pulled. It is nearly always an image from the same camera, so little is learned about other cameras, and mAP stays near the dashed line."],
  ["Own entry kept", { k: 1, broken: "own" }, "The nearest entry is the image's own, and K = 1: each patch pulls itself alone, so mAP stays near the dashed line. Raise K, and the other entries count again."],
  ["No push", { broken: "push" }, "Neighbours are pulled and nothing is pushed, so all features become more and more alike and mAP falls. The pull alone can be below 0, where the curve of PEDAL shows 0."],
  ["Learn the cameras", { broken: "cameras" }, "All images of one camera are pulled together, as if the camera were the person, so mAP falls far below the dashed line."],
];

/** The screen. @param {Element} parent @param {App} app */
export function trainView(parent, app) {
  const { pids, counts: [train] } = app.data.header, people = new Set(pids.slice(0, train)).size;
  make("p", parent, { class: "pe-hint" }, `Press Play. PAUL learns from ${train} images of ${people} people without being told who is who. The scores are measured on other people; 100 % would be perfect. The dashed grey line is the value before the first step. Everything may be changed while it runs, and a dotted upright line marks each change.`);
  const bar = make("div", parent, { class: "pe-bar" });
  const play = button(bar, "Play", () => app.send({ kind: "play", on: !app.progress?.playing }), { class: "pe-play" });
  const step = button(bar, "One step", () => app.send({ kind: "step" }));
  button(bar, "Start again", () => app.restart());
  const steps = make("output", bar, { class: "pe-steps", "data-name": "steps" });
  const broken = make("div", parent, { class: "pe-broken", role: "group", "aria-label": "Break it" });
  make("b", broken, {}, "Break it");
  const isSet = (/** @type {any} */ changes) => Object.entries(changes).every(([key, value]) => /** @type {any} */ (app.state.settings)[key] === value);
  const buttons = FAILURES.map(([words, changes]) => button(broken, words, () => app.change(isSet(changes) ? app.mended() : { ...app.mended(), ...changes })));
  const note = make("p", parent, { class: "pe-hint", role: "status" });
  const grid = make("div", parent, { class: "pe-train" }), left = make("div", grid, { class: "pe-charts" }), right = make("div", grid, { class: "pe-right" });
  const percent = { unit: "%", least: 4 };
  const charts = [
    chart(left, "How good the ranked lists are", [{ name: "map", label: "mAP", kind: "one", scale: 100 }], percent),
    chart(left, "How often the first is right", [{ name: "rank1", label: "rank-1", kind: "two", scale: 100 }], percent),
    chart(left, "Losses", [{ name: "pedal", label: "PEDAL", kind: "three", scale: 1 }, { name: "ipfl", label: "IPFL", kind: "four", scale: 1 }], { unit: "", least: 0.1 }),
    chart(left, "What the evaluator sees", [{ name: "same", label: "same person among the K", kind: "five", scale: 100 }, { name: "falseNegatives", label: "false negatives", kind: "six", scale: 100 }], percent),
  ];
  const mine = make("div", right, { class: "pe-mine" });
  const picture = queryPicture(mine, app), list = make("div", mine);
  const name = make("p", list, { class: "pe-hint" }), verdict = make("p", list, { class: "pe-label" }), ranked = cropList(list, "Ranked gallery of the query, best first", app);
  button(list, "Another query", () => app.another());
  const panel = make("div", right, { class: "pe-panel" });
  const put = (/** @type {any} */ changes) => app.change(changes);
  const two = (/** @type {number} */ v) => v.toFixed(2);
  /** @type {Record<string, {set: (value: any) => void}>} */
  const inputs = {
    pedalWeight: slider(panel, "Weight of PEDAL", { range: RANGES.pedalWeight, show: two }, (pedalWeight) => put({ pedalWeight })),
    ipflWeight: slider(panel, "Weight of IPFL", { range: RANGES.ipflWeight, show: two }, (ipflWeight) => put({ ipflWeight })),
    rate: slider(panel, "Learning rate", { range: RANGES.rate, show: two }, (rate) => put({ rate })),
    k: slider(panel, "K, how many are pulled", { range: RANGES.k }, (k) => put({ k })),
    scale: slider(panel, "s, how sharp", { range: RANGES.scale }, (scale) => put({ scale })),
    momentum: slider(panel, "Memory's momentum", { range: RANGES.momentum, show: two }, (momentum) => put({ momentum })),
    negative: select(panel, "Negative", [["cyclic", "by cyclic ranking"], ["nearest", "the nearest"]], (negative) => put({ negative })),
  };
  const source = tick(panel, "Statistics re-estimated", (on) => put({ statistics: on ? "target" : "source" }));
  const mean = tick(panel, "Camera mean subtracted", (on) => put({ cameraMean: on }));
  const earlier = { query: NaN, step: 0, precision: NaN }; // of the query's list when it was first shown
  return {
    show() {
      const { state: { settings, query }, progress } = app;
      for (const [key, one] of Object.entries(inputs)) one.set(/** @type {any} */ (settings)[key]);
      source.set(settings.statistics === "target"), mean.set(settings.cameraMean);
      buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(isSet(FAILURES[i][1]))));
      say(note, FAILURES.find(([, changes]) => isSet(changes))?.[2] ?? "");
      picture(-1);
      say(name, `Your query: ${describe(app, query)}`);
      if (!progress) return;
      say(play, progress.playing ? "Pause" : "Play");
      step.disabled = progress.playing;
      say(steps, app.until ? `${progress.steps} of ${app.until} steps` : `${progress.steps} steps`);
      charts.forEach((one) => one(progress.rows, progress.changes));
      const list = app.ranked ?? app.found?.ranked;
      if (!list) return;
      if (list.place !== earlier.query || progress.steps < earlier.step) Object.assign(earlier, { query: list.place, step: progress.steps, precision: list.precision });
      const since = list.known && list.ranks.length && progress.steps > earlier.step ? `, at step ${earlier.step}: ${earlier.precision.toFixed(2)}` : "";
      say(verdict, `${verdictOf(list)}${since}`);
      showRanked(ranked, app, list);
    },
  };
}
