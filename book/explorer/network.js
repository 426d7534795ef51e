// The backbone, test_resnet of timm with stride 16: an image becomes a map of 96 channels, 8 rows and 4 columns.

/** @typedef {import("./arrays.js").Data} Data */
/**
 * Channels of height x width numbers, one channel after the other.
 * @typedef {{values: Float32Array, channels: number, height: number, width: number}} FeatureMap
 */

const EPSILON = 1e-5; // of torch's batch normalisation

/**
 * A convolution with a square kernel, padded by zeros to keep the size.
 * @param {FeatureMap} map @param {Float32Array} weight (outputs, channels, kernel, kernel)
 * @param {number} outputs @param {number} stride
 * @returns {FeatureMap}
 */
export function convolve(map, weight, outputs, stride) {
  const { values, channels, height, width } = map;
  const kernel = Math.round(Math.sqrt(weight.length / outputs / channels)), pad = (kernel - 1) / 2;
  const rows = Math.floor((height - 1) / stride) + 1, columns = Math.floor((width - 1) / stride) + 1;
  const out = new Float32Array(outputs * rows * columns), sum = new Float64Array(rows * columns);
  for (let o = 0; o < outputs; o++) {
    sum.fill(0);
    for (let c = 0, w = o * channels * kernel * kernel; c < channels; c++) {
      for (let ky = -pad; ky <= pad; ky++) {
        for (let kx = -pad; kx <= pad; kx++, w++) {
          const factor = weight[w];
          const first = kx < 0 ? Math.ceil(-kx / stride) : 0; // columns whose neighbour at kx lies inside
          const last = Math.min(columns, Math.floor((width - 1 - kx) / stride) + 1);
          for (let y = 0; y < rows; y++) {
            const from = y * stride + ky;
            if (from < 0 || from >= height) continue;
            const row = (c * height + from) * width + kx, to = y * columns;
            for (let x = first; x < last; x++) sum[to + x] += factor * values[row + x * stride];
          }
        }
      }
    }
    out.set(sum, o * rows * columns);
  }
  return { values: out, channels: outputs, height: rows, width: columns };
}

/**
 * Batch normalisation with running statistics, in place: gain (x - mean) / sqrt(variance + epsilon) + shift.
 * @param {FeatureMap} map @param {(name: string) => Float32Array} of tensor of the layer by the end of its name
 */
export function normalise(map, of) {
  const [gain, shift, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(of);
  const cells = map.height * map.width;
  for (let c = 0; c < map.channels; c++) {
    const factor = gain[c] / Math.sqrt(variance[c] + EPSILON), offset = shift[c] - mean[c] * factor;
    for (let i = c * cells; i < (c + 1) * cells; i++) map.values[i] = map.values[i] * factor + offset;
  }
  return map;
}

/** Negative numbers become 0, in place. @param {FeatureMap} map */
function rectify(map) {
  for (let i = 0; i < map.values.length; i++) if (map.values[i] < 0) map.values[i] = 0;
  return map;
}

/**
 * The largest of 3 x 3 neighbours at every second cell (border left out), or the mean of 2 x 2.
 * @param {FeatureMap} map @param {"max" | "mean"} kind
 * @returns {FeatureMap}
 */
export function pool(map, kind) {
  const { values, channels, height, width } = map, rows = Math.ceil(height / 2), columns = Math.ceil(width / 2);
  const out = new Float32Array(channels * rows * columns), first = kind === "max" ? -1 : 0;
  for (let c = 0, i = 0; c < channels; c++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++, i++) {
        let sum = 0, top = -Infinity;
        for (let v = Math.max(2 * y + first, 0); v <= Math.min(2 * y + 1, height - 1); v++) {
          for (let u = Math.max(2 * x + first, 0); u <= Math.min(2 * x + 1, width - 1); u++) {
            const value = values[(c * height + v) * width + u];
            sum += value;
            if (value > top) top = value;
          }
        }
        out[i] = kind === "max" ? top : sum / 4;
      }
    }
  }
  return { values: out, channels, height: rows, width: columns };
}

/**
 * The backbone: normalised pixels (3, height, width) to the feature map.
 * @param {Data} data @param {string} statistics whose running statistics are used @param {FeatureMap} image
 * @returns {FeatureMap}
 */
export function backbone(data, statistics, image) {
  const of = (/** @type {string} */ name) => data.of(name, statistics);
  const layer = (/** @type {FeatureMap} */ map, /** @type {string} */ conv, /** @type {string} */ norm, stride = 1) => {
    const outputs = of(`${norm}.weight`).length;
    return normalise(convolve(map, of(`${conv}.weight`), outputs, stride), (end) => of(`${norm}.${end}`));
  };
  /** A residual block: some layers beside a short cut, then their sum. */
  const block = (/** @type {FeatureMap} */ map, /** @type {string} */ name, /** @type {number[]} */ strides, cut = true) => {
    let path = map;
    strides.forEach((stride, i) => {
      path = layer(path, `${name}.conv${i + 1}`, `${name}.bn${i + 1}`, stride);
      if (i < strides.length - 1) rectify(path);
    });
    const smaller = strides.includes(2) ? pool(map, "mean") : map;
    const short = cut ? layer(smaller, `${name}.downsample.1`, `${name}.downsample.2`) : smaller;
    for (let i = 0; i < path.values.length; i++) path.values[i] += short.values[i];
    return rectify(path);
  };
  let map = rectify(layer(image, "conv1.0", "conv1.1", 2));
  map = rectify(layer(map, "conv1.3", "conv1.4"));
  map = pool(rectify(layer(map, "conv1.6", "bn1")), "max");
  map = block(map, "layer1.0", [1, 1], false);
  map = block(map, "layer2.0", [2, 1]);
  map = block(map, "layer3.0", [1, 2, 1]);
  return block(map, "layer4.0", [1, 1]);
}

/**
 * Bytes of red, green, blue and alpha as normalised planes.
 * @param {Data} data @param {ArrayLike<number>} rgba (height, width, 4)
 * @returns {FeatureMap}
 */
export function imageMap(data, rgba) {
  const { normalisation, network } = data.header.settings, [mean, deviation] = normalisation;
  const [height, width] = network.size, cells = height * width, values = new Float32Array(3 * cells);
  for (let i = 0; i < cells; i++) {
    for (let c = 0; c < 3; c++) values[c * cells + i] = (rgba[4 * i + c] / 255 - mean[c]) / deviation[c];
  }
  return { values, channels: 3, height, width };
}
