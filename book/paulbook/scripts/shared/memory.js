// The memory: one running mean of features for each training image.

/** @typedef {{values: Float32Array, width: number, filled: Uint8Array}} Memory */

/** An empty memory. @param {number} size N images @param {number} width numbers of an entry @returns {Memory} */
export function makeMemory(size, width) {
  return { values: new Float32Array(size * width), width, filled: new Uint8Array(size) };
}

/**
 * Average new rows in: (1 - momentum) old + momentum new. The first visit stores.
 * @param {Memory} memory @param {ArrayLike<number>} rows @param {ArrayLike<number>} fresh (rows, width) @param {number} momentum
 */
export function update({ values, width, filled }, rows, fresh, momentum) {
  for (let b = 0; b < rows.length; b++) {
    const share = filled[rows[b]] ? momentum : 1, to = rows[b] * width;
    for (let i = 0; i < width; i++) values[to + i] = (1 - share) * values[to + i] + share * fresh[b * width + i];
    filled[rows[b]] = 1;
  }
}
