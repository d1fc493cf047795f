// The project as it will be: its files as a tree, and the text of the chosen one.
"use strict";

(() => {
  const { DEPLOYMENT, Tree, copied, copyText, el } = window.KIT;

  class Preview {
    /** @param {(text: string) => void} say tells the reader what happened */
    constructor(say) {
      this.files = new Map();
      this.tree = new Tree((path) => this._read(path), [".fission", "src"]);
      this.path = el("strong", { id: "kit-path" });
      this.size = el("span", { class: "kit-muted" });
      this.code = el("code");
      const view = { class: "kit-code", tabindex: "0", role: "region", "aria-labelledby": "kit-path" };
      this.view = el("pre", view, this.code);
      const copy = el("button", { type: "button", class: "kit-button", click: () => this._copy(say) }, "Copy file");
      const bar = el("p", { class: "kit-bar" }, this.path, this.size, copy);
      this.element = el(
        "section",
        { class: "kit-preview", "aria-label": "What you get" },
        this.tree.element,
        el("div", { class: "kit-file" }, bar, this.view),
      );
    }

    /**
     * @param {string} name of the project
     * @param {Map<string, ProjectFile>} files
     * @param {Map<string, string>} notes what examples did to a file, by path
     */
    show(name, files, notes) {
      this.files = files;
      this.tree.show(name, [...files.keys()], notes);
      if (files.has(this.tree.selected)) this._read(this.tree.selected);
      else this.tree.select(DEPLOYMENT);
    }

    _read(path) {
      const file = this.files.get(path);
      const text = file.text === undefined ? "This file is no text." : file.text;
      if (this.path.textContent !== path) this.view.scrollTop = 0;
      this.path.textContent = path;
      this.size.textContent = `${text.split("\n").length - 1} lines`;
      if (this.code.textContent !== text) this.code.textContent = text;
    }

    async _copy(say) {
      say(copied(await copyText(this.code.textContent), this.path.textContent));
    }
  }

  window.KIT.Preview = Preview;
})();
