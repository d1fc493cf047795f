// Names for two parts of Material that screen readers otherwise meet nameless.
const name = () => {
  document.querySelectorAll("[data-md-component=search]:not([aria-label])").forEach((search) => {
    search.setAttribute("aria-label", "Search");
  });
  document.querySelectorAll(".md-code__nav:not([aria-label])").forEach((bar, n) => {
    bar.setAttribute("aria-label", `Code block ${n + 1}`);
  });
};
new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
name();
