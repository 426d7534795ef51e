// A drawn person, pixel for pixel as paullite.data.paperdolls.figure draws one.
import { dimmed, ellipse, floored, limb, polygon, wave } from "./raster.js";

/** @typedef {import("./raster.js").Brush} Brush @typedef {import("./raster.js").Canvas} Canvas @typedef {import("./raster.js").Point} Point */
/** @typedef {{view: string, phase: number, x: number, y: number, height: number, stretch: number, tilt: number, lean: number, stride: number}} Pose */

/** Draw a person and their shadow. @param {Canvas} canvas @param {any} look @param {Pose} pose @param {any} palettes */
export function drawPerson(canvas, look, pose, palettes) {
  const body = makeBody(canvas, look, pose, palettes), step = floored(wave(pose.phase) * pose.stride, 100);
  shadow(body);
  if (pose.view === "front" || pose.view === "back") upright(body, step, pose.view === "front");
  else sideways(body, step, pose.view === "right");
}

/** The measures and brushes of a person, and shapes in the measures of the body. @param {Canvas} canvas @param {any} look @param {Pose} pose @param {any} palettes */
function makeBody(canvas, look, pose, palettes) {
  const tall = floored(pose.height * look.height, 100), wide = floored(floored(tall * look.width, 100) * pose.stretch, 100);
  /** @type {(across: number, down: number) => Point} */
  const at = (across, down) => {
    const { tilt, lean } = pose, ahead = pose.view === "left" ? -across : across;
    const v = down + floored(tilt * down * (1000 - down), 1000000), u = floored(ahead * (1000000 + tilt * (1000 - 2 * down)), 1000000);
    return [pose.x + floored(u * wide, 1000) + floored(lean * (1000 - v), 1000), pose.y - floored((1000 - v) * tall, 1000)];
  };
  const middle = at(0, 160), period = Math.max(floored(tall * 44, 1000), 1), half = at(0, 335)[1];
  /** @type {Record<string, import("./raster.js").Test>} */
  const patterns = {
    rows: (x, y) => Math.abs(floored(y - middle[1], period)) % 2 === 1,
    columns: (x) => Math.abs(floored(x - middle[0] + floored(period, 2), period)) % 2 === 1,
    "two-tone": (x, y) => y > half,
  };
  const of = (/** @type {string} */ name, /** @type {string} */ colour) => /** @type {Brush} */ ({ colour: palettes[name][colour] ?? [0, 0, 0] });
  return {
    canvas, look, pose, tall, wide, at, hairDown: look.hair_length === "chin" || look.hair_length === "long",
    skin: of("skin", look.skin), hair: of("hair", look.hair), lower: of("lower", look.lower_colour), shoe: of("shoes", look.shoes),
    upper: { ...of("cloth", look.upper), second: palettes.cloth[look.second], pattern: patterns[look.pattern] },
    second: of("cloth", look.second), bag: of("bags", look.bag_colour),
    limb: (/** @type {Point} */ start, /** @type {Point} */ end, /** @type {number} */ first, /** @type {number} */ last, /** @type {Brush} */ brush) => {
      const [a, b] = [first, last].map((length) => floored(length * (wide + tall), 2000));
      limb(canvas, at(...start), at(...end), a, b, brush);
    },
    oval: (/** @type {Point} */ centre, /** @type {number} */ across, /** @type {number} */ down, /** @type {Brush} */ brush) =>
      ellipse(canvas, at(...centre), floored(across * wide, 1000), floored(down * tall, 1000), brush),
    area: (/** @type {Brush} */ brush, /** @type {Point[]} */ ...points) => polygon(canvas, points.map((point) => at(...point)), brush),
    panel: (/** @type {Brush} */ brush, /** @type {number} */ half, /** @type {number} */ top, /** @type {number} */ last, /** @type {number} */ bottom) =>
      polygon(canvas, [at(-half, top), at(half, top), at(last, bottom), at(-last, bottom)], brush),
  };
}

/** @typedef {ReturnType<typeof makeBody>} Body */

/** Darken the ground under the feet. @param {Body} body */
function shadow({ canvas: { pixels, columns, xs, ys }, at }) {
  const [x, y] = at(0, 985);
  ys.forEach((v, row) => xs.forEach((u, column) => {
    if (((u - x) * 60) ** 2 + ((v - y) * 330) ** 2 >= (330 * 60) ** 2) return;
    for (let i = 3 * (row * columns + column), end = i + 3; i < end; i++) pixels[i] = floored(pixels[i], 4) * 3;
  }));
}

