// What a reader has chosen, and the same as a link.

/**
 * What the training depends on. ``broken`` is "", "own", "push" or "cameras".
 * @typedef {{statistics: string, cameraMean: boolean, k: number, scale: number, r: number, margin: number, momentum: number,
 *   rate: number, pedalWeight: number, ipflWeight: number, negative: string, broken: string}} Settings
 */
/**
 * A drawn person, or an image of the file: its place, or -1 for the drawn one.
 * @typedef {{person: number, top: string, lower: string, bag: string, view: string, camera: number, light: number,
 *   across: number, down: number, near: number}} Look
 */
/**
 * Everything that a link holds. ``changes`` are [step, name, value]: what was changed while PAUL learned, in order.
 * ``part`` is the part of Compare to which a link leads.
 * @typedef {{tab: string, part: string, patch: number, channel: number, query: number, look: Look, settings: Settings,
 *   steps: number, changes: [number, string, any][]}} State
 */

export const TABS = ["look", "compare", "train"];
export const PARTS = ["pedal", "ipfl", "gallery"];
export const VIEWS = ["front", "back", "left", "right"];
export const BAGS = ["none", "backpack", "shoulder"];

/** Smallest and largest value and step of every number that a slider sets. @type {Record<string, [number, number, number]>} */
export const RANGES = {
  k: [1, 60, 1], scale: [0.5, 60, 0.5], r: [0, 10, 1], margin: [0, 4, 0.1], momentum: [0.02, 1, 0.02],
  rate: [0, 1, 0.01], pedalWeight: [0, 4, 0.1], ipflWeight: [0, 4, 0.1],
  light: [-100, 100, 5], across: [-256, 256, 16], down: [-400, 400, 16], near: [-30, 30, 2],
  person: [0, 999, 1], camera: [-1, 9, 1], patch: [0, 99, 1], channel: [-1, 999, 1], query: [-1, 99999, 1], steps: [0, 2000, 1],
};

/** Words that a setting may be; the other settings are numbers. @type {Record<string, (string | boolean)[]>} */
export const CHOICES = {
  statistics: ["target", "source"], cameraMean: [false, true], negative: ["cyclic", "nearest"], broken: ["", "own", "push", "cameras"],
  tab: TABS, part: PARTS, view: VIEWS, bag: BAGS,
};

/** What the page starts with: the preset of the drawn world. @param {any} header of the data file @returns {State} */
export function firstState({ settings, looks }) {
  const { preset } = settings;
  const { upper, lower_colour, bag } = looks[0];
  return {
    tab: "look", part: "pedal", patch: Math.floor(settings.network.patches / 3), channel: -1, query: -1, steps: 0, changes: [],
    look: { person: 0, top: upper, lower: lower_colour, bag, view: "front", camera: 0, light: 0, across: 0, down: 0, near: 0 },
    settings: { statistics: "target", cameraMean: false, k: preset.k, scale: preset.scale, r: preset.nearest - 1, margin: preset.margin,
      momentum: preset.memory_momentum, rate: preset.lr, pedalWeight: preset.pedal_weight, ipflWeight: preset.ipfl_weight,
      negative: "cyclic", broken: "" },
  };
}

/** A value from a link, or the one that was there if it is not allowed. @param {string} name @param {string} text @param {any} old */
function read(name, text, old) {
  const choice = CHOICES[name]?.find((value) => String(value) === text);
  if (CHOICES[name]) return choice === undefined ? old : choice;
  const value = Number(text), range = RANGES[name];
  if (!range) return /^[a-z ]{1,20}$/.test(text) ? text : old; // the name of a colour
  return text !== "" && Number.isFinite(value) ? Math.min(range[1], Math.max(range[0], value)) : old;
}

/** The part of a link behind the #: what differs from the first state. @param {State} state @param {any} header */
export function toLink(state, header) {
  const first = firstState(header), found = new URLSearchParams({ tab: state.tab });
  const put = (/** @type {any} */ now, /** @type {any} */ start) => {
    for (const name of Object.keys(start)) {
      if (typeof start[name] !== "object" && now[name] !== start[name]) found.set(name, String(now[name]));
    }
  };
  put(state, first), put(state.look, first.look);
  // the settings at step 0 are those of the first change of each, or what they still are
  const early = { ...state.settings };
  for (const [, name, , before] of /** @type {any[]} */ ([...state.changes].reverse())) early[/** @type {"k"} */ (name)] = before;
  put(state.steps ? early : state.settings, first.settings);
  const log = state.steps ? state.changes.map(([step, name, value]) => `${step}:${name}:${value}`).join(",") : "";
  if (log) found.set("changes", log);
  return found.toString();
}

/** The state that a link holds; what is missing or not allowed is as in the first state. @param {string} text @param {any} header */
export function fromLink(text, header) {
  const state = firstState(header), given = new URLSearchParams(text);
  const take = (/** @type {any} */ part) => {
    for (const name of Object.keys(part)) {
      const value = given.get(name);
      if (value !== null && typeof part[name] !== "object") part[name] = read(name, value, part[name]);
    }
  };
  [state, state.look, state.settings].forEach(take);
  for (const one of (given.get("changes") ?? "").split(",").filter(Boolean).slice(0, 200)) {
    const [step, name, value = ""] = one.split(":");
    if (!(name in state.settings) || !(Number(step) >= 0)) continue;
    state.changes.push([Number(step), name, read(name, value, /** @type {any} */ (state.settings)[name])]);
  }
  const { pids, looks, cameras, settings, palettes } = header, last = (/** @type {number} */ n, /** @type {number} */ value) => Math.min(n - 1, value);
  state.query = last(pids.length, state.query), state.patch = last(settings.network.patches, state.patch);
  state.channel = last(settings.network.channels, state.channel), state.look.person = last(looks.length, state.look.person);
  state.look.camera = last(cameras.length, state.look.camera);
  if (!(state.look.top in palettes.cloth)) state.look.top = looks[state.look.person].upper;
  if (!(state.look.lower in palettes.lower)) state.look.lower = looks[state.look.person].lower_colour;
  return state;
}

/** What a link says that its state does not hold, since there is no such name or value. @param {string} text @param {State} state */
export function unread(text, { look, settings, changes, ...rest }) {
  const held = /** @type {Record<string, any>} */ ({ ...rest, ...look, ...settings }), given = new URLSearchParams(text);
  const planned = (given.get("changes") ?? "").split(",").filter(Boolean).filter((one) => {
    const [step, name, value] = one.split(":");
    return !changes.some((known) => known[0] === Number(step) && known[1] === name && String(known[2]) === value);
  });
  const wrong = [...given].filter(([name, value]) => name !== "changes" && String(held[name]) !== value).map(([name]) => name);
  return [...wrong, ...planned];
}
