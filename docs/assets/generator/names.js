// Which names are refused, in the words of template/kit; the lists come from Python, with the template's files.
"use strict";

(() => {
  /**
   * A text as Python's repr() shows it.
   * @param {string} text
   * @returns {string}
   */
  const quoted = (text) => {
    const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
    const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}]/u;
    const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };
    const shown = Array.from(text, (letter) => {
      const code = letter.codePointAt(0);
      if (letter === quote) return `\\${letter}`;
      if (short[letter]) return short[letter];
      if (letter === " " || !hidden.test(letter)) return letter;
      if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
      return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
    });
    return quote + shown.join("") + quote;
  };

  /**
   * Why a service cannot have this name: check_name() of template/kit/rename.py.
   * @param {string} name
   * @param {{longest: number, keywords: string[], modules: string[], packages: string[]}} rules
   * @returns {string} one sentence, or nothing when the name is fine
   */
  const nameProblem = (name, rules) => {
    const word = KIT.identifier(name);
    if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name))
      return `${quoted(name)} is no valid name: use lower-case letters, digits and inner hyphens (a DNS label)`;
    if (/^[0-9]/.test(name))
      return `${quoted(name)} starts with a digit, but the name is also used as an identifier; start with a letter`;
    if (name.length > rules.longest)
      return (
        `${quoted(name)} has ${name.length} characters; ` +
        `at most ${rules.longest} fit into the names of Kubernetes objects`
      );
    if (rules.keywords.includes(word)) return `${quoted(name)} is a keyword of Python; choose another name`;
    if (rules.modules.includes(word))
      return `${quoted(name)} is a module of Python's standard library; choose another name`;
    if (rules.packages.includes(word))
      return `${quoted(name)} is a package of Fission's Python environment; choose another name`;
    return "";
  };

  /**
   * Why the functions cannot be in this namespace: configured() of template/kit/create.py.
   * @param {string} namespace
   * @returns {string} one sentence, or nothing when it is fine
   */
  const namespaceProblem = (namespace) =>
    /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)
      ? ""
      : `${quoted(namespace)} is no valid namespace: ` +
        "use at most 63 lower-case letters, digits and inner hyphens";

  window.KIT = Object.assign(window.KIT || {}, { quoted, nameProblem, namespaceProblem });
})();
