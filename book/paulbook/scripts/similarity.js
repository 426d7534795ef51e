(root, data, ui) => {
  // One cell of picture A, and its cosine with every cell of A and of B. Like cells stay clear, unlike ones fade.
  const { stage, make } = ui;
  const ORANGE = "#D55E00", BLUE = "#0072B2", SIZE = 40, EDGE = 8;
  const width = data.columns * SIZE, height = data.rows * SIZE, count = data.rows * data.columns;
  stage.replaceChildren();
  const box = make("div", stage, { style: "display:flex;gap:16px;justify-content:center" });
  const panel = (image, words) => {
    const side = make("div", box, { style: "flex:0 1 230px;min-width:0;text-align:center" });
    make("div", side, { style: "font-size:15px;font-weight:600;margin-bottom:4px" }, words);
    const view = `${-EDGE / 2} ${-EDGE / 2} ${width + EDGE} ${height + EDGE}`;
    const svg = make("svg", side, { viewBox: view, role: "img", style: "width:100%;display:block" });
    make("image", svg, { href: image, width, height, preserveAspectRatio: "none" });
    const cells = Array.from({ length: count }, (_, i) => {
      const x = (i % data.columns) * SIZE, y = Math.floor(i / data.columns) * SIZE;
      const veil = make("rect", svg, { x, y, width: SIZE, height: SIZE, fill: "#fff", stroke: "#fff", "stroke-width": 0.7 });
      const text = make("text", svg, { x: x + SIZE / 2, y: y + SIZE / 2 + 4, "text-anchor": "middle", "font-size": 12,
        fill: "#1a1a1a", stroke: "#fff", "stroke-width": 3, "paint-order": "stroke" });
      return { veil, text };
    });
    const frame = (colour, dash) => make("rect", svg, { width: SIZE, height: SIZE, fill: "none", stroke: colour,
      "stroke-width": 5, "stroke-dasharray": dash });
    return { svg, cells, frame };
  };
  const A = panel(data.a, "A: choose"), B = panel(data.b, "B: same person");
  const chosen = A.frame(ORANGE, "none"), best = B.frame(BLUE, "9 4");
  A.svg.style.cursor = "pointer";
  A.svg.style.touchAction = "pan-y";

  const place = (rect, cell) => {
    rect.setAttribute("x", (cell % data.columns) * SIZE);
    rect.setAttribute("y", Math.floor(cell / data.columns) * SIZE);
  };
  const name = (cell) => `row ${Math.floor(cell / data.columns)}, column ${cell % data.columns}`;
  const two = (value) => (value + 1e-9).toFixed(2);
  const paint = (cells, cosines) => cells.forEach(({ veil, text }, i) => {
    veil.setAttribute("fill-opacity", (0.94 * (1 - Math.max(0, cosines[i]))).toFixed(3));
    text.textContent = two(cosines[i]).replace("0.", ".");
  });
  const rows = ui.controls(), says = ui.controls();
  const sayBest = ui.readout(says, "best", "most alike in B:"), sayCosine = ui.readout(says, "cosine", "cosine");
  const show = () => {
    const cell = row * data.columns + column, cosines = data.cosines[cell];
    const inA = cosines.slice(0, count), inB = cosines.slice(count);
    const top = inB.indexOf(Math.max(...inB));
    paint(A.cells, inA);
    paint(B.cells, inB);
    place(chosen, cell);
    place(best, top);
    sayBest(name(top));
    sayCosine(two(inB[top]));
    A.svg.setAttribute("aria-label", `Picture A with the chosen cell, ${name(cell)}, framed. Cells unlike it are faded.`);
    B.svg.setAttribute("aria-label", `Picture B. The most alike cell, ${name(top)}, cosine ${two(inB[top])}, is framed.`);
  };
  let row = data.start[0], column = data.start[1];
  const last = { row: data.rows - 1, column: data.columns - 1 };
  const rowSlider = ui.slider(rows, "row", { min: 0, max: last.row, step: 1, value: row }, String, (v) => { row = v; show(); });
  const columnSlider = ui.slider(rows, "column", { min: 0, max: last.column, step: 1, value: column }, String,
    (v) => { column = v; show(); });
  const pick = (event) => {
    const at = A.svg.getBoundingClientRect(), scale = (width + EDGE) / at.width;
    const cell = (client, start, most) => Math.max(0, Math.min(most, Math.floor(((client - start) * scale - EDGE / 2) / SIZE)));
    rowSlider.set(cell(event.clientY, at.top, last.row));
    columnSlider.set(cell(event.clientX, at.left, last.column));
  };
  A.svg.addEventListener("pointerdown", pick);
  A.svg.addEventListener("pointermove", (event) => { if (event.buttons) pick(event); });
  rowSlider.update();
  columnSlider.update();
}
