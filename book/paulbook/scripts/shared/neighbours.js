// One feature among the entries of the memory: who is near, and the sums that PEDAL and its gradient are made of.

import { dot } from "./rows.js";

/**
 * What PEDAL may be told. The last three break it on purpose.
 * @typedef {{scale: number, k: number, ownKept?: boolean, push?: boolean, alike?: ArrayLike<number>}} PedalOptions
 */

/** log(sum(exp(values))) over the places that are marked, or over all. @param {Float64Array} values @param {Uint8Array} [marked] */
function logSumExp(values, marked) {
  let top = -Infinity, sum = 0;
  for (let j = 0; j < values.length; j++) if ((!marked || marked[j]) && values[j] > top) top = values[j];
  for (let j = 0; j < values.length; j++) if (!marked || marked[j]) sum += Math.exp(values[j] - top);
  return top + Math.log(sum);
}

/** Squared lengths of all entries, (N, P). @param {ArrayLike<number>} memory @param {number} D */
export function squares(memory, D) {
  return Float64Array.from({ length: memory.length / D }, (_, r) => dot(memory, r * D, memory, r * D, D));
}

/** Mark the k largest logits; of equal ones the first. @param {Float64Array} logits @param {number} k @param {Uint8Array} near */
function markNearest(logits, k, near) {
  const least = logits.slice().sort()[logits.length - k]; // native and without a callback: sorting places would be slower
  let left = k;
  for (let j = 0; j < logits.length; j++) if (logits[j] > least) near[j] = 1, left--;
  for (let j = 0; j < logits.length && left > 0; j++) if (logits[j] === least) near[j] = 1, left--;
}

/**
 * One feature among the entries of its patch: logits, who is near, and both sums.
 * @param {ArrayLike<number>} x @param {number} at first number of the feature in x
 * @param {ArrayLike<number>} memory (N, P, D) @param {ArrayLike<number>} lengths their squares @param {number} patch
 * @param {number} P @param {number} D @param {number} own row that is left out, or -1 @param {PedalOptions} options
 */
export function neighbours(x, at, memory, lengths, patch, P, D, own, { scale, k, ownKept = false, alike }) {
  const N = memory.length / P / D, logits = new Float64Array(N), near = new Uint8Array(N);
  for (let j = 0; j < N; j++) {
    logits[j] = scale * (2 * dot(x, at, memory, (j * P + patch) * D, D) - lengths[j * P + patch]);
  }
  if (own >= 0 && !ownKept) logits[own] = -Infinity;
  if (alike && own >= 0) { // everybody with the same label is pulled
    for (let j = 0; j < N; j++) near[j] = Number(logits[j] > -Infinity && alike[j] === alike[own]);
  } else markNearest(logits, k, near);
  return { logits, near, all: logSumExp(logits), above: logSumExp(logits, near) };
}
