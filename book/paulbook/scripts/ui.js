(root, data, script) => {
  const stage = root.querySelector(".paul-stage");
  const make = (tag, parent, attributes = {}, text = "") => {
    const svg = ["svg", "g", "path", "line", "rect", "circle", "polygon", "polyline", "text", "image"].includes(tag);
    const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  };
  const controls = () => make("div", stage, { class: "paul-controls" });
  // A labelled slider; its value stands beside it as show(value), and is what a screen reader says.
  const slider = (parent, label, range, show, onInput) => {
    const row = make("label", parent);
    make("span", row, {}, label);
    const input = make("input", row, { type: "range", ...range });
    const value = make("output", row);
    const update = () => {
      value.textContent = show(+input.value);
      input.setAttribute("aria-valuetext", value.textContent);
      onInput(+input.value);
    };
    input.addEventListener("input", update);
    return { input, update, set: (v) => { input.value = v; update(); } };
  };
  // A named number that tests and screen readers find: returns a function that sets its text.
  const readout = (parent, name, label) => {
    const row = make("span", parent);
    make("span", row, {}, label + " ");
    const output = make("output", row, { "data-name": name, "aria-live": "polite" });
    return (text) => { if (output.textContent !== text) output.textContent = text; };
  };
  if (!root.dataset.ready) {
    root.dataset.ready = "yes";
    root.paulData = data; // for who wants to look, and for the tests
    script(root, data, { stage, make, controls, slider, readout });
  }
}
