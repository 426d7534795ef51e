// What a camera makes of a sharp picture, as paullite.data.paperdolls.cameras does it, but without the grain.

import { floored, HEIGHT, makeCanvas, SUPER, WIDTH } from "./raster.js";
import { drawPerson } from "./doll.js";

/**
 * The numbers of a camera, as the header of the data file has them.
 * @typedef {{saturation: number, brightness: number, gamma: number, haze: number, gradient: number, blur: number, tilt: number,
 *   lean: number, stretch: number, tightness: number, tint: number[]}} Camera
 */

/** A camera that changes nothing. @type {Camera} */
export const PLAIN = { saturation: 0, brightness: 0, gamma: 0, haze: 0, gradient: 0, blur: 0, tilt: 0, lean: 0, stretch: 0, tightness: 0, tint: [0, 0, 0] };
const PAPER = [232, 230, 222];

/** Means of 2 x 2 pixels. @param {Uint8Array} pixels (2 rows, 2 columns, 3) @param {number} rows @param {number} columns */
function reduced(pixels, rows, columns) {
  const out = new Uint8Array(3 * rows * columns), wide = 3 * SUPER * columns;
  for (let i = 0; i < out.length; i++) {
    const row = Math.floor(i / 3 / columns), first = SUPER * row * wide + 3 * SUPER * (Math.floor(i / 3) % columns) + (i % 3);
    out[i] = (pixels[first] + pixels[first + 3] + pixels[first + wide] + pixels[first + wide + 3] + 2) >> 2;
  }
  return out;
}

/** Mix a picture with its 3 x 3 mean; the border repeats its last pixel. @param {ArrayLike<number>} values @param {number} rows @param {number} columns @param {number} sixteenths */
function blurred(values, rows, columns, sixteenths) {
  const at = (/** @type {number} */ y, /** @type {number} */ x, /** @type {number} */ c) =>
    values[3 * (Math.min(Math.max(y, 0), rows - 1) * columns + Math.min(Math.max(x, 0), columns - 1)) + c];
  return Int32Array.from(values, (value, i) => {
    const pixel = Math.floor(i / 3), y = Math.floor(pixel / columns), x = pixel % columns;
    let sum = 0;
    for (let v = -1; v <= 1; v++) for (let u = -1; u <= 1; u++) sum += at(y + v, x + u, i % 3);
    return floored(value * (16 - sixteenths) + floored(sum, 9) * sixteenths, 16);
  });
}

/** Saturation and colour cast as a 3 x 3 matrix of 256ths. @param {Camera} camera */
function colourMatrix({ saturation, brightness, tint }) {
  const keep = floored(256 * (100 + saturation), 100), gains = tint.map((one) => floored((100 + brightness) * (25600 + one), 10000));
  return [77, 150, 29].map((grey, i) => gains.map((gain, j) => floored((floored(grey * (256 - keep), 256) + (i === j ? keep : 0)) * gain, 256)));
}

/** Table of 256 grey levels: gamma, then haze. @param {Camera} camera */
function toneTable({ gamma, haze }) {
  const amount = Math.abs(gamma);
  return Array.from({ length: 256 }, (_, v) => {
    const bent = gamma > 0 ? Math.floor(Math.sqrt(v * 255)) : floored(v * v, 255);
    const tone = floored(v * (100 - amount) + bent * amount, 100);
    return floored(tone * (100 - haze) + 190 * haze, 100);
  });
}

/**
 * Blur, colours and uneven light. Pictures are 128 rows high.
 * @param {Camera} camera @param {Uint8Array} pixels (rows, columns, 3) @param {number} rows @param {number} columns
 */
export function develop(camera, pixels, rows, columns) {
  /** @type {ArrayLike<number>} */
  let values = pixels;
  for (const step of [camera.blur, camera.blur - 16]) if (step > 0) values = blurred(values, rows, columns, Math.min(step, 16));
  const matrix = colourMatrix(camera), tones = toneTable(camera), out = new Uint8ClampedArray(values.length);
  for (let pixel = 0; pixel < rows * columns; pixel++) {
    const y = 2 * Math.floor(pixel / columns) - rows, x = 2 * (pixel % columns) - columns;
    const light = 256 + floored(x * camera.gradient * 256, 100 * columns) - floored(y * camera.gradient * 128, 100 * rows);
    for (let c = 0; c < 3; c++) {
      const mixed = floored(matrix[0][c] * values[3 * pixel] + matrix[1][c] * values[3 * pixel + 1] + matrix[2][c] * values[3 * pixel + 2], 256);
      out[3 * pixel + c] = floored(tones[Math.min(255, Math.max(0, mixed))] * light, 256);
    }
  }
  return out;
}

/**
 * The picture that a camera takes of a person.
 * @param {any} look @param {import("./doll.js").Pose} pose @param {Camera} camera @param {any} palettes
 * @param {Uint8Array | null} place pixels behind at the size of the canvas (256, 128, 3), or nothing: plain paper
 */
export function photograph(look, pose, camera, palettes, place) {
  const rows = 128, columns = 64, pixels = new Uint8Array(3 * SUPER * rows * SUPER * columns);
  for (let i = 0; i < pixels.length; i++) pixels[i] = place ? place[i] : PAPER[i % 3];
  drawPerson(makeCanvas(pixels, SUPER * rows, SUPER * columns), look, pose, palettes);
  return develop(camera, reduced(pixels, rows, columns), rows, columns);
}

/**
 * How a person stands before a camera whose box sits too far to one side, too low, or too near.
 * @param {Camera} camera @param {{view: string, across: number, down: number, near: number}} box
 */
export function poseOf(camera, { view, across, down, near }) {
  const height = floored(1720 * (100 + camera.tightness + near), 100);
  return { view, phase: 12, x: WIDTH / 2 + across, y: HEIGHT / 2 + down + floored(height, 2), height,
    stretch: floored(108 * (100 + camera.stretch), 100), tilt: camera.tilt, lean: camera.lean, stride: 100 };
}
