// The data file as arrays, and the few operations on rows of numbers that everything else is made of.

/**
 * What the page knows: the header of the data file, and its arrays by name.
 * @typedef {object} Data
 * @property {any} header settings, labels, looks; see book/explorer/data.py
 * @property {(name: string, statistics?: string) => Float32Array} of a tensor; with the running statistics of one domain
 * @property {(name: string) => Uint8Array} bytes an array of bytes
 */

/**
 * Find the arrays in the bytes of the data file.
 * @param {any} header its ``arrays`` say name, type, shape and first byte of each
 * @param {ArrayBuffer} buffer
 * @returns {Data}
 */
export function readData(header, buffer) {
  const kinds = { float32: Float32Array, uint8: Uint8Array };
  /** @type {Map<string, any>} */
  const arrays = new Map();
  for (const { name, type, shape, first } of header.arrays) {
    const length = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
    arrays.set(name, new kinds[/** @type {"float32"} */ (type)](buffer, first, length));
  }
  const found = (/** @type {string} */ name) => {
    if (!arrays.has(name)) throw new Error(`the data file has no array ${name}`);
    return arrays.get(name);
  };
  const of = (/** @type {string} */ name, statistics = "source") =>
    found(arrays.has(`${statistics}.${name}`) ? `${statistics}.${name}` : `source.${name}`);
  return { header, of, bytes: found };
}

/**
 * The pooled vectors of some images, (rows, P, C) one after the other: unit of the channel times byte.
 * @param {Data} data
 * @param {string} statistics whose batch-norm statistics the backbone had, "source" or "target"
 * @param {ArrayLike<number>} rows
 */
export function pooledRows(data, statistics, rows) {
  const bytes = data.bytes(`${statistics}.pooled`), unit = data.of("unit", statistics);
  const { patches, channels } = data.header.settings.network, width = patches * channels;
  const out = new Float32Array(rows.length * width);
  for (let b = 0; b < rows.length; b++) {
    for (let i = 0; i < width; i++) out[b * width + i] = bytes[rows[b] * width + i] * unit[i % channels];
  }
  return out;
}

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
