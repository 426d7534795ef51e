// Which images are in which batch: random, and the same for the same seed in every browser.

/** A stream of random numbers in 0..1: Marsaglia's xorshift of 32 bits (2003). @param {number} seed */
export function randomNumbers(seed) {
  let state = (Math.imul(seed + 1, 2654435761) >>> 0) || 1; // neighbouring seeds are spread over all 32 bits
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state / 4294967296;
  };
  for (let i = 0; i < 8; i++) next();
  return next;
}

/** 0..count-1 in random order. @param {number} count @param {() => number} random */
export function shuffled(count, random) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** An order in parts of ``size``; a last part of one image joins the part before. @param {number[]} order @param {number} size */
export function parts(order, size) {
  const found = [];
  for (let i = 0; i < order.length; i += size) found.push(order.slice(i, i + size));
  if (found.length > 1 && found[found.length - 1].length < 2) found[found.length - 2].push(...found.pop() ?? []);
  return found;
}

/**
 * The batches of an epoch: images, and which surrogate of each is seen.
 * @param {number} count N @param {number} size images in a batch @param {number} surrogates @param {number} seed @param {number} epoch
 */
export function epochBatches(count, size, surrogates, seed, epoch) {
  const random = randomNumbers(1000 * seed + epoch + 1);
  return parts(shuffled(count, random), size).map((index) =>
    ({ index, view: index.map(() => Math.floor(random() * surrogates)) }));
}

/** The batches of the first pass, which fills the memory. @param {number} count @param {number} size @param {number} seed */
export function firstPass(count, size, seed) {
  return parts(shuffled(count, randomNumbers(1000 * seed)), size);
}
