// What styles alone cannot do.
(() => {
  // A page that is opened as a file may not fetch another: search shows titles there, without excerpts.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  // The theme names this button with fewer words than it shows.
  for (const button of document.querySelectorAll(".search-button-field")) button.removeAttribute("aria-label");

  // Its switch for the colours has a name; the picture in it needs none, before or after Font Awesome has drawn it.
  for (const picture of document.querySelectorAll(".theme-switch")) {
    picture.removeAttribute("title");
    picture.removeAttribute("aria-labelledby");
    picture.setAttribute("aria-hidden", "true");
    picture.querySelector("title")?.remove();
  }

  // A formula that is wider than the page scrolls: the keyboard must be able to get there.
  const reach = () => {
    for (const box of document.querySelectorAll('mjx-container[display="true"]')) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  window.addEventListener("load", () => window.MathJax?.startup?.promise?.then(reach));
  window.addEventListener("resize", reach);
})();
