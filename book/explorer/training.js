// PAUL's second phase with a frozen backbone: memory, both losses, and SGD on the reductions.

import { makeMemory, update } from "../paulbook/scripts/shared/memory.js";
import { pooledRows } from "./arrays.js";
import { epochBatches, firstPass } from "./batches.js";
import { ipfl, pedal } from "./losses.js";
import { falseNegatives, samePerson } from "./metrics.js";
import { scores, subtractCameraMean } from "./ranking.js";
import { embeddings, features, gradients, makeReductions, trainingPass } from "./reductions.js";

/** @typedef {import("./arrays.js").Data} Data */
/** @typedef {import("./state.js").Settings} Settings */
/** @typedef {{index: number[], view: number[]}} Batch */

const PARAMETERS = /** @type {const} */ (["weight", "bias", "gain", "shift"]);

/**
 * A network before its first step, with a memory that one pass has filled.
 * @param {Data} data @param {Settings} settings @param {number[][]} [order] batches of the first pass
 */
export function makeTrainer(data, settings, order) {
  const { batch, seed } = data.header.settings.preset, [N] = data.header.counts;
  const net = makeReductions(data, settings.statistics);
  const speed = Object.fromEntries(PARAMETERS.map((name) => [name, /** @type {Float32Array | null} */ (null)]));
  const trainer = { data, net, speed, memory: makeMemory(N, net.P * net.D), centers: makeMemory(N, net.E), steps: 0, last: empty(),
    all: /** @type {{key: string, x: Float32Array, means: any} | null} */ (null) }; // newest features of all images
  for (const part of order ?? firstPass(N, 2 * batch, seed)) {
    update(trainer.memory, part, trainingPass(net, pooledRows(data, settings.statistics, part)).features, 1);
  }
  return trainer;
}

/** @typedef {ReturnType<typeof makeTrainer>} Trainer */

const empty = () => ({ pedal: NaN, ipfl: NaN, falseNegatives: NaN });

/** The batch of step number ``step``, counted from 0. @param {Data} data @param {number} step @returns {Batch} */
export function batchOf(data, step) {
  const { batch, seed } = data.header.settings.preset, [N] = data.header.counts;
  const each = Math.ceil(N / batch);
  const all = epochBatches(N, batch, data.header.surrogates, seed, Math.floor(step / each));
  return all[step % each] ?? all[0];
}

/**
 * One step on a batch.
 * @param {Trainer} trainer @param {Settings} settings @param {Batch} [batch]
 */
export function takeStep(trainer, settings, batch = batchOf(trainer.data, trainer.steps)) {
  const { data, net, memory, centers } = trainer, { index, view } = batch, B = index.length;
  const { counts, pids, camids } = data.header, [N] = counts, images = pids.length;
  const rows = [...index, ...index.map((i, b) => images + view[b] * N + i)];
  const pass = trainingPass(net, pooledRows(data, settings.statistics, rows));
  const e = embeddings(net, pass.features), half = B * net.E, width = net.P * net.D;
  const middle = Float32Array.from({ length: half }, (_, i) => (e[i] + e[half + i]) / 2);
  const x = pass.features.subarray(0, B * width);
  update(memory, index, x, settings.momentum); // before the loss, as in the library
  update(centers, index, middle, settings.momentum);
  const own = new Float32Array(half);
  index.forEach((i, b) => own.set(centers.values.subarray(i * net.E, (i + 1) * net.E), b * net.E));
  const patches = pedal(x, memory.values, index, net.P, net.D, pedalOptions(settings, camids));
  const whole = ipfl(e, own, net.E, ipflOptions(settings, data));
  const ofFeatures = new Float32Array(2 * B * width);
  for (let i = 0; i < B * width; i++) ofFeatures[i] = settings.pedalWeight * patches.gradient[i];
  const ofEmbeddings = whole.gradient.map((slope) => settings.ipflWeight * slope);
  descend(trainer, gradients(net, pass, ofFeatures, ofEmbeddings), settings.rate);
  trainer.steps++;
  const wrong = falseNegatives(whole.ranking.negatives, index.map((i) => pids[i]));
  trainer.last = { pedal: patches.value, ipfl: whole.value, falseNegatives: wrong };
  return { pedal: patches.value, ipfl: whole.value };
}

/** @param {Settings} settings @param {number[]} camids of the training images */
export function pedalOptions({ scale, k, broken }, camids) {
  const kept = broken === "own", alike = broken === "cameras" ? camids : undefined;
  return { scale, k, ownKept: kept, push: broken !== "push", alike };
}

/** @param {Settings} settings @param {Data} data */
export function ipflOptions({ margin, r, negative, broken }, data) {
  const { max_candidates } = data.header.settings.preset; // a list of the center alone vetoes nobody
  return { margin, nearest: negative === "cyclic" ? r + 1 : 1, maxCandidates: max_candidates, push: broken !== "push" };
}

/** SGD with momentum and weight decay, as torch does it. @param {Trainer} trainer @param {Record<string, Float32Array>} found @param {number} rate */
function descend({ data, net, speed }, found, rate) {
  const { momentum, weight_decay } = data.header.settings.preset;
  for (const name of PARAMETERS) {
    const values = net.learned[name], slope = found[name];
    for (let i = 0; i < values.length; i++) slope[i] += weight_decay * values[i];
    const moved = speed[name] ?? (speed[name] = slope);
    if (moved !== slope) for (let i = 0; i < moved.length; i++) moved[i] = momentum * moved[i] + slope[i];
    for (let i = 0; i < values.length; i++) values[i] -= rate * moved[i];
  }
}

/** Features (M, P, D) of all images without surrogates. @param {Trainer} trainer @param {Settings} settings */
export function allFeatures(trainer, { statistics, cameraMean }) {
  const { data, net, steps } = trainer, { pids, camids, counts } = data.header, key = `${steps} ${statistics} ${cameraMean}`;
  if (trainer.all?.key === key) return trainer.all;
  const x = features(net, pooledRows(data, statistics, pids.map((/** @type {unknown} */ _, /** @type {number} */ i) => i)));
  const means = cameraMean ? subtractCameraMean(x, net.P * net.D, camids, counts[0]) : null;
  trainer.all = { key, x, means };
  return trainer.all;
}

/** A row of the curves. @param {Trainer} trainer @param {Settings} settings */
export function measure(trainer, settings) {
  const { data, net, memory, steps, last } = trainer, { pids, counts } = data.header;
  const { rank1, map } = scores(allFeatures(trainer, settings).x, net.P * net.D, data);
  const same = samePerson(memory.values, net.P, net.D, pids.slice(0, counts[0]), settings.k);
  return { step: steps, rank1, map, same, ...last };
}
