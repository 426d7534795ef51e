// The few operations on rows of numbers that everything else is made of.

/**
 * Sum of products of two rows.
 * @param {ArrayLike<number>} a @param {number} i first number of the row in a
 * @param {ArrayLike<number>} b @param {number} j first number of the row in b
 * @param {number} length
 */
export function dot(a, i, b, j, length) {
  let one = 0, two = 0, three = 0, four = 0, d = 0; // four sums side by side, or each product would wait for the last
  for (; d < length - 3; d += 4) {
    one += a[i + d] * b[j + d];
    two += a[i + d + 1] * b[j + d + 1];
    three += a[i + d + 2] * b[j + d + 2];
    four += a[i + d + 3] * b[j + d + 3];
  }
  for (; d < length; d++) one += a[i + d] * b[j + d];
  return one + two + three + four;
}

/**
 * Euclidean distance of two rows.
 * @param {ArrayLike<number>} a @param {number} i @param {ArrayLike<number>} b @param {number} j @param {number} length
 */
export function distance(a, i, b, j, length) {
  let sum = 0;
  for (let d = 0; d < length; d++) {
    const apart = a[i + d] - b[j + d];
    sum += apart * apart;
  }
  return Math.sqrt(sum);
}

/**
 * Rows brought to length 1, in a new array.
 * @param {ArrayLike<number>} values @param {number} length of a row
 */
export function unitRows(values, length) {
  const out = new Float32Array(values.length);
  for (let i = 0; i < values.length; i += length) {
    const size = Math.max(Math.sqrt(dot(values, i, values, i, length)), 1e-12);
    for (let d = 0; d < length; d++) out[i + d] = values[i + d] / size;
  }
  return out;
}

/**
 * The places 0, 1, 2, ... in the order of their values, smallest first; equal values keep their order.
 * @param {ArrayLike<number>} values
 */
export function orderOf(values) {
  return Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j] || i - j);
}
