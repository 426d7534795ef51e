// The frame around the screens: the tabs above, and the link below.

import { button, make, say } from "./dom.js";
import { TABS, toLink } from "./state.js";

/** @typedef {import("./page.js").App} App */

const NAMES = { look: "1 Look", compare: "2 Compare", train: "3 Train" };

/** Tabs, a place for each screen, messages, and the button for a link. @param {HTMLElement} root @param {App} app */
export function frame(root, app) {
  const tabs = make("div", root, { class: "pe-tabs", role: "tablist", "aria-label": "PAUL in the page" });
  const message = make("p", root, { class: "pe-hint", role: "status" }), panels = /** @type {Record<string, any>} */ ({});
  const buttons = TABS.map((name) => {
    const tab = button(tabs, /** @type {any} */ (NAMES)[name], () => app.set({ tab: name }), { role: "tab", id: `pe-tab-${name}`, "aria-controls": `pe-${name}` });
    panels[name] = make("div", root, { role: "tabpanel", id: `pe-${name}`, class: "pe-screen", "aria-labelledby": `pe-tab-${name}` });
    tab.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], next = (TABS.indexOf(name) + (step ?? 0) + TABS.length) % TABS.length;
      if (!step) return;
      event.preventDefault();
      app.set({ tab: TABS[next] });
      buttons[next].focus();
    });
    return tab;
  });
  const foot = make("div", root, { class: "pe-foot" }), link = make("input", null, { readonly: "", "aria-label": "Link to this state", class: "pe-link" });
  button(foot, "Settings of the book", () => app.standard());
  button(foot, "Link to this state", () => {
    link.value = `${location.href.split("#")[0]}#${toLink(app.state, app.data.header)}`;
    foot.append(link, told);
    link.select();
    const byHand = () => say(told, "Copy the link from this field.");
    if (navigator.clipboard) navigator.clipboard.writeText(link.value).then(() => say(told, "The link is copied."), byHand);
    else byHand();
  });
  const told = make("span", foot, { class: "pe-hint", role: "status" });
  /** Show one screen. @param {string} chosen */
  const choose = (chosen) => TABS.forEach((name, i) => {
    panels[name].hidden = name !== chosen;
    buttons[i].setAttribute("aria-selected", String(name === chosen));
    buttons[i].tabIndex = name === chosen ? 0 : -1;
  });
  return { panels, message, choose };
}
