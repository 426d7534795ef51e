// One patch over a picture: six sliders for theta, the patch by pointer, its attention map and its average.
(root, data, ui) => {
  const { height: H, width: W, cell } = data;
  const HIGH = 29, GAP = 16, SIZE = 36, TOP = 30; // in the drawing: cells of the picture, space, cells of the maps
  const LEFT = 20, ABOVE = (H * (SIZE - HIGH)) / 2, ROOM = W * HIGH + 2 * LEFT; // where the picture lies in its panel
  const names = ["scale x", "shear x", "shift x", "shear y", "scale y", "shift y"];
  const range = { scale: [0, 1.5], shear: [-1, 1], shift: [-1.5, 1.5] };
  const three = (v) => (v + 1e-9).toFixed(3); // a hair up, so that ties round alike everywhere
  const signed = (v) => v.toFixed(2).replace("-", "\u2212");

  // ---- the computation: paullite.models.patch_attention, for one patch
  const steps = (n, corners) =>
    Array.from({ length: n }, (_, i) => (n === 1 ? 0 : corners ? (2 * i) / (n - 1) - 1 : (2 * i + 1) / n - 1));
  const place = (t, n, corners) => (corners ? ((t + 1) / 2) * (n - 1) : ((t + 1) * n - 1) / 2);
  const tent = (t) => Math.max(0, 1 - Math.abs(t));
  const at = (u, v, { theta: [a, b, c, d, e, f], corners }) =>
    [place(a * u + b * v + c, W, corners), place(d * u + e * v + f, H, corners)];
  const cells = (make) => Array.from({ length: H }, (_, h) => Array.from({ length: W }, (_, w) => make(h, w)));
  const sum = (grid, weight) => grid.reduce((s, row, h) => s + row.reduce((t, x, w) => t + x * weight(h, w), 0), 0);
  const compute = (state) => {
    const us = steps(W, state.corners), vs = steps(H, state.corners);
    const points = vs.flatMap((v) => us.map((u) => at(u, v, state)));
    const weights = ([x, y]) => cells((h, w) => tent(y - h) * tent(x - w));
    const each = points.map(weights);
    const attention = cells((h, w) => each.reduce((s, one) => s + one[h][w], 0) / each.length);
    const colour = (grid) => data.map.map((channel) => sum(grid, (h, w) => channel[h][w]));
    return { points, attention, mass: sum(attention, () => 1), pooled: colour(attention), patch: each.map(colour) };
  };

  // ---- the drawing
  const still = ui.stage.querySelector("img");
  if (still) still.remove();
  const box = `0 0 ${ROOM + 2 * GAP + 2 * W * SIZE} ${TOP + H * SIZE + 30}`;
  const svg = ui.make("svg", ui.stage, { viewBox: box, width: "100%", role: "img", style: "touch-action:pan-y" });
  const text = (parent, x, y, words, more = {}) =>
    ui.make("text", parent, { x, y, "font-size": 15, fill: "#1a1a1a", ...more }, words);
  const panel = (x, title) => {
    text(svg, x, 18, title);
    return ui.make("g", svg, { transform: `translate(${x} ${TOP})` });
  };
  const grid = (parent, size, x0 = 0, y0 = 0) =>
    cells((h, w) => ui.make("rect", parent, {
      x: x0 + w * size, y: y0 + h * size, width: size, height: size, fill: "none", stroke: "#767676", "stroke-width": 0.7,
    }));
  text(svg, 0, 18, "picture");
  const view = ui.make("svg", svg, { x: 0, y: TOP, width: ROOM, height: H * SIZE, overflow: "hidden" });
  ui.make("rect", view, { width: ROOM, height: H * SIZE, fill: "#eeeeee" });
  ui.make("image", view, { href: data.picture, x: LEFT, y: ABOVE, width: W * HIGH, height: H * HIGH, preserveAspectRatio: "none" });
  grid(view, HIGH, LEFT, ABOVE).flat().forEach((r) => { r.setAttribute("stroke", "#ffffff"); r.setAttribute("stroke-opacity", 0.6); });
  const halo = ui.make("polygon", view, { fill: "none", stroke: "#ffffff", "stroke-width": 6, "stroke-opacity": 0.85 });
  const frame = ui.make("polygon", view, { fill: "none", stroke: "#0072B2", "stroke-width": 3 });
  const dots = Array.from({ length: H * W }, () =>
    ui.make("circle", view, { r: 2.6, fill: "#E69F00", stroke: "#1a1a1a", "stroke-width": 0.7 }));
  const hit = ui.make("rect", view, {
    width: ROOM, height: H * SIZE, fill: "transparent", style: "touch-action:none;cursor:move",
  });

  const heat = panel(ROOM + GAP, "attention, %");
  const squares = grid(heat, SIZE);
  const numbers = cells((h, w) => text(heat, (w + 0.5) * SIZE, (h + 0.64) * SIZE, "", { "text-anchor": "middle", "font-size": 14 }));
  ui.make("rect", heat, {
    x: cell[1] * SIZE + 2, y: cell[0] * SIZE + 2, width: SIZE - 4, height: SIZE - 4, fill: "none",
    stroke: "#D55E00", "stroke-width": 3, "stroke-dasharray": "5 3",
  });
  const seen = panel(ROOM + 2 * GAP + W * SIZE, "what is sampled");
  const samples = grid(seen, SIZE);
  const average = ui.make("rect", seen, { x: 0, y: H * SIZE + 6, width: 44, height: 22, stroke: "#767676" });
  text(seen, 52, H * SIZE + 23, "average");

  // ---- the controls
  const panelOf = (columns) =>
    ui.make("div", ui.stage, { class: "paul-controls", style: `display:grid;grid-template-columns:repeat(auto-fit,minmax(${columns},1fr))` });
  const table = panelOf("13em");
  let ready = false;
  const refresh = () => { if (ready) draw(); };
  const sliders = names.map((name, i) => {
    const [min, max] = range[name.slice(0, 5)];
    const one = ui.slider(table, name, { min, max, step: 0.05, value: data.theta.flat()[i] }, signed, refresh);
    const row = one.input.parentElement;
    row.style.flexWrap = "nowrap";
    row.firstChild.style.width = "4.2em";
    one.input.style.width = "5.2em";
    return one;
  });
  const buttons = ui.controls();
  const row = ui.make("label", buttons);
  const flag = ui.make("input", row, { type: "checkbox", checked: "" });
  ui.make("span", row, {}, "align_corners");
  const said = ui.make("output", row);
  flag.addEventListener("change", () => draw());
  Object.entries(data.presets).forEach(([name, theta]) => {
    const button = ui.make("button", buttons, { type: "button" }, name);
    button.addEventListener("click", () => put(theta.flat()));
  });
  const table2 = ui.controls();
  const show = {
    mass: ui.readout(table2, "mass", "mass"),
    weight: ui.readout(table2, "weight", `weight of cell (${cell.join(", ")})`),
    red: ui.readout(table2, "red", "average red"),
    green: ui.readout(table2, "green", "green"),
    blue: ui.readout(table2, "blue", "blue"),
  };
  const put = (values) => {
    ready = false;
    values.forEach((v, i) => { if (v !== null) sliders[i].set(v); });
    ready = true;
    draw();
  };

  const rgb = (c) => `rgb(${c.map((x) => Math.round(255 * Math.min(1, x))).join(",")})`;
  const pixel = ([x, y]) => [LEFT + (x + 0.5) * HIGH, ABOVE + (y + 0.5) * HIGH];
  function draw() {
    const state = { theta: sliders.map((s) => +s.input.value), corners: flag.checked };
    const { points, attention, mass, pooled, patch } = compute(state);
    const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([u, v]) => pixel(at(u, v, state)).join(",")).join(" ");
    [halo, frame].forEach((shape) => shape.setAttribute("points", corners));
    points.forEach((point, i) => {
      const [x, y] = pixel(point);
      dots[i].setAttribute("cx", x);
      dots[i].setAttribute("cy", y);
    });
    let best = [0, 0];
    cells((h, w) => {
      const a = attention[h][w], shade = Math.min(1, a / 0.15);
      if (a > attention[best[0]][best[1]]) best = [h, w];
      squares[h][w].setAttribute("fill", `rgba(0,114,178,${shade})`);
      numbers[h][w].textContent = (100 * a + 1e-9).toFixed(1);
      numbers[h][w].setAttribute("fill", shade > 0.93 ? "#ffffff" : "#1a1a1a");
      samples[h][w].setAttribute("fill", rgb(patch[h * W + w]));
    });
    average.setAttribute("fill", rgb(pooled));
    said.textContent = flag.checked ? "True" : "False";
    show.mass(three(mass));
    show.weight(three(attention[cell[0]][cell[1]]));
    ["red", "green", "blue"].forEach((name, c) => show[name](three(pooled[c])));
    const [, , x, , , y] = state.theta;
    svg.setAttribute("aria-label", `A drawn person with a patch whose middle is at x ${signed(x)}, y ${signed(y)}. ` +
      `Its attention map sums to ${three(mass)}; the heaviest cell is row ${best[0]}, column ${best[1]}.`);
  }

  // ---- dragging moves the shifts, by steps of the sliders
  let grip = null;
  const pointer = (event) => {
    const scale = ROOM / hit.getBoundingClientRect().width, corners = +flag.checked;
    const span = [W - corners, H - corners]; // cells from -1 to 1
    return [event.clientX, event.clientY].map((p, i) => (p * scale * 2) / (span[i] * HIGH));
  };
  hit.addEventListener("pointerdown", (event) => {
    const [x, y] = pointer(event);
    grip = [+sliders[2].input.value - x, +sliders[5].input.value - y];
    hit.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  hit.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const [x, y] = pointer(event);
    put([null, null, grip[0] + x, null, null, grip[1] + y]);
  });
  ["pointerup", "pointercancel"].forEach((kind) => hit.addEventListener(kind, () => { grip = null; }));

  put(data.theta.flat());
}
