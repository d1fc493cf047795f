// `.kit-manifest.json` of a renamed project: carried_over() of template/kit/origin.py.
"use strict";

(() => {
  /**
   * A text as Python's json.dumps() writes it: everything but printable ASCII is escaped.
   * @param {string} text
   * @returns {string}
   */
  const asciiJson = (text) =>
    JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

  /** Sorts like Python: by code points, where JavaScript would compare halves of surrogate pairs. */
  const sortKey = (text) => Array.from(text, (letter) => letter.codePointAt(0).toString(16).padStart(6, "0")).join("");
  const byCodePoint = (a, b) => (sortKey(a) < sortKey(b) ? -1 : 1);

  /**
   * @param {string} version of the template
   * @param {Map<string, string>} sums SHA-256 by path
   * @returns {string} the content of the manifest
   */
  const manifestText = (version, sums) => {
    const rows = [...sums.keys()].sort(byCodePoint).map((path) => `  ${asciiJson(path)}: ${asciiJson(sums.get(path))}`);
    const files = rows.length ? `{\n${rows.join(",\n")}\n }` : "{}";
    return `{\n "files": ${files},\n "template": ${asciiJson(version)}\n}\n`;
  };

  window.KIT = Object.assign(window.KIT || {}, { asciiJson, byCodePoint, manifestText });
})();
