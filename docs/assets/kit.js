// What Material leaves open: names for screen readers, and terminals from which only the commands are copied.
const commands = (terminal) =>
  terminal
    .split("\n")
    .filter((row) => /^[$>] /.test(row))
    .map((row) => row.slice(2))
    .join("\n");

const complete = () => {
  document.querySelectorAll("[data-md-component=search]:not([aria-label])").forEach((search) => {
    search.setAttribute("aria-label", "Search");
  });
  document.querySelectorAll(".md-code__nav:not([aria-label])").forEach((bar, n) => {
    bar.setAttribute("aria-label", `Code block ${n + 1}`);
  });
};

new MutationObserver(complete).observe(document.body, { childList: true, subtree: true });
complete();

// Just before the copying itself, because the reader's own name may have come into the block meanwhile.
const prepare = (event) => {
  const button = event.target.closest(".language-console button[data-md-type=copy]");
  if (!button) return;
  const code = button.closest("pre").querySelector("code");
  button.setAttribute("data-clipboard-text", commands(code.textContent));
};
document.addEventListener("click", prepare, { capture: true });
