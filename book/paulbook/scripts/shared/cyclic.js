// Cyclic ranking: which center of the batch is a hard negative of a view, and which is the same person after all.

import { distance, orderOf } from "./rows.js";

/**
 * The candidates of every anchor, nearest first; whether each is vetoed, because its own list contains the anchor's
 * center; and the first that is not, or -1.
 * @param {ArrayLike<number>} e anchors (A, E) @param {ArrayLike<number>} centers (B, E) @param {number[]} owner of each anchor
 * @param {number} E @param {number} nearest size of a center's list, itself counted @param {number} maxCandidates
 */
export function cyclicRanking(e, centers, owner, E, nearest, maxCandidates) {
  const B = centers.length / E, places = Array.from({ length: B }, (_, j) => j);
  const lists = places.map((j) => {
    const away = places.map((i) => (i === j ? -1 : distance(centers, j * E, centers, i * E, E)));
    return new Set(orderOf(away).slice(0, nearest));
  });
  const candidates = owner.map((own, a) => {
    const away = places.map((j) => (j === own ? Infinity : distance(e, a * E, centers, j * E, E)));
    return orderOf(away).slice(0, Math.min(maxCandidates, B - 1));
  });
  const vetoed = candidates.map((order, a) => order.map((j) => lists[j].has(owner[a])));
  const negatives = vetoed.map((flags, a) => (flags.includes(false) ? candidates[a][flags.indexOf(false)] : -1));
  return { candidates, vetoed, negatives, lists };
}