/** Thigh and shin. @param {Body} body @param {Point} hip @param {Point} knee @param {Point} foot @param {number} light */
function leg({ look, lower, skin, limb: bar }, hip, knee, foot, light) {
  const cloth = dimmed(lower, light), bare = dimmed(skin, light);
  const shin = look.lower === "trousers" ? cloth : bare, thigh = look.lower === "skirt" ? bare : cloth;
  bar(knee, foot, shin === cloth ? 38 : 31, shin === cloth ? 32 : 24, shin);
  bar(hip, knee, 54, thigh === cloth ? 42 : 34, thigh);
}

/** Upper arm, forearm, hand. @param {Body} body @param {Point} shoulder @param {Point} elbow @param {Point} hand @param {number} light */
function arm({ look, upper, skin, limb: bar, oval }, shoulder, elbow, hand, light) {
  const bare = dimmed(skin, light + 8), cloth = dimmed({ colour: upper.colour }, light);
  const lower = look.sleeves === "long" ? cloth : bare;
  oval([hand[0], hand[1] + 18], 27, 25, bare);
  bar(elbow, hand, lower === cloth ? 31 : 26, lower === cloth ? 27 : 21, lower);
  bar(shoulder, elbow, 40, 35, cloth);
}

/** A bag with a flap around x. @param {Body} body @param {Point} shoulder @param {number} hip @param {number} x @param {number} strap @param {number} half */
function shoulderBag({ bag, limb: bar, oval }, shoulder, hip, x, strap, half) {
  bar(shoulder, [hip, 460], strap, strap, dimmed(bag, 80));
  oval([x, 530], half, 66, bag);
  oval([x, 500], half - 8, 26, dimmed(bag, 70));
}

/** From the front or the back. @param {Body} body @param {number} step @param {boolean} front */
function upright(body, step, front) {
  const { look, hair, shoe, lower, skin, hairDown } = body;
  if (front && hairDown) body.limb([0, 80], [0, look.hair_length === "long" ? 200 : 90], 74, 84, dimmed(hair, 85));
  for (const [side, ahead] of [[-1, -step], [1, step]]) {
    const lift = floored(Math.max(0, ahead) * 55, 256);
    leg(body, [48 * side, 520], [50 * side, 735 - floored(lift, 2)], [48 * side, 950 - lift], ahead <= 0 ? 100 : 90);
    body.oval([56 * side, 968 - lift], 40, 26, shoe);
  }
  if (look.lower === "skirt") body.panel(lower, 90, 440, 150, 715);
  else body.panel(lower, 95, 430, 100, 560);
  for (const side of [-1, 1]) {
    const swing = floored(-step * side * 40, 256);
    arm(body, [108 * side, 212], [142 * side, 335], [(150 - floored(Math.abs(swing), 4)) * side, 478 - swing], 88);
  }
  torsoUpright(body, front);
  body.limb([0, 130], [0, 165], 32, 36, dimmed(skin, 90));
  body.oval([0, 84], 60, 72, skin);
  if (front) face(body);
  else hairFromBehind(body);
  if (look.bag === "shoulder") {
    const hip = front ? 98 : -98;
    shoulderBag(body, [floored(-hip * 7, 10), 172], hip, floored(hip * 115, 100), 11, 74);
  }
}

/** @param {Body} body @param {boolean} front */
function torsoUpright(body, front) {
  const { look, upper, second, lower, bag } = body, coat = look.pattern === "coat", [half, hem] = coat ? [112, 610] : [100, 485];
  body.area(upper, [-112, 190], [-66, 160], [66, 160], [112, 190], [104, 340], [half, hem], [-half, hem], [-104, 340]);
  if (coat && front) {
    body.panel(second, 40, 160, 34, 480);
    body.panel(lower, 34, 480, 30, hem);
  }
  if (look.pattern === "logo" && front) body.oval([0, 275], 52, 50, { ...second, depth: 100 });
  if (look.bag === "backpack" && front) {
    for (const side of [-1, 1]) body.limb([72 * side, 168], [80 * side, 370], 17, 15, { ...bag, depth: 90 });
  } else if (look.bag === "backpack") {
    body.limb([0, 255], [0, 390], 88, 92, bag);
    body.panel(dimmed(bag, bag.colour.reduce((a, b) => a + b) > 150 ? 120 : 170), 58, 335, 58, 430);
    body.limb([-30, 178], [30, 178], 10, 10, dimmed(bag, 75));
  }
}

