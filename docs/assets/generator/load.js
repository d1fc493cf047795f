// Loads the generator where a page has a place for it, once the page itself is there.
// Script elements, because a page that was opened from a folder may neither fetch nor import.
"use strict";

(() => {
  const place = document.getElementById("kit-generator");
  if (!place) return;
  place.classList.add("kit-loading"); // hides the sentence for readers without JavaScript
  const root = new URL("../../", document.currentScript.src);
  // Each comes after those that it uses.
  const rules = ["names", "sha256", "zip", "manifest", "settings", "adopt", "project", "link"];
  const parts = ["dom", ...rules, "tree", "preview", "form", "generator"];
  const scripts = ["downloads/template.js", ...parts.map((part) => `assets/generator/${part}.js`)];

  const loaded = (element) =>
    new Promise((done, failed) => {
      element.onload = done;
      element.onerror = () => failed(new Error(element.src || element.href));
      document.head.append(element);
    });

  const load = async () => {
    const style = Object.assign(document.createElement("link"), {
      rel: "stylesheet",
      href: new URL("assets/generator.css", root).href,
    });
    const ordered = scripts.map((path) =>
      Object.assign(document.createElement("script"), { async: false, src: new URL(path, root).href }),
    );
    try {
      await Promise.all([style, ...ordered].map(loaded));
      window.KIT.startGenerator(place, root);
    } catch (error) {
      place.textContent = `This cannot be loaded: ${error.message}. The archives and commands below do the same.`;
    }
    place.classList.replace("kit-loading", "kit-ready");
  };

  if (document.readyState === "complete") load();
  else window.addEventListener("load", load);
})();
