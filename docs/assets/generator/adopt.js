// Examples in a new project: the rule that the docstring of template/kit/adopt.py states, step by step.
"use strict";

(() => {
  const MORE = "(?:_[A-Za-z0-9_]+)?";

  /**
   * @param {string} name of an example
   * @returns {[RegExp, string][]} which files move, and the folder they move to
   */
  const moves = (name) => [
    [new RegExp(`^examples/(example_${name}${MORE}\\.py)$`), "src"],
    [new RegExp(`^examples/test/(test_example_${name}${MORE}\\.py)$`), "test"],
    [new RegExp(`^examples/migrates/([0-9]+_example_${name}${MORE}\\.sql)$`), "migrates"],
  ];

  /** @param {string} name */
  const requirements = (name) => [
    [`examples/requirements/${name}.in`, "requirements.in"],
    [`examples/requirements/${name}.txt`, "src/requirements.txt"],
  ];

  /**
   * @param {string} text of a requirements file
   * @returns {[string, string][]} package and text of each block
   */
  const blocks = (text) => {
    const found = [];
    let inside = false;
    for (const line of text.replace(/\n$/, "").split("\n")) {
      const start = line.match(/^[A-Za-z0-9][A-Za-z0-9._-]*/);
      if (start) {
        found.push([start[0].toLowerCase().replace(/[-._]+/g, "-"), `${line}\n`]);
        inside = true;
      } else if (inside && /^[ \t]/.test(line)) found[found.length - 1][1] += `${line}\n`;
      else inside = false;
    }
    return found;
  };

  /**
   * @param {string} text of a requirements file
   * @param {string} addition
   * @returns {string} with the blocks of packages that it did not have
   */
  const withPackages = (text, addition) => {
    const have = new Set(blocks(text).map(([name]) => name));
    const fresh = blocks(addition).filter(([name]) => !have.has(name)).map(([, block]) => block).join("");
    return text + (fresh && text && !text.endsWith("\n") ? "\n" : "") + fresh;
  };

  /**
   * Moves examples to where they are packaged and deployed.
   * @param {Map<string, ProjectFile>} files of a new project, changed in place
   * @param {string[]} names of examples that are there, in the order in which Python would add them
   * @returns {Map<string, string>} what happened to a file, by its path
   */
  const adopt = (files, names) => {
    const notes = new Map();
    for (const name of names) {
      for (const path of [...files.keys()])
        for (const [pattern, folder] of moves(name)) {
          const match = path.match(pattern);
          if (!match) continue;
          const target = `${folder}/${match[1]}`;
          files.set(target, files.get(path));
          files.delete(path);
          notes.set(target, "added");
        }
      for (const [path, target] of requirements(name)) {
        if (!files.has(path)) continue;
        const before = files.get(target) || { executable: false, text: "" };
        files.set(target, { ...before, text: withPackages(before.text, files.get(path).text) });
        files.delete(path);
        notes.set(target, "extended");
      }
    }
    return notes;
  };

  window.KIT = Object.assign(window.KIT || {}, { adopt, withPackages });
})();
