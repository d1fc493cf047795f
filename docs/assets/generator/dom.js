// Elements, and the clipboard.
"use strict";

(() => {
  /**
   * Makes an element; texts are never read as HTML.
   * @param {string} tag
   * @param {Object<string, string | boolean | Function>} [attributes] functions listen to the event of that name
   * @param {...(Node | string)} children
   * @returns {HTMLElement}
   */
  const el = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(name, value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };

  /**
   * Copies a text, also where the page may not use the clipboard's interface (plain HTTP).
   * @param {string} text
   * @returns {Promise<boolean>} whether it worked
   */
  const copyText = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const before = document.activeElement;
      const field = el("textarea", { "aria-hidden": "true", class: "kit-offscreen" }, text);
      document.body.append(field);
      field.select();
      const copied = document.execCommand("copy");
      field.remove();
      if (before instanceof HTMLElement) before.focus();
      return copied;
    }
  };

  /** What to say after copying. */
  const copied = (done, what) =>
    done ? `Copied ${what}.` : "The browser does not let this page copy; select the text instead.";

  /**
   * Gives bytes to the reader as a file.
   * @param {string} name
   * @param {Uint8Array} bytes
   * @param {string} type
   */
  const save = (name, bytes, type) => {
    const address = URL.createObjectURL(new Blob([bytes], { type }));
    const link = el("a", { href: address, download: name, hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 60_000); // some browsers read it after the click has returned
  };

  window.KIT = Object.assign(window.KIT || {}, { copied, copyText, el, save });
})();
