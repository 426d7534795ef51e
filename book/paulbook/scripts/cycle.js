// Centers of a batch in the plane and a view of the first: move them, and cyclic ranking finds the hard negative anew.
import { cyclicRanking } from "./shared/cyclic.js";
import { distance } from "./shared/rows.js";

(root, data, ui) => {
  const SIZE = 340, PAD = 20, STEP = 4, PULL = "#0072B2", PUSH = "#D55E00", INK = "#1a1a1a", GREY = "#595959";
  const START = data.points.map((p) => [...p.at]); // the view first, then the centers; coordinates 0 to 100
  let at = START.map((p) => [...p]), nearest = data.nearest;
  const names = data.points.map((p) => p.name);
  const still = ui.stage.querySelector("img");
  if (still) still.remove();

  // ---- the computation: paullite.losses.cyclic_ranking for one anchor, the view of center 0
  const far = (p, q) => distance(p, 0, q, 0, 2) / data.unit;
  const walk = () => {
    const [view, ...centers] = at;
    const found = cyclicRanking(view, centers.flat(), [0], 2, nearest, centers.length - 1);
    const [order] = found.candidates, [negative] = found.negatives, none = negative < 0;
    const pos = far(view, centers[0]), neg = none ? 0 : far(view, centers[negative]);
    return { order, lists: found.lists.map((list) => [...list]), tried: none ? order : order.slice(0, order.indexOf(negative) + 1),
      negative, pos, neg, loss: none ? 0 : Math.max(0, data.margin + pos - neg) };
  };

  // ---- the drawing
  const letter = (j) => names[j + 1].slice(-1), two = (v) => (v + 1e-9).toFixed(2);
  const X = (p) => PAD + 3 * p[0], Y = (p) => SIZE - PAD - 3 * p[1];
  const box = ui.make("div", ui.stage, { style: `position:relative;width:100%;max-width:${SIZE}px;margin:0 auto` });
  const svg = ui.make("svg", box, { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", style: "display:block;width:100%;touch-action:pan-y" });
  const buttons = names.map((name, n) => ui.make("button", box, { type: "button", "aria-label": `Move ${name}`,
    style: `position:absolute;transform:translate(-50%,-50%);width:30px;height:30px;padding:0;font-weight:700;touch-action:none;cursor:grab;${
      n ? "border-radius:50%" : "border-radius:4px;transform:translate(-50%,-50%) rotate(45deg);width:24px;height:24px"}` }));
  buttons.forEach((button, n) => ui.make("span", button, { style: n ? "" : "display:block;transform:rotate(-45deg)", "aria-hidden": "true" }, n ? letter(n - 1) : "x"));
  const steps = ui.make("ol", ui.stage, { style: "margin:.5em auto 0;padding-left:1.6em;max-width:24em;min-height:5.6em" });
  const arrow = (from, to, away, colour, dash) => {
    const [dx, dy] = [X(to) - X(from), Y(to) - Y(from)], long = Math.hypot(dx, dy) || 1, sign = away ? -1 : 1;
    const end = [X(from) + (sign * 46 * dx) / long, Y(from) + (sign * 46 * dy) / long], [ux, uy] = [(sign * dx) / long, (sign * dy) / long];
    ui.make("line", svg, { x1: X(from), y1: Y(from), x2: X(to), y2: Y(to), stroke: colour, "stroke-dasharray": dash, "stroke-width": 1.5 });
    ui.make("line", svg, { x1: X(from), y1: Y(from), x2: end[0], y2: end[1], stroke: colour, "stroke-width": 4 });
    const head = [[end[0] + 9 * ux, end[1] + 9 * uy], [end[0] - 6 * uy, end[1] + 6 * ux], [end[0] + 6 * uy, end[1] - 6 * ux]];
    ui.make("polygon", svg, { points: head.map((p) => p.join(",")).join(" "), fill: colour });
  };
  const draw = () => {
    const found = walk();
    svg.replaceChildren();
    ui.make("rect", svg, { x: 1, y: 1, width: SIZE - 2, height: SIZE - 2, fill: "none", stroke: "#d0d0d0" });
    if (found.loss > 0) {
      arrow(at[0], at[1], false, PULL, "none");
      arrow(at[0], at[found.negative + 1], true, PUSH, "6 5");
    }
    buttons.forEach((button, n) => {
      const verdict = n > 1 && found.tried.includes(n - 1) ? (n - 1 === found.negative ? "negative" : "vetoed") : "";
      button.style.left = `${(100 * X(at[n])) / SIZE}%`, button.style.top = `${(100 * Y(at[n])) / SIZE}%`;
      button.style.border = `3px ${verdict === "vetoed" ? "dashed" : "solid"} ${n < 2 ? PULL : verdict === "negative" ? PUSH : verdict ? INK : "#a0a0a0"}`;
      button.style.background = n < 2 ? "#cfe6f5" : verdict === "negative" ? "#fbe0d2" : "#fff";
      if (verdict) ui.make("text", svg, { x: X(at[n]), y: Y(at[n]) + 31, "text-anchor": "middle", "font-size": 14, fill: INK }, verdict);
    });
    steps.replaceChildren();
    for (const j of found.tried) {
      const list = found.lists[j].map(letter).join(" "), vetoed = j !== found.negative;
      ui.make("li", steps, {}, `center ${letter(j)} lists ${list}: ${vetoed ? "0 is there, vetoed" : "no 0, the hard negative"}`);
    }
    if (found.negative < 0) ui.make("li", steps, {}, "nobody is left: no hard negative");
    say.order(found.order.map(letter).join(" "));
    say.vetoes(String(found.tried.length - (found.negative >= 0 ? 1 : 0)));
    say.negative(found.negative < 0 ? "none" : letter(found.negative));
    say.pos(two(found.pos)), say.neg(found.negative < 0 ? "none" : two(found.neg)), say.loss(two(found.loss));
    svg.setAttribute("aria-label", `A view x of image 0 among ${names.length - 1} centers. ${
      found.negative < 0 ? "Every candidate is vetoed." : `The hard negative is ${letter(found.negative)}.`} Loss ${two(found.loss)}.`);
  };

  // ---- moving: by keys, or by pointer
  const put = (n, x, y) => {
    const whole = (v) => Math.max(0, Math.min(100, Math.round(v)));
    at[n] = [whole(x), whole(y)];
    draw();
  };
  const KEYS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
  buttons.forEach((button, n) => {
    button.addEventListener("keydown", (event) => {
      if (!(event.key in KEYS)) return;
      event.preventDefault();
      put(n, at[n][0] + KEYS[event.key][0], at[n][1] + KEYS[event.key][1]);
    });
    let held = false;
    button.addEventListener("pointerdown", (event) => { held = true; button.setPointerCapture(event.pointerId); });
    button.addEventListener("pointermove", (event) => {
      if (!held) return;
      const frame = svg.getBoundingClientRect(), unit = SIZE / frame.width;
      put(n, ((event.clientX - frame.left) * unit - PAD) / 3, (SIZE - PAD - (event.clientY - frame.top) * unit) / 3);
    });
    ["pointerup", "pointercancel"].forEach((name) => button.addEventListener(name, () => { held = false; }));
  });

  const controls = ui.controls(), results = ui.controls(), say = {};
  for (const [name, label] of [["order", "ranking list of x:"], ["vetoes", "vetoes:"], ["negative", "hard negative:"],
    ["pos", "pos:"], ["neg", "neg:"], ["loss", `loss with margin ${data.margin}:`]]) say[name] = ui.readout(results, name, label);
  const slider = ui.slider(controls, "nearest", { min: 1, max: names.length - 1, step: 1, value: nearest }, (v) => `${v}, so r = ${v - 1}`, (v) => { nearest = v; draw(); });
  const again = ui.make("button", controls, { type: "button", "aria-label": "Start again" }, "Start again");
  again.addEventListener("click", () => { at = START.map((p) => [...p]); slider.set(data.nearest); });
  slider.update();
}
