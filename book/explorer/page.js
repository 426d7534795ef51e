// The page: starts the worker, holds the state, and shows one screen at a time.

import { readData } from "./arrays.js";
import { compareView } from "./compare.js";
import { button, make, say } from "./dom.js";
import { frame } from "./frame.js";
import { drawnPerson, fromFile, lookView, mirrored } from "./look.js";
import { loadData, pixelsOf, placePixels, startWorker } from "./loading.js";
import { firstState, fromLink, unread } from "./state.js";
import { trainView } from "./train.js";

/** @typedef {import("./state.js").State} State @typedef {import("./state.js").Look} Look @typedef {import("./state.js").Settings} Settings */
/**
 * What the screens see of the page, and what they may ask of it.
 * @typedef {object} App
 * @property {import("./arrays.js").Data} data @property {State} state
 * @property {string} sheet address of the sheet of crops @property {Record<number, Uint8Array>} places behind the drawn person, by camera
 * @property {ImageData | null} picture of the query @property {boolean} own whether it is an image of the reader's own
 * @property {string} fault of the last file, in words @property {number} until the step to which a link repeats the training, or 0
 * @property {any} seen what the network sees in it @property {any} found of Compare @property {any} ranked newest ranked list @property {any} progress of the training
 * @property {(message: any) => void} send to the worker
 * @property {(changes: Partial<State>) => void} set @property {(changes: Partial<Settings>) => void} change
 * @property {(look: Look) => void} draw @property {(person: number) => void} pickPerson @property {(file: Blob) => void} useFile
 * @property {(place: number) => void} ask @property {() => void} another @property {() => void} restart @property {() => Partial<Settings>} mended @property {() => void} standard
 */

/** Put the explorer into an element; it loads its data when the reader presses start, or follows a link to a state. @param {HTMLElement} root @param {string} program text of this script, for the worker */
export function page(root, program) {
  const box = root.querySelector(".pe-start") ?? make("div", root, { class: "pe-start" });
  const status = make("p", null, { role: "status" });
  const begin = async () => {
    start.disabled = true;
    say(status, "Loading ...");
    try {
      const { header, buffer } = await loadData(root.dataset.folder ?? "");
      box.remove();
      await run(root, program, header, buffer);
    } catch (error) {
      start.disabled = false;
      box.append(status);
      say(status, `The explorer could not start: ${error instanceof Error ? error.message : error}`);
    }
  };
  const start = button(box, "Start", begin, { class: "pe-play" });
  box.append(status);
  if (linked()) begin();
}

/** Whether the address holds a state. */
const linked = () => location.hash.includes("tab=");

