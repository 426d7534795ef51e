// Features on the unit circle that drift and are noisy, and their running means behind them: three sliders.
import { makeMemory, update } from "./shared/memory.js";

(root, data, ui) => {
  const SIZE = 340, MIDDLE = SIZE / 2, RADIUS = 130;
  const FEATURE = "#0072B2", MEMORY = "#D55E00", INK = "#1a1a1a";
  const state = { momentum: 0.1, drift: 3, noise: 20 };
  const three = (v) => (v + 1e-9).toFixed(3);

  // ---- the computation: paullite.memory.FeatureMemory, for many images with one patch each
  const unit = (degrees) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const run = () => {
    const last = data.noise.length - 1, truth = unit(last * state.drift);
    const visits = data.noise.map((row, t) => row.map((z) => unit(t * state.drift + z * state.noise)));
    const images = visits[0].map((_, i) => i), memory = makeMemory(images.length, 2);
    const entry = (i) => [...memory.values.subarray(2 * i, 2 * i + 2)];
    const path = visits.map((features) => { // of the one image that is drawn whole
      update(memory, images, features.flat(), state.momentum);
      return entry(0);
    });
    return { features: visits.map((row) => row[0]), path, means: images.map(entry), truth };
  };
  const average = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;

  // ---- the drawing
  const still = ui.stage.querySelector("img");
  if (still) still.remove();
  const svg = ui.make("svg", ui.stage, {
    viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", style: "display:block;margin:0 auto;width:100%;max-width:24em;touch-action:pan-y",
  });
  const key = ui.make("div", ui.stage, { style: "display:flex;flex-wrap:wrap;gap:.2em 1.2em;justify-content:center" });
  for (const [mark, colour, words] of [
    ["\u25CB", INK, "its newest feature without noise"], ["\u25CF", FEATURE, "features of one image"], ["\u25A0", MEMORY, "its entry, and pale the entries of the other images"],
  ]) {
    const row = ui.make("span", key);
    ui.make("span", row, { style: `color:${colour}`, "aria-hidden": "true" }, `${mark} `);
    row.append(words);
  }
  const at = ([x, y]) => [MIDDLE + RADIUS * x, MIDDLE - RADIUS * y];
  const line = (points, more) => {
    const path = points.map((p) => at(p).map((v) => v.toFixed(1)).join(",")).join(" ");
    ui.make("polyline", svg, { points: path, fill: "none", ...more });
  };
  const dot = (point, r, more) => {
    const [cx, cy] = at(point);
    ui.make("circle", svg, { cx, cy, r, ...more });
  };
  const draw = () => {
    const { features, path, means, truth } = run();
    const [feature, memory] = [features.at(-1), path.at(-1)];
    svg.replaceChildren();
    line([[-1.15, 0], [1.15, 0]], { stroke: "#d0d0d0" });
    line([[0, -1.15], [0, 1.15]], { stroke: "#d0d0d0" });
    dot([0, 0], RADIUS, { fill: "none", stroke: "#a0a0a0" });
    features.forEach((x, t) => dot(x, 4, { fill: FEATURE, opacity: 0.12 + (0.5 * t) / features.length }));
    for (const mean of means.slice(1)) {
      const [x, y] = at(mean);
      ui.make("rect", svg, { x: x - 3, y: y - 3, width: 6, height: 6, fill: MEMORY, opacity: 0.3 });
    }
    line(path, { stroke: MEMORY, "stroke-width": 2.5, opacity: 0.75 });
    line([truth, memory], { stroke: INK, "stroke-width": 1.5, "stroke-dasharray": "5 4" });
    dot(truth, 11, { fill: "none", stroke: INK, "stroke-width": 2 });
    dot(feature, 6, { fill: FEATURE });
    const [x, y] = at(memory);
    ui.make("rect", svg, { x: x - 7, y: y - 7, width: 14, height: 14, fill: MEMORY, stroke: "#fff" });
    const lag = average(means.map((w) => Math.hypot(w[0] - truth[0], w[1] - truth[1])));
    const norm = average(means.map((w) => Math.hypot(...w)));
    say.lag(three(lag));
    say.norm(three(norm));
    svg.setAttribute("aria-label",
      `After ${features.length} visits the entries lag by ${three(lag)}, and their mean length is ${three(norm)}.`);
  };

  const sliders = ui.controls(), results = ui.controls(), say = {};
  say.lag = ui.readout(results, "lag", "mean lag of all entries:");
  say.norm = ui.readout(results, "norm", "mean length:");
  const ranges = {
    momentum: [{ min: 0.02, max: 1, step: 0.02 }, (v) => v.toFixed(2)],
    drift: [{ min: 0, max: 12, step: 0.5 }, (v) => `${v.toFixed(1)}\u00B0 per visit`],
    noise: [{ min: 0, max: 60, step: 1 }, (v) => `${v}\u00B0`],
  };
  for (const [name, [range, show]] of Object.entries(ranges)) {
    const slider = ui.slider(sliders, name, { ...range, value: state[name] }, show, (v) => { state[name] = v; draw(); });
    slider.update();
  }
}
