// "Copy as Markdown" above each page: its head names its Markdown. Where copying is not possible, the link opens it.
(() => {
  "use strict";
  const source = document.querySelector('link[rel~="alternate"][type="text/markdown"]');
  const title = document.querySelector("article h1");
  if (!source || !title) return;

  const link = document.createElement("a");
  link.className = "kit-copy-page";
  link.href = source.href;
  link.textContent = "Copy as Markdown";
  const said = document.createElement("span");
  said.className = "kit-copy-page-said";
  said.setAttribute("role", "status");
  const row = document.createElement("p");
  row.className = "kit-copy-page-row";
  row.append(link, " ", said);
  title.after(row);

  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href);
      if (!answer.ok) throw new Error(answer.statusText);
      await navigator.clipboard.writeText(await answer.text());
      said.textContent = "Copied.";
      setTimeout(() => (said.textContent = ""), 4000);
    } catch {
      location.href = link.href;
    }
  });
})();
