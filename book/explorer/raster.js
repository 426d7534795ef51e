// Drawing with whole numbers, pixel for pixel as paullite.data.paperdolls.raster does it.

export const HEIGHT = 2048, WIDTH = 1024; // a scene in units
export const SUPER = 2; // canvas pixels per picture pixel, each way
const TURN = 96; // steps of a full turn

/** @typedef {[number, number]} Point */
/** @typedef {(x: number, y: number) => boolean} Test of a point in units */
/** What a shape is filled with. @typedef {{colour: number[], second?: number[], pattern?: Test, depth?: number}} Brush */
/** Red, green and blue of every pixel. @typedef {{pixels: Uint8Array, rows: number, columns: number, ys: number[], xs: number[]}} Canvas */

/** Division that rounds down, as Python's. @param {number} a @param {number} b */
export const floored = (a, b) => Math.floor(a / b);

/** 256 times the sine of step / 96 of a turn, by Bhaskara's fraction. @param {number} step */
export function wave(step) {
  const half = TURN / 2, at = ((step % half) + half) % half, product = at * (half - at);
  const value = floored(256 * 16 * product, 5 * half * half - 4 * product);
  return Math.abs(floored(step, half)) % 2 ? -value : value;
}

/** The colour at so many per cent of its brightness. @param {number[]} colour @param {number} percent */
export const darker = (colour, percent) => colour.map((channel) => Math.min(255, floored(channel * percent, 100)));

/** The same brush, darker. @param {Brush} brush @param {number} percent @returns {Brush} */
export const dimmed = (brush, percent) =>
  ({ ...brush, colour: darker(brush.colour, percent), second: brush.second && darker(brush.second, percent) });

/** Pixels to draw on, with the middle of every row and column in units. @param {Uint8Array} pixels @param {number} rows @param {number} columns @returns {Canvas} */
export function makeCanvas(pixels, rows, columns) {
  const middles = (/** @type {number} */ n, /** @type {number} */ units) => Array.from({ length: n }, (_, i) => floored((2 * i + 1) * units, 2 * n));
  return { pixels, rows, columns, ys: middles(rows, HEIGHT), xs: middles(columns, WIDTH) };
}

/** The first place whose value is not below. @param {number[]} values ascending @param {number} least */
function firstFrom(values, least) {
  const found = values.findIndex((value) => value >= least);
  return found < 0 ? values.length : found;
}

/**
 * Fill what is inside, darker where it is shaded.
 * @param {Canvas} canvas @param {number[]} box left, top, right, bottom @param {Test} inside @param {Test} shaded @param {Brush} brush
 */
function fill({ pixels, columns, ys, xs }, [left, top, right, bottom], inside, shaded, { colour, second = colour, pattern, depth = 80 }) {
  const light = [colour, second], dark = light.map((one) => darker(one, depth));
  const [firstRow, lastRow] = [firstFrom(ys, top), firstFrom(ys, bottom)], [first, last] = [firstFrom(xs, left), firstFrom(xs, right)];
  for (let row = firstRow; row < lastRow; row++) {
    for (let column = first; column < last; column++) {
      const x = xs[column], y = ys[row];
      if (inside(x, y)) pixels.set((shaded(x, y) ? dark : light)[pattern?.(x, y) ? 1 : 0], 3 * (row * columns + column));
    }
  }
}

/** An ellipse with the given half axes. @param {Canvas} canvas @param {Point} middle @param {number} across @param {number} down @param {Brush} brush */
export function ellipse(canvas, [x0, y0], across, down, brush) {
  const a = Math.max(across, 1), b = Math.max(down, 1);
  const inside = (/** @type {number} */ x, /** @type {number} */ y) => ((x - x0) * b) ** 2 + ((y - y0) * a) ** 2 <= (a * b) ** 2;
  fill(canvas, [x0 - a, y0 - b, x0 + a + 1, y0 + b + 1], inside, (x, y) => (x - x0) * 5 + (y - y0) > a * 2, brush);
}

/** A convex polygon. @param {Canvas} canvas @param {Point[]} points in order @param {Brush} brush */
export function polygon(canvas, points, brush) {
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y), sides = points.map((p, i) => [p, points[(i + 1) % points.length]]);
  const turn = sides.reduce((sum, [[a, b], [c, d]]) => sum + a * d - c * b, 0) >= 0 ? 1 : -1;
  const left = Math.min(...xs), right = Math.max(...xs), shade = floored(left * 22 + right * 78, 100);
  const inside = (/** @type {number} */ x, /** @type {number} */ y) =>
    sides.every(([[a, b], [c, d]]) => turn * ((c - a) * (y - b) - (d - b) * (x - a)) >= 0);
  fill(canvas, [left, Math.min(...ys), right + 1, Math.max(...ys) + 1], inside, (x) => x > shade, brush);
}

/** A rounded bar whose half width goes from first to last. @param {Canvas} canvas @param {Point} start @param {Point} end @param {number} first @param {number} last @param {Brush} brush */
export function limb(canvas, [x0, y0], [x1, y1], first, last, brush) {
  const dx = x1 - x0, dy = y1 - y0, wide = Math.max(first, last), square = Math.max(dx * dx + dy * dy, 1);
  const length = Math.floor(Math.sqrt(square)), sign = dy >= 0 ? 1 : -1;
  const inside = (/** @type {number} */ x, /** @type {number} */ y) => {
    const u = x - x0, v = y - y0, along = u * dx + v * dy;
    const near = Math.abs(u * dy - v * dx) * length <= first * square + (last - first) * along;
    return (near && along >= 0 && along <= square) || u * u + v * v <= first * first || (x - x1) ** 2 + (y - y1) ** 2 <= last * last;
  };
  const shaded = (/** @type {number} */ x, /** @type {number} */ y) => sign * ((x - x0) * dy - (y - y0) * dx) * 5 > 2 * wide * length;
  const box = [Math.min(x0, x1) - wide, Math.min(y0, y1) - wide, Math.max(x0, x1) + wide + 1, Math.max(y0, y1) + wide + 1];
  fill(canvas, box, inside, shaded, brush);
}
