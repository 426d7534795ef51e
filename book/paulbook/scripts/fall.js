// Where does your run fall? Own and control's mean mAP, seeds and standard deviation, among the seeds and intervals of a record.
(root, data, ui) => {
  const WIDTH = 360, ROW = 25, LEFT = 8, RIGHT = 352;
  const YES = "#0072B2", NO = "#D55E00", INK = "#1a1a1a", PALE = "#d8d8d8";
  const state = { ...data.start }; // PAUL, its control, their seeds, and the spread of their differences

  // ---- the computation: paulbook.studies.statistics.seed_test and significance.detectable, of pairs with this mean and deviation
  const half = (n) => (data.t[n - 2] * state.spread) / Math.sqrt(n);
  const leavesOut = (mean, n) => Math.abs(mean) > half(n) + 1e-9;
  const needed = (mean) => {
    for (let i = 0; i < data.power.length; i++) if (mean && data.power[i] * state.spread <= Math.abs(mean)) return `${i + 3}`;
    return `more than ${data.power.length + 2}`;
  };
  const signed = (v) => {
    const text = Math.abs(v).toFixed(1);
    return (v < 0 && text !== "0.0" ? "-" : "+") + text;
  };
  const words = (mean) => {
    if (state.seeds < 3) return "cannot be said with fewer than three seeds";
    return leavesOut(mean, state.seeds) ? "significant, as a single comparison" : "not significant";
  };

  // ---- the drawing
  const still = ui.stage.querySelector("img");
  if (still) still.remove();
  const sliders = ui.controls(), results = ui.controls(), say = {};
  results.style.margin = ".4em 0 .8em";
  const below = 40 + ROW * data.strips.length;
  const height = below + 60 + ROW * (data.pairs.length + 1) + 18;
  const svg = ui.make("svg", ui.stage, {
    viewBox: `0 0 ${WIDTH} ${height}`, role: "img",
    style: "display:block;margin:0 auto;width:100%;max-width:32em;touch-action:pan-y",
  });
  const LOW = -20, HIGH = 40;
  const across = (percent) => LEFT + ((RIGHT - LEFT) * percent) / 100;
  const along = (points) => LEFT + ((RIGHT - LEFT) * (Math.min(Math.max(points, LOW), HIGH) - LOW)) / (HIGH - LOW);
  const text = (x, y, said, more = {}) => ui.make("text", svg, { x, y, "font-size": 13, fill: INK, stroke: "#fff", "stroke-width": 3, "paint-order": "stroke", ...more }, said);
  const label = (y, said, more) => { // on white, so that no upright line strikes it through
    const words = text(LEFT, y, said, more), box = words.getBBox();
    const back = ui.make("rect", svg, { x: box.x, y: y - 11, width: box.width + 3, height: 13, fill: "#fff" });
    svg.insertBefore(back, words);
  };
  const line = (x1, y1, x2, y2, stroke, more = {}) => ui.make("line", svg, { x1, y1, x2, y2, stroke, ...more });
  const mark = (x, y, full, colour) => {
    if (full) ui.make("polygon", svg, { points: `${x - 6},${y} ${x},${y - 6} ${x + 6},${y} ${x},${y + 6}`, fill: colour });
    else ui.make("circle", svg, { cx: x, cy: y, r: 5, fill: "#fff", stroke: colour, "stroke-width": 2 });
  };
  const axis = (y, place, values, unit) => {
    line(LEFT, y, RIGHT, y, "#767676");
    for (const v of values) {
      line(place(v), y - 4, place(v), y, "#767676");
      text(place(v), y + 13, `${v}${unit}`, { "text-anchor": v === values[0] ? "start" : v === values.at(-1) ? "end" : "middle" });
    }
  };
  const strips = () => {
    line(across(state.control), 6, across(state.control), below - 18, NO, { "stroke-width": 2, "stroke-dasharray": "5 4" });
    line(across(state.yours), 6, across(state.yours), below - 18, YES, { "stroke-width": 2.5 });
    data.strips.forEach((strip, i) => {
      const y = 32 + i * ROW;
      label(y - 8, strip.name, {});
      line(LEFT, y, RIGHT, y, PALE);
      line(across(Math.max(strip.low, 0)), y, across(Math.min(strip.high, 100)), y, "#56B4E9", { "stroke-width": 4 });
      for (const v of strip.seeds) ui.make("circle", svg, { cx: across(v), cy: y, r: 4.5, fill: INK, opacity: 0.6 });
    });
    axis(below - 18, across, [0, 20, 40, 60, 80, 100], " %");
  };
  const interval = (y, name, mean, low, high, shown, bold) => {
    const colour = shown ? YES : NO;
    label(y - 8, name, bold ? { "font-weight": 700 } : {});
    line(LEFT, y, RIGHT, y, PALE);
    if (low !== null) line(along(low), y, along(high), y, colour, { "stroke-width": bold ? 5 : 3 });
    if (low !== null && low < LOW) text(LEFT - 7, y + 4, "\u2039", { fill: colour, "font-weight": 700 });
    if (high !== null && high > HIGH) text(RIGHT + 1, y + 4, "\u203A", { fill: colour, "font-weight": 700 });
    mark(along(mean), y, shown, colour);
  };
  const draw = () => {
    const mean = state.yours - state.control, n = state.seeds, some = n > 1;
    const [low, high] = some ? [mean - half(n), mean + half(n)] : [null, null];
    const paul = data.strips.find((strip) => strip.name === "PAUL");
    const fewer = paul.seeds.filter((v) => v < state.yours).length;
    svg.replaceChildren();
    strips();
    const top = below + 38, end = top + ROW * data.pairs.length + 32;
    text(LEFT, top - 20, "differences in mAP, points", { "font-style": "italic" });
    line(along(0), top - 14, along(0), end - 8, INK, { "stroke-dasharray": "4 3" });
    interval(top + 8, "you - your control", mean, low, high, n > 2 && leavesOut(mean, n), true);
    data.pairs.forEach((pair, i) => interval(top + 8 + (i + 1) * ROW, pair.name, pair.mean, pair.low, pair.high, pair.shown, false));
    axis(end - 8, along, [-20, 0, 20, 40], "");
    say.place(`${fewer} of ${paul.seeds.length}`);
    say.inside(state.yours >= paul.next[0] && state.yours <= paul.next[1] ? "yes" : "no");
    say.difference(`${signed(mean)} points`);
    say.interval(some ? `${signed(low)} to ${signed(high)}` : "none");
    say.verdict(words(mean));
    say.needed(needed(mean));
    svg.setAttribute("aria-label", `Your mAP of ${state.yours} % lies above ${fewer} of ${paul.seeds.length} seeds of PAUL. `
      + `The difference to your control is ${signed(mean)} points: ${words(mean)}.`);
  };

  const key = ui.make("div", ui.stage, { style: "display:flex;flex-wrap:wrap;gap:.2em 1.2em;justify-content:center;font-size:.92em" });
  for (const [sign, colour, said] of [
    ["\u2503", YES, "you"], ["\u2506", NO, "your control"], ["\u25CF", INK, "one seed"],
    ["\u25C6", YES, "significant"], ["\u25CB", NO, "not significant"],
  ]) {
    const row = ui.make("span", key);
    ui.make("span", row, { style: `color:${colour}`, "aria-hidden": "true" }, `${sign} `);
    row.append(said);
  }
  say.place = ui.readout(results, "place", "PAUL's seeds below you:");
  say.inside = ui.readout(results, "inside", "where one more run of PAUL may lie (95 %):");
  say.difference = ui.readout(results, "difference", "difference:");
  say.interval = ui.readout(results, "interval", "its 95 % confidence interval:");
  say.verdict = ui.readout(results, "verdict", "verdict:");
  say.needed = ui.readout(results, "needed", "seeds that find it with 80 % power:");
  const percent = (v) => `${v.toFixed(1)} %`;
  const ranges = {
    yours: ["your mean mAP", { min: 0, max: 100, step: 0.5 }, percent],
    control: ["your control's", { min: 0, max: 100, step: 0.5 }, percent],
    seeds: ["seeds", { min: 1, max: 20, step: 1 }, (v) => `${v}`],
    spread: ["standard deviation of the differences", { min: 0, max: 30, step: 0.5 }, (v) => `${v.toFixed(1)} points`],
  };
  for (const [name, [label, range, show]] of Object.entries(ranges)) {
    ui.slider(sliders, label, { ...range, value: state[name] }, show, (v) => { state[name] = v; draw(); }).update();
  }
}