/** @param {HTMLElement} root @param {string} program @param {any} header @param {ArrayBuffer} buffer */
async function run(root, program, header, buffer) {
  const data = readData(header, buffer), worker = startWorker(program), views = /** @type {any} */ ({});
  const sheetBytes = new Blob([data.bytes("sheet").slice()], { type: header.sheet.type }), bitmap = createImageBitmap(sheetBytes);
  /** @type {ImageData | null} */
  let file = null;
  let asking = { look: false, compare: false }, again = { look: false, compare: false }, arriving = false;

  /** @type {App} */
  const app = {
    data, state: fromLink(location.hash.slice(1), header), sheet: URL.createObjectURL(sheetBytes), places: {},
    picture: null, own: false, fault: "", until: 0, seen: null, found: null, ranked: null, progress: null,
    send: (message) => worker.postMessage(message),
    set(changes) {
      Object.assign(app.state, changes);
      if ("patch" in changes) request("compare");
      show();
    },
    change(changes) {
      Object.assign(app.state.settings, changes);
      app.send({ kind: "settings", changes });
      if ("statistics" in changes) request("look");
      request("compare");
      show();
    },
    draw(look) {
      file = null, app.fault = "";
      app.state.look = look;
      app.ask(-1);
    },
    pickPerson(person) {
      const { upper, lower_colour, bag } = header.looks[person];
      app.draw({ ...app.state.look, person, top: upper, lower: lower_colour, bag });
    },
    useFile(chosen) {
      fromFile(chosen).then((image) => {
        file = image, app.fault = "";
        app.ask(-1);
      }, () => {
        app.fault = "This file could not be read as an image.";
        show();
      });
    },
    ask(place) {
      app.state.query = place;
      refresh();
    },
    another: () => app.send({ kind: "next", after: app.state.query }),
    restart() {
      app.state.steps = 0, app.state.changes = [], app.ranked = null;
      app.send({ kind: "restart", settings: app.state.settings });
      request("compare");
    },
    mended() {
      const { k, scale } = firstState(header).settings;
      return { k, scale, broken: "" };
    },
    standard: () => app.change(firstState(header).settings),
  };

  /** One request of a kind is under way at a time, and the newest wish is sent when it is answered. */
  const request = (/** @type {"look" | "compare"} */ kind) => {
    if (asking[kind]) again[kind] = true;
    else if (kind === "look" && app.picture) {
      asking.look = true;
      app.send({ kind, rgba: app.picture.data, mirrored: mirrored(app.picture).data, id: app.state.query });
    } else if (kind === "compare" && (app.state.query >= 0 || app.seen)) {
      asking.compare = true;
      app.send({ kind, asked: asked(), patch: app.state.patch });
    }
  };
  const asked = () => {
    const { query, look } = app.state, one = header.looks[look.person];
    const unchanged = !file && one.upper === look.top && one.lower_colour === look.lower && one.bag === look.bag;
    return query >= 0 ? { place: query } : { place: -1, pooled: app.seen.pooled, mirrored: app.seen.mirrored, pid: unchanged ? header.look_pids[look.person] : null };
  };
  const refresh = async () => {
    const { query } = app.state;
    app.own = query < 0 && file !== null;
    app.picture = query < 0 ? file ?? drawnPerson(app) : pixelsOf(await bitmap, header.sheet.columns, query);
    if (query >= 0) request("compare");
    request("look");
    show();
  };

  worker.onmessage = ({ data: answer }) => {
    const { kind } = answer;
    if (kind === "look" || kind === "compare") {
      asking[/** @type {"look"} */ (kind)] = false;
      if (kind === "look") app.seen = answer;
      else app.found = answer, app.ranked = answer.ranked;
      if (again[/** @type {"look"} */ (kind)]) again[/** @type {"look"} */ (kind)] = false, request(kind);
      else if (kind === "look" && app.state.query < 0) request("compare");
    } else if (kind === "progress") {
      app.progress = answer;
      app.ranked = answer.ranked ?? app.ranked;
      app.state.steps = answer.steps, app.state.changes = answer.changes;
      if (answer.steps < app.until || (app.until && !answer.playing)) app.state.settings = { ...answer.settings };
      if (!answer.playing) app.until = 0;
      if (answer.ranked && app.state.tab === "compare") request("compare");
    } else if (kind === "next") {
      app.ask(answer.place);
    } else say(message, `Something went wrong in the worker: ${answer.text}`);
    show();
    if (arriving && kind === "compare") arriving = false, root.querySelector(`[data-part=${app.state.part}]`)?.scrollIntoView();
  };

  const { panels, message, choose } = frame(root, app);
  const screens = { look: lookView, compare: compareView, train: trainView };
  const show = () => {
    const { tab } = app.state;
    choose(tab);
    views[tab] ??= /** @type {any} */ (screens)[tab](panels[tab], app);
    views[tab].show();
  };
  const follow = (/** @type {string} */ kind) => {
    const { settings, steps, changes } = app.state, planned = changes.slice();
    app.until = steps, app.state.changes = [], app.state.steps = 0;
    const common = { settings: { ...settings }, steps, changes: planned };
    app.send(kind === "start" ? { kind, header, buffer, ...common } : { kind, ...common });
    const lost = linked() ? unread(location.hash.slice(1), { ...app.state, steps, changes: planned }) : [];
    say(message, lost.length ? `This link was understood except for ${lost.join(", ")}.` : "");
    if (linked()) root.scrollIntoView();
    arriving = linked() && app.state.part !== "pedal";
  };
  window.addEventListener("hashchange", () => {
    if (!linked()) return;
    app.state = fromLink(location.hash.slice(1), header), file = null;
    follow("restart");
    refresh();
  });
  follow("start");
  refresh();
  show();
  Object.assign(root, { paul: app }); // for who wants to look, and for the tests
  header.cameras.forEach(async (/** @type {any} */ { place }, /** @type {number} */ i) => {
    app.places[i] = await placePixels(place);
    if (i === app.state.look.camera && app.state.query < 0 && !file) refresh();
  });
}
