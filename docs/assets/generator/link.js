// The choices as a link that can be shared, and as commands that do the same without a browser.
"use strict";

/**
 * What was chosen on the download page.
 * @typedef {{name: string, namespace: string, executor: string, add: string[]}} Choices
 */

(() => {
  /**
   * The choices in an address, `#name=orders&add=crud,quota`; what it does not name stays as given.
   * @param {string} hash
   * @param {Choices} defaults
   * @param {{executors: string[], examples: string[]}} offered anything else is dropped
   * @returns {Choices | null} null when the hash is something else, such as a heading
   */
  const fromHash = (hash, defaults, offered) => {
    if (!hash.includes("=")) return null;
    const found = new URLSearchParams(hash.replace(/^#/, ""));
    const executor = found.get("executor");
    const wanted = (found.get("add") || "").split(",");
    return {
      name: found.has("name") ? found.get("name") : defaults.name,
      namespace: found.has("namespace") ? found.get("namespace") : defaults.namespace,
      executor: offered.executors.includes(executor) ? executor : defaults.executor,
      add: offered.examples.filter((name) => wanted.includes(name)),
    };
  };

  /**
   * @param {Choices} choices
   * @param {Choices} defaults what is like them is left out
   * @returns {string} empty or starting with `#`
   */
  const toHash = (choices, defaults) => {
    const parts = ["name", "namespace", "executor"]
      .filter((key) => choices[key] !== defaults[key])
      .map((key) => `${key}=${encodeURIComponent(choices[key])}`);
    if (choices.add.length) parts.push(`add=${choices.add.join(",")}`);
    return parts.length ? `#${parts.join("&")}` : "";
  };

  /**
   * One word for a shell, whatever is in it.
   * @param {string} text
   * @returns {string}
   */
  const word = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

  /**
   * @param {Choices} choices what is empty has to be filled in by the reader
   * @param {Choices} defaults
   * @param {string} archive address of the tar.gz
   * @param {string} folder that is in it
   * @returns {string} lines for a shell
   */
  const toCommands = (choices, defaults, archive, folder) => {
    const file = archive.slice(archive.lastIndexOf("/") + 1);
    const options = ["namespace", "executor"]
      .filter((key) => choices[key] !== defaults[key])
      .map((key) => ` --${key} ${choices[key] || key.toUpperCase()}`);
    if (choices.add.length) options.unshift(` --add ${choices.add.join(",")}`);
    const name = choices.name || "NAME";
    const target = name === folder ? `my-${name}` : name; // the unpacked template has the folder of that name
    const address = archive.replace(/[[\]]/g, encodeURIComponent); // curl takes brackets for a range
    return [
      `curl -sO ${word(address)}`,
      `tar xzf ${file}`,
      `cd ${folder}`,
      `./create-project.sh ${name} ../${target}${options.join("")}`,
    ].join("\n");
  };

  window.KIT = Object.assign(window.KIT || {}, { fromHash, toHash, toCommands });
})();
