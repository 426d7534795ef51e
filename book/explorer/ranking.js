// The evaluator: rank the gallery for every query, leave out what the protocol leaves out, and score.

import { dot, unitRows } from "../paulbook/scripts/shared/rows.js";

/** @typedef {import("./arrays.js").Data} Data */

/**
 * Features (M, P, D) less the mean of their camera over the training images, which come first; in place.
 * @param {Float32Array} x @param {number} width P D @param {number[]} cameras of all images @param {number} train how many
 */
export function subtractCameraMean(x, width, cameras, train) {
  /** @type {Map<number, {count: number, sum: Float64Array}>} */
  const means = cameraSums(x, width, cameras.slice(0, train));
  cameras.forEach((camera, m) => {
    const { count, sum } = means.get(camera) ?? { count: 1, sum: new Float64Array(width) };
    for (let i = 0; i < width; i++) x[m * width + i] -= sum[i] / count;
  });
  return means;
}

/** How many images each camera took, and the sum of their features. @param {Float32Array} x @param {number} width @param {number[]} cameras */
function cameraSums(x, width, cameras) {
  const sums = new Map();
  cameras.forEach((camera, m) => {
    if (!sums.has(camera)) sums.set(camera, { count: 0, sum: new Float64Array(width) });
    const one = sums.get(camera);
    one.count++;
    for (let i = 0; i < width; i++) one.sum[i] += x[m * width + i];
  });
  return sums;
}

/**
 * One query's ranked gallery: what is left out (junk, and the same person by the same camera) has no rank.
 * @param {Float32Array} x unit rows of all images @param {Float32Array} query one unit row @param {number} width P D
 * @param {Data} data @param {{pid: number | null, camid: number | null, own?: number}} asked labels of the query, if there are any
 * @returns {{place: number, similarity: number, right: boolean}[]} best first; ``place`` counts all images of the file
 */
export function rankedGallery(x, query, width, { header }, { pid, camid, own = -1 }) {
  const { pids, camids, counts } = header, first = counts[0] + counts[1], found = [];
  for (let place = first; place < pids.length; place++) {
    const same = pids[place] === pid;
    if (pids[place] === -1 || (same && camids[place] === camid) || place === own) continue;
    found.push({ place, similarity: dot(x, place * width, query, 0, width), right: same });
  }
  return found.sort((a, b) => b.similarity - a.similarity || a.place - b.place);
}

/** Average precision (step) from the ascending ranks of the matches. @param {number[]} ranks from 1 */
export function averagePrecision(ranks) {
  return ranks.reduce((sum, rank, i) => sum + (i + 1) / rank / ranks.length, 0);
}

/**
 * Rank-1 and mAP (step) over all queries that have a match, in 0..1.
 * @param {Float32Array} x features (M, P, D) of all images @param {number} width P D @param {Data} data
 */
export function scores(x, width, data) {
  const { pids, camids, counts } = data.header, unit = unitRows(x, width);
  let rank1 = 0, map = 0, queries = 0;
  for (let q = counts[0]; q < counts[0] + counts[1]; q++) {
    const list = rankedGallery(unit, unit.subarray(q * width, (q + 1) * width), width, data, { pid: pids[q], camid: camids[q] });
    const ranks = list.flatMap(({ right }, i) => (right ? [i + 1] : []));
    if (!ranks.length) continue;
    queries++;
    rank1 += Number(ranks[0] === 1);
    map += averagePrecision(ranks);
  }
  return { rank1: rank1 / queries, map: map / queries, queries };
}
