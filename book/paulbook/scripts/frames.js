(root, data, ui) => {
  const box = root.querySelector(".paul-frames");
  const pictures = [...box.querySelectorAll("img")];
  const tables = [...root.querySelectorAll(".paul-numbers [role=group] > div")]; // one for each picture, or one in all
  box.classList.add("paul-ready");
  const range = { min: 0, max: pictures.length - 1, step: 1, value: data.start };
  ui.slider(ui.controls(), data.label, range, (i) => data.values[i], (i) => {
    pictures.forEach((picture, j) => picture.classList.toggle("paul-on", i === j));
    if (tables.length > 1) tables.forEach((table, j) => (table.hidden = i !== j));
  }).update();
}
