// The laboratory behind the page: the network on an image, the comparison with the memory, the training. No browser in it.

import { distance, unitRows } from "../paulbook/scripts/shared/rows.js";
import { neighbours, squares } from "../paulbook/scripts/shared/neighbours.js";
import { pooledRows } from "./arrays.js";
import { randomNumbers, shuffled } from "./batches.js";
import { ipfl } from "./losses.js";
import { backbone, imageMap } from "./network.js";
import { attention, generate, poolPatches } from "./patches.js";
import { averagePrecision, rankedGallery } from "./ranking.js";
import { embeddings, features } from "./reductions.js";
import { allFeatures, ipflOptions, makeTrainer, measure, pedalOptions, takeStep } from "./training.js";

/** @typedef {import("./arrays.js").Data} Data @typedef {import("./state.js").Settings} Settings */
/** A query: an image of the file, or pooled vectors of an image and of its mirror image, and who it is if that is known. @typedef {{place: number, pooled?: Float32Array, mirrored?: Float32Array, pid?: number | null}} Query */

const SOLVED = 0.8; // average precision from which a query has little to gain

/** @param {Data} data @param {Settings} settings */
export function makeLab(data, settings) {
  const trainer = makeTrainer(data, settings);
  return { data, settings, trainer, rows: [measure(trainer, settings)], changes: /** @type {[number, string, any, any][]} */ ([]) };
}

/** @typedef {ReturnType<typeof makeLab>} Lab */

/** Change settings; after the first step, what was changed is noted for the link. @param {Lab} lab @param {Partial<Settings>} changes */
export function change(lab, changes) {
  for (const [name, value] of Object.entries(changes)) {
    const before = lab.settings[/** @type {"k"} */ (name)];
    const last = lab.changes[lab.changes.length - 1], step = lab.trainer.steps;
    if (before === value) continue;
    if (step && last && last[0] === step && last[1] === name) last[2] = value;
    else if (step) lab.changes.push([step, name, value, before]);
  }
  Object.assign(lab.settings, changes);
}

/** One step, and a row of the curves at the end of each epoch. Whether there is a new row. @param {Lab} lab */
export function advance(lab) {
  const { data, trainer, settings } = lab, each = Math.ceil(data.header.counts[0] / data.header.settings.preset.batch);
  takeStep(trainer, settings);
  if (trainer.steps % each) return false;
  lab.rows.push(measure(trainer, settings));
  return true;
}

/** A last row of the curves where the training has stopped in the middle of an epoch. @param {Lab} lab */
export function finish({ rows, trainer, settings }) {
  if (rows[rows.length - 1].step !== trainer.steps) rows.push(measure(trainer, settings));
}

/** Everything between pixels and features. @param {Data} data @param {string} statistics @param {ArrayLike<number>} rgba */
export function see(data, statistics, rgba) {
  const map = backbone(data, statistics, imageMap(data, rgba)), theta = generate(data, map);
  const maps = Array.from({ length: theta.length / 6 }, (_, p) => Float32Array.from(attention(theta, p, map.height, map.width)));
  return { map: map.values, theta, maps, pooled: poolPatches(map, maps) };
}

/** Everything of *Look*: of an image and, for its center, of its mirror image. @param {Lab} lab @param {ArrayLike<number>} rgba @param {ArrayLike<number>} mirrored */
export function look({ data, settings: { statistics }, trainer: { net } }, rgba, mirrored) {
  const seen = see(data, statistics, rgba);
  return { ...seen, features: features(net, seen.pooled), mirrored: see(data, statistics, mirrored).pooled };
}

/** Where the patches of an image of the file are. @param {Data} data @param {string} statistics @param {number} place */
export function thetaOf(data, statistics, place) {
  const width = 6 * data.header.settings.network.patches;
  return data.of("theta", statistics).subarray(place * width, (place + 1) * width);
}

/** The query as features, embedding and center. @param {Lab} lab @param {Query} query */
function asked({ data, settings, trainer: { net, centers } }, { place, pooled, mirrored, pid = null }) {
  const { counts: [N], pids, camids } = data.header;
  const x = features(net, place < 0 ? pooled ?? new Float32Array(0) : pooledRows(data, settings.statistics, [place]));
  const e = embeddings(net, x);
  const other = place < 0 ? mirrored : place < N ? pooledRows(data, settings.statistics, [pids.length + place]) : undefined;
  const fresh = other ? embeddings(net, features(net, other)).map((value, i) => (value + e[i]) / 2) : e;
  const old = place >= 0 && place < N && centers.filled[place] ? centers.values.subarray(place * net.E, (place + 1) * net.E) : null;
  const center = old ? fresh.map((value, i) => (1 - settings.momentum) * old[i] + settings.momentum * value) : fresh;
  return { x, e, center, own: place >= 0 && place < N ? place : -1, pid: place < 0 ? pid : pids[place], camid: place < 0 ? null : camids[place] };
}

