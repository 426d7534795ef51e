// The data file as arrays.

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
