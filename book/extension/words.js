// The explorer in another language: its labels are exchanged where they stand. Only a translated book has this script.

/**
 * A function that translates one text: as a whole, or by a pattern with {0}, {1} ... for what changes, which is
 * translated in turn. A text that nobody translated stays.
 * @param {Record<string, string>} known
 */
export function translator(known) {
  const escaped = (/** @type {string} */ text) => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  const patterns = Object.keys(known).filter((text) => text.includes("{0}")).map((text) => ({
    pattern: new RegExp(`^${escaped(text).replace(/\{\d\}/g, "(.{1,120}?)")}$`), other: known[text],
  }));
  /** @type {(text: string) => string} */
  const translated = (text) => {
    const plain = text.trim();
    if (known[plain]) return text.replace(plain, () => known[plain]);
    for (const { pattern, other } of patterns) {
      const found = pattern.exec(plain);
      if (found) return text.replace(plain, () => other.replace(/\{(\d)\}/g, (_, i) => translated(found[Number(i) + 1])));
    }
    return text;
  };
  return translated;
}

const NAMES = ["aria-label", "aria-valuetext", "title", "alt"];

/** Exchange the labels of every explorer of the page, now and whenever they change. @param {Record<string, string>} known */
export function translate(known) {
  const translated = translator(known);
  const exchange = (/** @type {Node} */ node) => {
    if (node instanceof Text) {
      const text = translated(node.data);
      if (text !== node.data) node.data = text;
    } else if (node instanceof Element) {
      for (const name of NAMES.filter((one) => node.hasAttribute(one))) {
        const before = node.getAttribute(name) ?? "", after = translated(before);
        if (after !== before) node.setAttribute(name, after);
      }
      node.childNodes.forEach(exchange);
    }
  };
  const watch = new MutationObserver((changes) => changes.forEach(({ type, target, addedNodes }) => {
    if (type === "childList") addedNodes.forEach(exchange);
    else exchange(target);
  }));
  document.querySelectorAll(".paul-explorer").forEach((root) => {
    exchange(root);
    watch.observe(root, { subtree: true, childList: true, characterData: true, attributeFilter: NAMES });
  });
}
