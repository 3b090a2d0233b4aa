"use strict";
// What the theme calls parts of the navigation by is not read out where they are folded, and its search and its buttons for copying have no names: each gets one of its own. Pictures that scroll can be reached by keyboard.
(() => {
  const named = () => {
    document.querySelectorAll("nav.md-nav[aria-labelledby]").forEach(nav => {
      const head = nav.parentElement.querySelector(".md-nav__link");
      if (!head) return;
      nav.setAttribute("aria-label", `${head.textContent.trim()}, pages`);
      nav.removeAttribute("aria-labelledby");
    });
    document.querySelectorAll(".md-code__nav:not([aria-label])").forEach((nav, place) => nav.setAttribute("aria-label", `Block ${nav.parentElement.id || place + 1}`));
  };
  document.querySelectorAll(".md-typeset p > img[src$='.svg']").forEach(({alt, parentElement: scrolled}) => {
    scrolled.tabIndex = 0;
    scrolled.setAttribute("role", "group");
    scrolled.setAttribute("aria-label", alt);
  });
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  new MutationObserver(named).observe(document.body, {childList: true, subtree: true});
  named();
})();
