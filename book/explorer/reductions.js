// The part of the network that learns in the page: for each patch a linear layer and batch normalisation, then length 1.

import { dot, unitRows } from "../paulbook/scripts/shared/rows.js";

/** @typedef {import("./arrays.js").Data} Data */
/**
 * @typedef {object} Reductions
 * @property {number} P @property {number} C @property {number} D @property {number} E patches, channels, sizes
 * @property {{weight: Float32Array, bias: Float32Array, gain: Float32Array, shift: Float32Array}} learned
 * @property {Float32Array} mean @property {Float32Array} variance running statistics, (P, D)
 * @property {Float32Array} rows frozen rows of the embedding, of length 1: (P, E / P, D)
 */
/**
 * What the way back needs: features, and the numbers on the way to them, (B, P, D) each.
 * @typedef {{features: Float32Array, scaled: Float32Array, lengths: Float32Array, deviation: Float32Array, pooled: Float32Array}} Pass
 */

const EPSILON = 1e-5, MOMENTUM = 0.1; // of torch's batch normalisation

/** The reductions as they were after phase 1. @param {Data} data @param {string} statistics @returns {Reductions} */
export function makeReductions(data, statistics) {
  const { patches: P, channels: C, feature_dim: D, embedding_dim } = data.header.settings.network;
  const copy = (/** @type {string} */ name) => Float32Array.from(data.of(name, statistics));
  const learned = { weight: copy("reduction.weight"), bias: copy("reduction.bias"), gain: copy("norm.weight"), shift: copy("norm.bias") };
  const rows = unitRows(data.of("embedding.weight"), D);
  return { P, C, D, E: P * embedding_dim, learned, mean: copy("norm.running_mean"), variance: copy("norm.running_var"), rows };
}

/** The linear layers: (B, P, C) to (B, P, D). @param {Reductions} net @param {Float32Array} pooled */
function reduced({ P, C, D, learned }, pooled) {
  const B = pooled.length / P / C, out = new Float32Array(B * P * D);
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < P * D; i++) {
      const p = Math.floor(i / D);
      out[b * P * D + i] = dot(learned.weight, i * C, pooled, (b * P + p) * C, C) + learned.bias[i];
    }
  }
  return out;
}

/** Features (B, P, D) with the running statistics. @param {Reductions} net @param {Float32Array} pooled (B, P, C) */
export function features(net, pooled) {
  const { P, D, learned, mean, variance } = net, z = reduced(net, pooled), width = P * D;
  for (let i = 0; i < z.length; i++) {
    const j = i % width;
    z[i] = ((z[i] - mean[j]) / Math.sqrt(variance[j] + EPSILON)) * learned.gain[j] + learned.shift[j];
  }
  return unitRows(z, D);
}

/**
 * Features with the statistics of the batch; the running statistics move.
 * @param {Reductions} net @param {Float32Array} pooled (B, P, C)
 * @returns {Pass}
 */
export function trainingPass(net, pooled) {
  const { P, D, learned } = net, width = P * D, scaled = reduced(net, pooled), B = scaled.length / width;
  const deviation = new Float32Array(width), y = new Float32Array(scaled.length);
  for (let j = 0; j < width; j++) {
    let mean = 0, variance = 0;
    for (let i = j; i < scaled.length; i += width) mean += scaled[i] / B;
    for (let i = j; i < scaled.length; i += width) variance += (scaled[i] - mean) ** 2 / B;
    net.mean[j] = (1 - MOMENTUM) * net.mean[j] + MOMENTUM * mean;
    net.variance[j] = (1 - MOMENTUM) * net.variance[j] + (MOMENTUM * variance * B) / (B - 1);
    deviation[j] = Math.sqrt(variance + EPSILON);
    for (let i = j; i < scaled.length; i += width) {
      scaled[i] = (scaled[i] - mean) / deviation[j];
      y[i] = scaled[i] * learned.gain[j] + learned.shift[j];
    }
  }
  const lengths = new Float32Array(B * P);
  for (let r = 0; r < B * P; r++) lengths[r] = Math.max(Math.sqrt(dot(y, r * D, y, r * D, D)), 1e-12);
  return { features: unitRows(y, D), scaled, lengths, deviation, pooled };
}

/** Cosines with the frozen rows: features (B, P, D) to embeddings (B, E). @param {Reductions} net @param {Float32Array} x */
export function embeddings({ P, D, E, rows }, x) {
  const B = x.length / P / D, each = E / P, out = new Float32Array(B * E);
  for (let b = 0; b < B; b++) {
    for (let e = 0; e < E; e++) out[b * E + e] = dot(x, (b * P + Math.floor(e / each)) * D, rows, e * D, D);
  }
  return out;
}

/**
 * From the gradients of a loss with respect to features and embeddings to those of everything that learns.
 * @param {Reductions} net @param {Pass} pass
 * @param {Float32Array} ofFeatures (B, P, D), changed in place @param {Float32Array} ofEmbeddings (B, E)
 */
export function gradients(net, pass, ofFeatures, ofEmbeddings) {
  const { P, C, D, E, rows, learned } = net, width = P * D, B = ofFeatures.length / width, each = E / P;
  for (let b = 0; b < B; b++) {
    for (let e = 0; e < E; e++) {
      const slope = ofEmbeddings[b * E + e], to = (b * P + Math.floor(e / each)) * D;
      if (slope) for (let d = 0; d < D; d++) ofFeatures[to + d] += slope * rows[e * D + d];
    }
  }
  for (let r = 0; r < B * P; r++) { // through the division by the length
    const along = dot(ofFeatures, r * D, pass.features, r * D, D);
    for (let i = r * D; i < (r + 1) * D; i++) ofFeatures[i] = (ofFeatures[i] - along * pass.features[i]) / pass.lengths[r];
  }
  const found = { weight: new Float32Array(learned.weight.length), bias: new Float32Array(width),
    gain: new Float32Array(width), shift: new Float32Array(width) };
  const sums = found.shift, products = found.gain;
  for (let i = 0; i < ofFeatures.length; i++) { // through the batch normalisation
    sums[i % width] += ofFeatures[i];
    products[i % width] += ofFeatures[i] * pass.scaled[i];
  }
  for (let i = 0; i < ofFeatures.length; i++) {
    const j = i % width, factor = learned.gain[j] / pass.deviation[j];
    const slope = factor * (ofFeatures[i] - sums[j] / B - (pass.scaled[i] * products[j]) / B);
    found.bias[j] += slope;
    for (let c = 0, from = Math.floor(i / D) * C, to = j * C; c < C; c++) found.weight[to + c] += slope * pass.pooled[from + c];
  }
  return found;
}
