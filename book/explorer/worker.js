// The worker: takes messages, computes, and trains in slices, so that messages are never kept waiting for long.

import { readData } from "./arrays.js";
import { advance, change, compare, finish, look, makeLab, nextQuery, rank } from "./lab.js";

const SLICE = 40, PAUSE = 100; // milliseconds of training at a time, and between two reports

/** Handle the messages of a page. @param {any} scope of the worker */
export function work(scope) {
  /** @type {import("./lab.js").Lab | null} */
  let lab = null;
  let playing = false, told = 0, until = Infinity;
  /** @type {import("./lab.js").Query} */
  let query = { place: -1 };
  /** @type {[number, string, any][]} */
  let planned = [];

  const tell = (fresh = false) => {
    if (!lab) return;
    told = performance.now();
    const { rows, trainer: { steps, last }, changes } = lab, known = query.place >= 0 || query.pooled;
    scope.postMessage({ kind: "progress", steps, playing, rows, last, changes, settings: lab.settings, ranked: fresh && known ? rank(lab, query) : undefined });
  };
  const one = () => {
    if (!lab) return false;
    while (planned.length && planned[0][0] <= lab.trainer.steps) {
      const [, name, value] = /** @type {any} */ (planned.shift());
      change(lab, { [name]: value });
    }
    return advance(lab);
  };
  let waiting = false; // for the next slice; there is never more than one
  const schedule = () => {
    if (!waiting) setTimeout(slice, 0);
    waiting = true;
  };
  const slice = () => {
    waiting = false;
    if (!lab || !playing) return;
    const end = performance.now() + SLICE;
    let fresh = false;
    while (performance.now() < end && lab.trainer.steps < until) fresh = one() || fresh;
    if (lab.trainer.steps >= until) {
      playing = false, until = Infinity;
      finish(lab);
    }
    if (fresh || !playing || performance.now() - told > PAUSE) tell(fresh || !playing);
    schedule();
  };
  const play = (/** @type {boolean} */ on) => {
    playing = on;
    if (on) schedule();
    tell();
  };

  /** @type {Record<string, (message: any) => void>} */
  const handlers = {
    start({ header, buffer, settings, steps, changes }) {
      lab = makeLab(readData(header, buffer), settings);
      planned = changes, until = steps || Infinity;
      play(Boolean(steps));
    },
    restart({ settings, steps = 0, changes = [] }) {
      if (!lab) return;
      const on = playing && !steps;
      lab = makeLab(lab.data, settings);
      planned = changes, until = steps || Infinity, playing = on || Boolean(steps);
      tell(true);
      if (playing) schedule();
    },
    settings({ changes }) {
      if (lab) change(lab, changes);
    },
    play: ({ on }) => play(on),
    step() {
      if (lab && !playing) tell(one() || true);
    },
    look({ id, rgba, mirrored }) {
      if (lab) scope.postMessage({ kind: "look", id, ...look(lab, rgba, mirrored) });
    },
    next({ after }) {
      if (lab) scope.postMessage({ kind: "next", place: nextQuery(lab, after) });
    },
    compare({ id, asked, patch }) {
      if (lab) scope.postMessage({ kind: "compare", id, ...compare(lab, query = asked, patch) });
    },
  };
  scope.onmessage = (/** @type {any} */ { data }) => {
    try {
      handlers[data.kind](data);
    } catch (error) {
      scope.postMessage({ kind: "failed", text: String(error) });
    }
  };
}
