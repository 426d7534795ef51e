// The two losses of PAUL with their gradients, written out, and the ways to break them.

import { cyclicRanking } from "../paulbook/scripts/shared/cyclic.js";
import { distance, dot } from "../paulbook/scripts/shared/rows.js";
import { neighbours, squares } from "../paulbook/scripts/shared/neighbours.js";

/** @typedef {import("../paulbook/scripts/shared/neighbours.js").PedalOptions} PedalOptions */

/**
 * PEDAL: value and gradient with respect to the features (B, P, D), taken as given.
 * @param {Float32Array} x @param {Float32Array} memory (N, P, D) @param {ArrayLike<number>} index own row of each image
 * @param {number} P @param {number} D @param {PedalOptions} options
 */
export function pedal(x, memory, index, P, D, options) {
  const { scale, push = true } = options, count = index.length * P, gradient = new Float32Array(count * D);
  const lengths = squares(memory, D), sum = new Float64Array(D), factor = (2 * scale) / count;
  let value = 0;
  for (let r = 0; r < count; r++) {
    const patch = r % P, own = index[Math.floor(r / P)];
    const { logits, near, all, above } = neighbours(x, r * D, memory, lengths, patch, P, D, own, options);
    const excess = push ? all - above : scale * dot(x, r * D, x, r * D, D) - above;
    value += Math.max(0, excess) / count;
    if (push && excess < 0) continue;
    sum.fill(0);
    for (let j = 0; j < logits.length; j++) { // p_j - q_j: the pull of the near ones, the push of all
      const share = (push ? Math.exp(logits[j] - all) : 0) - (near[j] ? Math.exp(logits[j] - above) : 0);
      for (let d = 0, w = (j * P + patch) * D; d < D; d++, w++) sum[d] += share * memory[w];
    }
    for (let d = 0; d < D; d++) gradient[r * D + d] = factor * (sum[d] + (push ? 0 : x[r * D + d]));
  }
  return { value, gradient };
}

/**
 * IPFL: value, gradient with respect to the embeddings (A, E), and the ranking that found the negatives.
 * @param {Float32Array} e views of the images: all originals, then all surrogates
 * @param {Float32Array} centers (B, E) @param {number} E
 * @param {{margin: number, nearest: number, maxCandidates: number, push?: boolean}} options
 */
export function ipfl(e, centers, E, { margin, nearest, maxCandidates, push = true }) {
  const A = e.length / E, B = centers.length / E, gradient = new Float32Array(e.length);
  const owner = Array.from({ length: A }, (_, a) => a % B);
  const ranking = cyclicRanking(e, centers, owner, E, nearest, maxCandidates);
  const known = owner.map((_, a) => !push || ranking.negatives[a] >= 0);
  const count = Math.max(1, known.filter(Boolean).length);
  let value = 0;
  const towards = (/** @type {number} */ a, /** @type {number} */ c, /** @type {number} */ length, /** @type {number} */ sign) => {
    if (length) for (let i = 0; i < E; i++) gradient[a * E + i] += (sign * (e[a * E + i] - centers[c * E + i])) / length / count;
  };
  for (let a = 0; a < A; a++) {
    if (!known[a]) continue;
    const negative = ranking.negatives[a], pos = distance(e, a * E, centers, owner[a] * E, E);
    const neg = push ? distance(e, a * E, centers, negative * E, E) : 0, loss = push ? margin + pos - neg : pos;
    if (loss <= 0) continue;
    value += loss / count;
    towards(a, owner[a], pos, 1);
    if (push) towards(a, negative, neg, -1);
  }
  return { value, gradient, ranking };
}
