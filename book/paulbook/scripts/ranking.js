(root, data, ui) => {
  const { stage, make } = ui;
  const BLUE = "#0072B2", ORANGE = "#D55E00", GREY = "#595959";
  const COUNT = "Count junk and own camera too", AGAIN = "Start again";
  stage.replaceChildren();
  let order = [], everything = false;

  // What counts. Left-out pictures have no rank; with everything counted, junk is wrong and the own camera is right.
  const leftOut = (item) => !everything && (item.kind === "junk" || item.kind === "own camera");
  const right = (item) => item.kind === "match" || (everything && item.kind === "own camera");
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const two = (value) => (value + 1e-9).toFixed(2);
  const score = () => {
    const kept = order.filter((item) => !leftOut(item));
    const ranks = kept.flatMap((item, place) => (right(item) ? [place + 1] : []));
    const step = ranks.map((r, i) => (i + 1) / r);
    const before = ranks.map((r, i) => (r === 1 ? 1 : i / (r - 1)));
    return { kept: kept.length, ranks, step: mean(step), trapezoid: mean(step.map((s, i) => (s + before[i]) / 2)),
      minp: ranks.length / ranks[ranks.length - 1] };
  };

  const top = make("div", stage, { style: "display:flex;gap:12px;align-items:flex-end;max-width:600px" });
  const query = make("div", top, { style: "flex:0 0 72px;text-align:center;font-size:14px" });
  make("img", query, { src: data.query, alt: data.alt, style: "width:72px" });
  make("span", query, {}, "query");
  const curve = make("svg", top, { viewBox: "0 0 300 160", role: "img", style: "flex:1 1 auto;min-width:0;max-width:340px" });
  const list = make("div", stage, { role: "group", "aria-label": "Ranked list, best first. The arrow keys move a picture.",
    style: "display:grid;grid-template-columns:repeat(auto-fill,minmax(64px,1fr));gap:6px;max-width:600px;margin-top:10px" });

  const X = (rank) => 40 + (rank - 1) * 34, Y = (share) => 118 - share * 100;
  const drawCurve = ({ kept, ranks }) => {
    curve.replaceChildren();
    const text = (x, y, words, anchor = "middle") => make("text", curve, { x, y, "text-anchor": anchor, "font-size": 14, fill: "#1a1a1a" }, words);
    make("path", curve, { d: `M${X(1)} 18H282M${X(1)} 118H282`, stroke: "#d0d0d0", fill: "none" });
    text(30, 23, "1", "end"), text(30, 123, "0", "end"), text(160, 156, "CMC at rank");
    const points = Array.from({ length: kept }, (_, i) => [X(i + 1), Y(ranks[0] <= i + 1 ? 1 : 0)]);
    const path = points.map(([x, y], i) => (i ? `H${x}V${y}` : `M${x} ${y}`)).join("");
    make("path", curve, { d: path, stroke: BLUE, "stroke-width": 3, fill: "none" });
    points.forEach(([x, y], i) => {
      make("circle", curve, { cx: x, cy: y, r: 4.5, fill: BLUE });
      text(x, 138, String(i + 1));
    });
    const says = ranks[0] === 1 ? "1 at every rank" : `0 below rank ${ranks[0]}, 1 from there on`;
    curve.setAttribute("aria-label", `CMC of this query: ${says}.`);
  };

  const readouts = make("div", stage, { class: "paul-controls" });
  const names = [["ranks", "matches at ranks"], ["rank1", "rank-1"], ["step", "AP (step)"], ["trapezoid", "AP (trapezoid)"], ["minp", "INP"]];
  const say = Object.fromEntries(names.map(([name, label]) => [name, ui.readout(readouts, name, label)]));

  // The picture that is held stays where it is in the document, and the others move around it: it keeps focus and pointer.
  const show = (held = order[0]) => {
    const at = order.indexOf(held);
    order.slice(0, at).forEach((item) => held.box.before(item.box));
    order.slice(at + 1).forEach((item) => list.append(item.box));
    let rank = 0;
    order.forEach((item) => {
      const out = leftOut(item), good = right(item), colour = out ? GREY : good ? BLUE : ORANGE;
      item.head.textContent = out ? "no rank" : `${++rank} ${good ? "✓" : "✗"}`;
      item.head.style.color = out ? GREY : "#1a1a1a";
      item.head.style.fontWeight = out ? 400 : 700;
      item.box.style.border = out ? `2px dashed ${GREY}` : `3px solid ${colour}`;
      item.image.style.cssText = `width:100%;pointer-events:none;${out ? "opacity:.35;filter:grayscale(1)" : ""}`;
    });
    const found = score();
    drawCurve(found);
    say.ranks(found.ranks.join(", "));
    say.rank1(found.ranks[0] === 1 ? "1" : "0");
    say.step(two(found.step)), say.trapezoid(two(found.trapezoid)), say.minp(two(found.minp));
  };
  const move = (item, to) => {
    const place = Math.max(0, Math.min(order.length - 1, to));
    order.splice(order.indexOf(item), 1);
    order.splice(place, 0, item);
    show(item);
  };

  const items = data.items.map((given) => {
    const head = `${root.id}-${given.name}`;
    const item = { ...given, box: make("div", list, { style: "display:flex;flex-direction:column;font-size:13px;line-height:1.4;text-align:center" }) };
    item.head = make("div", item.box, { id: head });
    item.button = make("button", item.box, { type: "button", "aria-label": `${given.name}: ${given.kind}`, "aria-describedby": head,
      style: "padding:0;border:0;background:none;touch-action:none;user-select:none;cursor:grab" });
    item.image = make("img", item.button, { src: given.picture, alt: given.kind, draggable: "false" });
    make("div", item.box, {}, given.kind);
    return item;
  });
  const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -items.length, End: items.length };
  const nearest = (event) => {
    const away = (item) => {
      const box = item.box.getBoundingClientRect();
      return Math.hypot(event.clientX - (box.left + box.right) / 2, event.clientY - (box.top + box.bottom) / 2);
    };
    return order.reduce((best, item) => (away(item) < away(best) ? item : best));
  };
  items.forEach((item) => {
    item.button.addEventListener("keydown", (event) => {
      if (!(event.key in STEPS)) return;
      event.preventDefault();
      move(item, order.indexOf(item) + STEPS[event.key]);
    });
    let held = false;
    item.button.addEventListener("pointerdown", (event) => { held = true; item.button.setPointerCapture(event.pointerId); });
    item.button.addEventListener("pointermove", (event) => {
      const other = held ? nearest(event) : item;
      if (other !== item) move(item, order.indexOf(other));
    });
    ["pointerup", "pointercancel"].forEach((name) => item.button.addEventListener(name, () => { held = false; }));
  });

  const buttons = ui.controls();
  const count = make("button", buttons, { type: "button", "aria-pressed": "false", "aria-label": COUNT }, COUNT);
  count.addEventListener("click", () => {
    everything = !everything;
    count.setAttribute("aria-pressed", String(everything));
    count.style.background = everything ? "#cfe6f5" : "";
    show();
  });
  const again = make("button", buttons, { type: "button", "aria-label": AGAIN }, AGAIN);
  again.addEventListener("click", () => { order = [...items]; if (everything) count.click(); else show(); });
  order = [...items];
  show();
}
