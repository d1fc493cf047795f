// Puts the reader's own name into the code of every page, and says so.
"use strict";

(() => {
  const OLD = "your-service";
  const KEY = "kit.name";
  // The template still has its own name where a block fetches the archive or makes a project of it.
  const TEMPLATE_ITSELF = /your-service-\d|\.\/create-project\.sh/;
  const { identifier, namePattern } = window.KIT;

  /** @type {Map<Text, string>} what the page said at first */
  const originals = new Map();
  let hint = null;

  /**
   * The name that the reader typed, or nothing: storage may be closed, or hold something else.
   * @returns {string}
   */
  const storedName = () => {
    try {
      const name = localStorage.getItem(KEY) || "";
      return /^[a-z]([-a-z0-9]{0,46}[a-z0-9])?$/.test(name) ? name : "";
    } catch {
      return "";
    }
  };

  /**
   * Keeps the name for all pages, or forgets it when it is empty, and fills this page anew.
   * @param {string} name
   */
  const rememberName = (name) => {
    try {
      if (name) localStorage.setItem(KEY, name);
      else localStorage.removeItem(KEY);
    } catch {
      // Private windows may refuse; then the name fills this page alone.
    }
    fill(name);
  };

  /**
   * Replaces the name in one block, also where highlighting has cut it into pieces.
   * @param {Element} code
   * @param {string} name
   */
  const fillBlock = (code, name) => {
    const whole = code.textContent;
    const found = [...whole.matchAll(namePattern(OLD))];
    if (!found.length || TEMPLATE_ITSELF.test(whole)) return;
    const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    let at = 0;
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const text = node.data;
      const [start, end] = [at, at + text.length];
      at = end;
      let fresh = "";
      let from = start;
      for (const match of found) {
        const [first, last] = [match.index, match.index + match[0].length];
        if (last <= start || first >= end) continue;
        fresh += whole.slice(from, Math.max(first, from));
        if (first >= start) fresh += match[0] === OLD ? name : identifier(name);
        from = Math.min(last, end);
      }
      fresh += whole.slice(from, end);
      if (fresh === text) continue;
      originals.set(node, text);
      node.data = fresh;
    }
  };

  /** @param {string} name empty to show what was published */
  const fill = (name) => {
    originals.forEach((text, node) => (node.data = text));
    originals.clear();
    if (name)
      document.querySelectorAll(".md-content pre > code").forEach((code) => {
        if (!code.closest("#kit-generator")) fillBlock(code, name);
      });
    showHint(originals.size ? name : "");
  };

  /** @param {string} name empty for no hint */
  const showHint = (name) => {
    const focused = hint !== null && hint.contains(document.activeElement);
    if (hint) hint.remove();
    hint = null;
    if (name) addHint(name);
    if (focused) (hint ? hint.querySelector("button") : readable()).focus({ preventScroll: true });
  };

  /** The page's text, ready to take the focus of a button that goes away. */
  const readable = () => {
    const main = document.querySelector("main");
    main.tabIndex = -1;
    main.addEventListener("blur", () => main.removeAttribute("tabindex"), { once: true });
    return main;
  };

  /** @param {string} name */
  const addHint = (name) => {
    hint = document.createElement("aside");
    hint.className = "kit-chip";
    hint.setAttribute("aria-label", "Name in the code of this page");
    const shown = document.createElement("strong");
    shown.textContent = name;
    const reset = document.createElement("button");
    reset.type = "button";
    reset.textContent = "Reset";
    reset.title = `Show ${OLD} again, as published`;
    reset.addEventListener("click", () => rememberName(""));
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "×";
    close.title = "Hide this note";
    close.setAttribute("aria-label", close.title);
    close.addEventListener("click", () => showHint(""));
    hint.append("Code shows ", shown, reset, close);
    document.body.append(hint);
  };

  Object.assign(window.KIT, { storedName, rememberName });
  fill(storedName());
  window.addEventListener("storage", (event) => event.key === KEY && fill(storedName()));
})();
