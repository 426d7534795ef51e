// node run.mjs DATA.js < tasks.json > results.json: what the modules of book/explorer compute, without a browser.
import fs from "node:fs";
import { attention, generate, poolPatches } from "../../book/explorer/patches.js";
import { backbone, imageMap } from "../../book/explorer/network.js";
import { embeddings, features, makeReductions } from "../../book/explorer/reductions.js";
import { ipfl, pedal } from "../../book/explorer/losses.js";
import { makeTrainer, measure, takeStep } from "../../book/explorer/training.js";
import { epochBatches, firstPass } from "../../book/explorer/batches.js";
import { firstState, fromLink, toLink, unread } from "../../book/explorer/state.js";
import { photograph, PLAIN } from "../../book/explorer/camera.js";
import { readData } from "../../book/explorer/arrays.js";

let data;
globalThis.paulExplorerData = (header, text) => {
  const bytes = Buffer.from(text, "base64");
  data = readData(header, bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};
(0, eval)(fs.readFileSync(process.argv[2], "utf8"));
const plain = (values) => Array.from(values);
const floats = (values) => Float32Array.from(values);

const TASKS = {
  forward({ statistics, pixels }) {
    const map = backbone(data, statistics, imageMap(data, pixels)), theta = generate(data, map);
    const maps = Array.from({ length: theta.length / 6 }, (_, p) => attention(theta, p, map.height, map.width));
    const net = makeReductions(data, statistics), pooled = poolPatches(map, maps), x = features(net, pooled);
    const found = { map: map.values, theta, attention: maps.flatMap(plain), pooled, features: x, embedding: embeddings(net, x) };
    return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, plain(values)]));
  },
  losses({ x, memory, index, P, D, options, e, centers, E, whole }) {
    const one = pedal(floats(x), floats(memory), index, P, D, options), two = ipfl(floats(e), floats(centers), E, whole);
    return { pedal: one.value, ofFeatures: plain(one.gradient), ipfl: two.value, ofEmbeddings: plain(two.gradient), negatives: two.ranking.negatives };
  },
  batches({ steps, seed }) {
    const [N] = data.header.counts, { batch } = data.header.settings.preset, found = [];
    for (let epoch = 0; found.length < steps; epoch++) found.push(...epochBatches(N, batch, data.header.surrogates, seed, epoch));
    return { first: firstPass(N, 2 * batch, seed), batches: found.slice(0, steps) };
  },
  train({ settings, first, batches, given = false }) {
    const chosen = { ...firstState(data.header).settings, ...settings }, trainer = makeTrainer(data, chosen, first);
    const before = measure(trainer, chosen);
    const losses = batches.map((batch) => takeStep(trainer, chosen, given ? undefined : batch));
    const after = measure(trainer, chosen), { net, memory } = trainer;
    const weights = Object.fromEntries(Object.entries({ ...net.learned, mean: net.mean, variance: net.variance }).map(([n, v]) => [n, plain(v)]));
    return { losses, before, after, weights, memory: plain(memory.values), start: chosen };
  },
  draw({ look, pose, camera }) {
    return plain(photograph(look, pose, { ...PLAIN, ...camera }, data.header.palettes, null));
  },
  link({ text }) {
    const state = fromLink(text, data.header);
    return { state, link: toLink(state, data.header), again: fromLink(toLink(state, data.header), data.header),
      unread: unread(text, state) };
  },
};
const tasks = JSON.parse(fs.readFileSync(0, "utf8"));
fs.writeSync(1, JSON.stringify(tasks.map((task) => TASKS[task.task](task))));