/** @param {Body} body */
function face({ look, hair, hairDown, area, limb: bar, oval }) {
  area(hair, [-61, 62], [-52, 26], [-26, 5], [26, 5], [52, 26], [61, 50]);
  for (const side of [-1, 1]) {
    bar([56 * side, 50], [57 * side, hairDown ? 155 : 84], 11, 13, hair);
    oval([23 * side, 88], 9, 10, { colour: [34, 26, 28], depth: 100 });
  }
  oval([0, 123], 17, 6, { colour: [170, 70, 70], depth: 100 });
  if (look.hair_length === "bun") oval([0, 2], 34, 28, hair);
}

/** @param {Body} body */
function hairFromBehind({ look, hair, hairDown, limb: bar, oval }) {
  const [end, half] = look.hair_length === "long" ? [238, 66] : [103, 72];
  if (hairDown) bar([0, 74], [0, end], 66, half, hair);
  else oval([0, 70], 63, 70, hair);
  if (look.hair_length === "bun") oval([0, 22], 36, 32, dimmed(hair, 75));
}

/** @param {Body} body @param {number} step @param {boolean} right */
function sideways(body, step, right) {
  const { look, lower, hair, bag, hairDown, pose } = body, bend = Math.max(0, wave(pose.phase + 24)), worn = look.bag === "shoulder";
  if (hairDown) body.limb([-26, 90], [-46, look.hair_length === "long" ? 245 : 115], 50, 42, hair);
  if (worn && right) shoulderBag(body, [0, 175], -70, -70, 10, 76);
  armSideways(body, -step, 74);
  legSideways(body, -step, bend, 78);
  legSideways(body, step, 256 - bend, 100);
  if (look.lower === "skirt") body.panel(lower, 64, 440, 122, 715);
  else body.panel(lower, 64, 430, 62, 555);
  torsoSideways(body);
  headSideways(body);
  if (worn && right) body.limb([0, 168], [-52, 440], 11, 11, dimmed(bag, 80));
  armSideways(body, step, 90);
  if (worn && !right) shoulderBag(body, [0, 175], -10, -10, 10, 76);
}

/** @param {Body} body @param {number} step @param {number} bend @param {number} light */
function legSideways(body, step, bend, light) {
  const swing = floored(-step * 120, 256), lift = floored(bend * 25, 256), foot = [swing - lift, 950 - lift - floored(Math.abs(swing), 8)];
  leg(body, [0, 520], [floored(swing * 45, 100) + 24, 738 - floored(lift, 2)], /** @type {Point} */ (foot), light);
  body.oval([foot[0] + 26, foot[1] + 16], 54, 25, dimmed(body.shoe, light));
}

/** @param {Body} body @param {number} step @param {number} light */
function armSideways(body, step, light) {
  const swing = floored(step * 115, 256);
  arm(body, [0, 218], [floored(swing * 45, 100), 340], [swing + 26, 465 - floored(Math.abs(swing), 6)], light);
}

/** @param {Body} body */
function torsoSideways({ look, upper, second, bag, area, limb: bar }) {
  const coat = look.pattern === "coat", hem = coat ? 610 : 485;
  area(upper, [-44, 160], [34, 160], [62, 200], [72, 330], [68, hem], [-68, hem], [-66, 330], [-68, 200]);
  if (coat) area(second, [50, 185], [64, 205], [76, 330], [70, 470], [52, 470]);
  if (look.bag === "backpack") {
    bar([-98, 240], [-100, 395], 54, 62, bag);
    bar([-40, 175], [-4, 300], 13, 13, dimmed(bag, 85));
    bar([-4, 300], [-50, 385], 13, 13, dimmed(bag, 85));
  }
}

/** @param {Body} body */
function headSideways({ look, hair, skin, hairDown, limb: bar, oval }) {
  bar([-4, 130], [-8, 165], 30, 34, dimmed(skin, 90));
  oval([4, 84], 62, 72, skin);
  oval([62, 92], 12, 12, skin);
  oval([-8, 48], 62, 46, hair);
  oval([-32, 78], 38, look.hair_length !== "short" ? 60 : 48, hair);
  oval([38, 86], 9, 11, { colour: [34, 26, 28], depth: 100 });
  if (look.hair_length === "bun") oval([-58, 24], 32, 30, hair);
  if (hairDown) bar([-30, 80], [-38, 140], 34, 34, hair);
}