/** The K nearest entries of one patch, and the hardest of the others. @param {Lab} lab @param {ReturnType<typeof asked>} query @param {number} patch @param {number} most of each */
function patchOf({ data, settings, trainer: { net, memory } }, { x, own, pid }, patch, most = 20) {
  const { counts: [N], camids, pids } = data.header, options = pedalOptions(settings, camids), lengths = squares(memory.values, net.D);
  const each = Array.from({ length: net.P }, (_, p) => neighbours(x, p * net.D, memory.values, lengths, p, net.P, net.D, own, options));
  const { logits, near, all } = each[patch], places = Array.from({ length: N }, (_, j) => j).filter((j) => logits[j] > -Infinity);
  places.sort((i, j) => logits[j] - logits[i] || i - j);
  const entry = (/** @type {number} */ place) => ({ place, share: Math.exp(logits[place] - all), same: pid === pids[place], own: place === own });
  const pulled = places.filter((j) => near[j]), pushed = places.filter((j) => !near[j]);
  const losses = each.map((one) => Math.max(0, one.all - one.above)), same = pulled.filter((j) => pids[j] === pid).length;
  return { pulled: pulled.slice(0, most).map(entry), pushed: pushed.slice(0, 6).map(entry), count: pulled.length, same,
    losses, bound: Math.log(Math.max(1, (N - 1) / settings.k)) };
}

/** Cyclic ranking of the query in a batch of its own. @param {Lab} lab @param {ReturnType<typeof asked>} query */
function wholeOf(lab, query) {
  const { data, settings, trainer: { net } } = lab, { counts: [N], settings: { preset } } = data.header;
  const others = shuffled(N, randomNumbers(77 + query.own)).filter((place) => place !== query.own).slice(0, preset.batch - 1);
  const centers = new Float32Array((others.length + 1) * net.E);
  centers.set(query.center);
  others.forEach((place, i) => centers.set(asked(lab, { place }).center, (i + 1) * net.E));
  const anchors = new Float32Array((others.length + 1) * net.E);
  anchors.set(query.e);
  const { ranking } = ipfl(anchors, centers, net.E, ipflOptions(settings, data));
  const away = (/** @type {number} */ j) => distance(query.e, 0, centers, j * net.E, net.E);
  const negative = ranking.negatives[0], tried = ranking.candidates[0], pos = away(0), neg = negative < 0 ? 0 : away(negative);
  const candidates = tried.map((j, i) => ({ place: others[j - 1], away: away(j), vetoed: ranking.vetoed[0][i], negative: j === negative,
    same: data.header.pids[others[j - 1]] === query.pid, list: [...ranking.lists[j]].map((i) => (i ? others[i - 1] : query.own)) }));
  return { candidates, pos, neg, loss: negative < 0 ? 0 : Math.max(0, settings.margin + pos - neg) };
}

/** The first of the gallery for a query. @param {Lab} lab @param {Query} query @param {number} most */
export function rank(lab, query, most = 12) {
  const { data, settings, trainer: { net } } = lab, width = net.P * net.D, { x, means } = allFeatures(lab.trainer, settings);
  const one = asked(lab, query), row = one.x.slice();
  if (means) { // an image without a camera is treated by the mean of all cameras
    const own = means.get(/** @type {number} */ (one.camid)), all = own ? [own] : [...means.values()];
    const count = all.reduce((sum, each) => sum + each.count, 0);
    for (let i = 0; i < width; i++) row[i] -= all.reduce((sum, each) => sum + each.sum[i], 0) / count;
  }
  const list = rankedGallery(unitRows(x, width), unitRows(row, width), width, data, { pid: one.pid, camid: one.camid, own: query.place });
  const ranks = list.flatMap(({ right }, i) => (right ? [i + 1] : []));
  return { place: query.place, list: list.slice(0, most), ranks, precision: averagePrecision(ranks), known: one.pid !== null };
}

/** The next test query whose ranked list still has mistakes, or simply the next. @param {Lab} lab @param {number} after */
export function nextQuery(lab, after) {
  const [train, queries] = lab.data.header.counts, first = after >= train && after < train + queries ? after - train + 1 : 0;
  const places = Array.from({ length: queries }, (_, i) => train + ((first + i) % queries));
  return places.find((place) => averagePrecision(rank(lab, { place }).ranks) < SOLVED) ?? places[0];
}

/** Everything of *Compare*. @param {Lab} lab @param {Query} query @param {number} patch */
export function compare(lab, query, patch) {
  const one = asked(lab, query);
  return { patch: patchOf(lab, one, patch), whole: wholeOf(lab, one), ranked: rank(lab, query), known: one.pid !== null };
}
