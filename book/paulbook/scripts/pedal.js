// PEDAL of one feature among five entries in the plane: who pulls, who pushes, and where that leads.
import { neighbours, squares } from "./shared/neighbours.js";

(root, data, ui) => {
  const SIZE = 380, MIDDLE = SIZE / 2, RADIUS = 105;
  const PULL = "#0072B2", PUSH = "#D55E00", INK = "#1a1a1a", GREY = "#6b6b6b";
  const state = { K: data.k, s: data.scale, angle: 0 };
  const three = (v) => (Math.abs(v) + 1e-9).toFixed(3);

  // ---- the computation: paullite.losses.pedal and its gradient, for one feature with one patch
  const memory = data.entries.flat(), lengths = squares(memory, 2);
  const compute = () => {
    const turn = (state.angle * Math.PI) / 180, x = [Math.cos(turn), Math.sin(turn)];
    const { logits, near, all, above } = neighbours(x, 0, memory, lengths, 0, 1, 2, data.own, { scale: state.s, k: state.K });
    const others = data.entries.map((w, j) => {
      const p = Math.exp(logits[j] - all), q = near[j] ? Math.exp(logits[j] - above) : 0;
      return { j, w, p, near: near[j] === 1, force: q - p }; // more than 0 pulls, less pushes; times 2s
    }).filter((e) => e.j !== data.own).sort((a, b) => logits[b.j] - logits[a.j]);
    const step = [0, 1].map((d) => others.reduce((total, e) => total + e.force * e.w[d], 0)); // minus gradient / 2s
    return { x, others, mass: Math.exp(above - all), step, loss: Math.max(0, all - above), slope: 2 * state.s * Math.hypot(...step) };
  };

  // ---- the drawing
  const still = ui.stage.querySelector("img");
  if (still) still.remove();
  const svg = ui.make("svg", ui.stage, {
    viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", style: "display:block;margin:0 auto;width:100%;max-width:25em;touch-action:pan-y",
  });
  const key = ui.make("div", ui.stage, { style: "display:flex;flex-wrap:wrap;gap:.2em 1.2em;justify-content:center" });
  for (const [mark, colour, words] of [
    ["\u25C6", INK, "the feature x, and its step downhill"], ["\u25CF", PULL, "the K nearest pull"],
    ["\u25A0", PUSH, "the others push"], ["\u2715", GREY, "own entry, left out"],
  ]) {
    const row = ui.make("span", key);
    ui.make("span", row, { style: `color:${colour}`, "aria-hidden": "true" }, `${mark} `);
    row.append(words);
  }
  const at = ([x, y]) => [MIDDLE + RADIUS * x, MIDDLE - RADIUS * y];
  const arrow = (from, vector, longest, colour, width) => {
    const strength = Math.hypot(...vector), length = (95 * strength) / longest; // in proportion within one picture
    if (length < 1.5 || longest < 1e-3) return;
    const [x0, y0] = at(from), [x1, y1] = [x0 + (length * vector[0]) / strength, y0 - (length * vector[1]) / strength];
    const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length], head = Math.min(length, 4 + 2 * width);
    const [bx, by] = [x1 - head * ux, y1 - head * uy], half = head / 2;
    ui.make("line", svg, { x1: x0, y1: y0, x2: bx, y2: by, stroke: colour, "stroke-width": width });
    ui.make("polygon", svg, {
      points: `${x1},${y1} ${bx - half * uy},${by + half * ux} ${bx + half * uy},${by - half * ux}`, fill: colour,
    });
  };
  const draw = () => {
    const { x, others, mass, step, loss, slope } = compute();
    svg.replaceChildren();
    ui.make("circle", svg, { cx: MIDDLE, cy: MIDDLE, r: RADIUS, fill: "none", stroke: "#a0a0a0" });
    for (const e of others) {
      const [cx, cy] = at(e.w), r = 5 + 15 * Math.sqrt(e.p);
      if (e.near) ui.make("circle", svg, { cx, cy, r, fill: PULL, opacity: 0.75 });
      else ui.make("rect", svg, { x: cx - r, y: cy - r, width: 2 * r, height: 2 * r, fill: PUSH, opacity: 0.75 });
      const [lx, ly] = at(e.w.map((v) => v * (1 + 0.24 / Math.hypot(...e.w))));
      ui.make("text", svg, { x: lx, y: ly + 5, "text-anchor": "middle", "font-size": 15, fill: INK }, String(e.j));
    }
    const [ox, oy] = at(data.entries[data.own]);
    for (const side of [-1, 1]) {
      ui.make("line", svg, { x1: ox - 6, y1: oy - 6 * side, x2: ox + 6, y2: oy + 6 * side, stroke: GREY, "stroke-width": 2.5 });
    }
    const moves = others.map((e) => [0, 1].map((d) => e.force * (e.w[d] - x[d])));
    const longest = Math.max(...[...moves, step].map((v) => Math.hypot(...v)));
    others.forEach((e, n) => arrow(x, moves[n], longest, e.near ? PULL : PUSH, 2));
    arrow(x, step, longest, INK, 4);
    const [cx, cy] = at(x);
    ui.make("polygon", svg, { points: `${cx},${cy - 9} ${cx + 9},${cy} ${cx},${cy + 9} ${cx - 9},${cy}`, fill: INK, stroke: "#fff" });
    say.loss(three(loss));
    say.mass(three(mass));
    say.gradient(three(slope));
    const near = others.filter((e) => e.near).map((e) => e.j).join(", ");
    svg.setAttribute("aria-label", `The nearest are ${near}. They hold ${three(mass)} of the probability; the loss is ` +
      `${three(loss)}, the gradient ${three(slope)} long.`);
  };

  const sliders = ui.controls(), results = ui.controls(), say = {};
  say.loss = ui.readout(results, "loss", "loss:");
  say.mass = ui.readout(results, "mass", "probability of the K nearest:");
  say.gradient = ui.readout(results, "gradient", "length of the gradient:");
  const ranges = {
    K: [{ min: 1, max: data.entries.length - 1, step: 1 }, (v) => String(v)],
    s: [{ min: 0.25, max: 20, step: 0.25 }, (v) => v.toFixed(2)],
    angle: [{ min: 0, max: 359, step: 1 }, (v) => `${v}\u00B0`],
  };
  for (const [name, [range, show]] of Object.entries(ranges)) {
    const slider = ui.slider(sliders, name, { ...range, value: state[name] }, show, (v) => { state[name] = v; draw(); });
    slider.update();
  }
}
