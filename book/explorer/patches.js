// Where the patches are: the generator's theta, the attention map of each patch, and the average under it.

/** @typedef {import("./arrays.js").Data} Data */
/** @typedef {import("./network.js").FeatureMap} FeatureMap */

/**
 * The light patch generator: columns averaged, a convolution along the rows, a linear layer.
 * @param {Data} data @param {FeatureMap} map
 * @returns {Float32Array} theta (P, 2, 3)
 */
export function generate(data, map) {
  const [kernel, first, weight, bias] = ["conv.weight", "conv.bias", "linear.weight", "linear.bias"]
    .map((name) => data.of(`generator.${name}`));
  const { channels, height, width, values } = map, hidden = first.length, seen = new Float64Array(hidden * height);
  const column = new Float64Array(channels * height);
  for (let i = 0; i < channels * height; i++) {
    for (let x = 0; x < width; x++) column[i] += values[i * width + x] / width;
  }
  for (let o = 0; o < hidden; o++) {
    for (let y = 0; y < height; y++) {
      let sum = first[o];
      for (let c = 0; c < channels; c++) {
        for (let k = Math.max(0, 1 - y); k < Math.min(3, height + 1 - y); k++) {
          sum += kernel[(o * channels + c) * 3 + k] * column[c * height + y + k - 1];
        }
      }
      seen[o * height + y] = Math.max(0, sum);
    }
  }
  return Float32Array.from(bias, (start, j) => seen.reduce((sum, v, i) => sum + weight[j * seen.length + i] * v, start));
}

/** The bilinear weight of a cell at this distance. @param {number} t */
const tent = (t) => Math.max(0, 1 - Math.abs(t));

/**
 * The weight of every cell of a map in one patch: paullite.models.patch_attention with align_corners.
 * @param {ArrayLike<number>} theta (P, 2, 3) @param {number} patch @param {number} height @param {number} width
 */
export function attention(theta, patch, height, width) {
  const out = new Float64Array(height * width), t = Array.from({ length: 6 }, (_, i) => theta[patch * 6 + i]);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const u = (2 * j) / (width - 1) - 1, v = (2 * i) / (height - 1) - 1;
      const x = ((t[0] * u + t[1] * v + t[2] + 1) / 2) * (width - 1);
      const y = ((t[3] * u + t[4] * v + t[5] + 1) / 2) * (height - 1);
      for (let h = Math.max(0, Math.floor(y)); h <= Math.min(height - 1, Math.floor(y) + 1); h++) {
        for (let w = Math.max(0, Math.floor(x)); w <= Math.min(width - 1, Math.floor(x) + 1); w++) {
          out[h * width + w] += (tent(y - h) * tent(x - w)) / (height * width);
        }
      }
    }
  }
  return out;
}

/**
 * The average of the map under each patch: (P, C) one after the other.
 * @param {FeatureMap} map @param {ArrayLike<number>[]} maps the attention of each patch
 */
export function poolPatches(map, maps) {
  const { channels, values } = map, cells = map.height * map.width, out = new Float32Array(maps.length * channels);
  maps.forEach((weight, p) => {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let i = 0; i < cells; i++) sum += weight[i] * values[c * cells + i];
      out[p * channels + c] = sum;
    }
  });
  return out;
}

/**
 * The corners of a patch in shares of the image's width and height, in the order of a walk around it.
 * @param {ArrayLike<number>} theta (P, 2, 3) @param {number} patch @param {number} height @param {number} width of the map
 * @returns {[number, number][]}
 */
export function corners(theta, patch, height, width) {
  const t = Array.from({ length: 6 }, (_, i) => theta[patch * 6 + i]);
  // the middle of the first cell lies half a cell inside the image; a patch reaches to the edges of its outer cells
  const share = (/** @type {number} */ at, /** @type {number} */ cells) => (((at + 1) / 2) * (cells - 1) + 0.5) / cells;
  const U = width / (width - 1), V = height / (height - 1);
  return [[-U, -V], [U, -V], [U, V], [-U, V]].map(([u, v]) =>
    [share(t[0] * u + t[1] * v + t[2], width), share(t[3] * u + t[4] * v + t[5], height)]);
}
