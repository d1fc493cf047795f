// Renaming by the rule of template/kit/rename.py; a test compares the two on random texts.
"use strict";

(() => {
  /**
   * The name where only letters, digits and `_` are allowed.
   * @param {string} name
   * @returns {string}
   */
  const identifier = (name) => name.replace(/-/g, "_");

  /**
   * What finds a project's name, both as `blue-door` and as `blue_door`, where no letter or digit touches it.
   * @param {string} old a DNS label, so nothing in it has a meaning of its own in a pattern
   * @returns {RegExp}
   */
  const namePattern = (old) => new RegExp(`(?<![A-Za-z0-9])(?:${old}|${identifier(old)})(?![A-Za-z0-9])`, "g");

  /**
   * The text with the project's name replaced in both spellings.
   * @param {string} text
   * @param {string} old
   * @param {string} fresh
   * @returns {string}
   */
  const renameText = (text, old, fresh) =>
    text.replace(namePattern(old), (found) => (found === old ? fresh : identifier(fresh)));

  window.KIT = Object.assign(window.KIT || {}, { identifier, namePattern, renameText });
})();
