// What the losses do with right and wrong people, held against labels that they never see. For display only.

import { neighbours, squares } from "../paulbook/scripts/shared/neighbours.js";

/**
 * Share of PEDAL's K nearest entries that are the same person, over some images spread through the memory.
 * @param {Float32Array} memory (N, P, D) @param {number} P @param {number} D @param {number[]} pids @param {number} k @param {number} sample images
 */
export function samePerson(memory, P, D, pids, k, sample = 60) {
  const N = memory.length / P / D, count = Math.min(sample, N), lengths = squares(memory, D);
  let right = 0;
  for (let s = 0; s < count; s++) {
    const i = Math.round((s * (N - 1)) / Math.max(1, count - 1));
    for (let p = 0; p < P; p++) {
      const { near } = neighbours(memory, (i * P + p) * D, memory, lengths, p, P, D, i, { scale: 1, k });
      for (let j = 0; j < N; j++) if (near[j] && pids[j] === pids[i]) right++;
    }
  }
  return right / (count * P * k);
}

/**
 * Share of the anchors whose hard negative is the same person.
 * @param {number[]} negatives place in the batch, or -1 @param {number[]} pids of the batch
 */
export function falseNegatives(negatives, pids) {
  const wrong = negatives.filter((j, a) => j >= 0 && pids[j] === pids[a % pids.length]);
  return wrong.length / negatives.length;
}
