// A list of paths as a tree, by the tree pattern of the WAI-ARIA Authoring Practices.
"use strict";

(() => {
  const { el } = window.KIT;

  /**
   * @typedef {{name: string, path: string, folders: Map<string, Folder>, files: string[]}} Folder
   */

  /**
   * @param {string[]} paths sorted
   * @returns {Folder}
   */
  const folders = (paths) => {
    const top = { name: "", path: "", folders: new Map(), files: [] };
    for (const path of paths) {
      const parts = path.split("/");
      parts.pop();
      let here = top;
      for (const name of parts) {
        const inside = here.path ? `${here.path}/${name}` : name;
        if (!here.folders.has(name)) here.folders.set(name, { name, path: inside, folders: new Map(), files: [] });
        here = here.folders.get(name);
      }
      here.files.push(path);
    }
    return top;
  };

  class Tree {
    /**
     * @param {(path: string) => void} onSelect called with the file that was chosen
     * @param {string[]} open folders that are open at first
     */
    constructor(onSelect, open) {
      this.onSelect = onSelect;
      this.open = new Set(["", ...open]);
      this.selected = "";
      this.shown = "";
      this.typed = "";
      this.typedAt = 0;
      this.element = el("ul", {
        role: "tree",
        class: "kit-tree",
        "aria-label": "Files of the project",
        click: (event) => this._click(event),
        keydown: (event) => this._key(event),
      });
    }

    /**
     * Shows these files; what is open, chosen and focused stays so.
     * @param {string} root name of the folder around them
     * @param {string[]} paths sorted
     * @param {Map<string, string>} notes a word on files that are to be pointed out
     */
    show(root, paths, notes) {
      const now = JSON.stringify([root, paths, [...notes]]);
      if (now === this.shown) return;
      this.shown = now;
      const active = this.element.contains(document.activeElement) ? document.activeElement.dataset.path : null;
      const stop = this._stopped();
      const top = folders(paths);
      this.element.replaceChildren(this._folder({ ...top, name: root }, notes));
      const before = this._item(stop && stop.dataset.path);
      this._stop(before || this._item(this.selected) || this.element.firstElementChild);
      if (active !== null) this._stopped().focus({ preventScroll: true });
    }

    /**
     * Chooses a file, and opens the folders around it.
     * @param {string} path
     */
    select(path) {
      const item = this._item(path);
      if (!item) return;
      const before = this._item(this.selected);
      if (before) before.setAttribute("aria-selected", "false");
      this.selected = path;
      item.setAttribute("aria-selected", "true");
      for (let folder = item.parentElement.closest("li"); folder; folder = folder.parentElement.closest("li"))
        this._expand(folder, true);
      this._stop(item);
      this.onSelect(path);
    }

    _folder(folder, notes) {
      const expanded = this.open.has(folder.path);
      const inner = el("ul", { role: "group" });
      for (const child of folder.folders.values()) inner.append(this._folder(child, notes));
      for (const path of folder.files) inner.append(this._file(path, notes.get(path)));
      const item = this._treeitem(folder.name, folder.path ? `${folder.path}/` : "/");
      item.setAttribute("aria-expanded", String(expanded));
      item.append(inner);
      return item;
    }

    _file(path, note) {
      const item = this._treeitem(path.slice(path.lastIndexOf("/") + 1), path, note);
      item.setAttribute("aria-selected", String(path === this.selected));
      return item;
    }

    _treeitem(name, path, note = "") {
      const row = el("span", { class: "kit-tree__row" }, name);
      if (note) row.append(" ", el("small", {}, note));
      // The label keeps a folder from being read out with all that it holds.
      const label = note ? `${name}, ${note}` : name;
      return el("li", { role: "treeitem", tabindex: "-1", "data-path": path, "aria-label": label }, row);
    }

    _item(path) {
      return path ? this.element.querySelector(`[data-path="${CSS.escape(path)}"]`) : null;
    }

    _stopped() {
      return this.element.querySelector("[tabindex='0']");
    }

    /** Makes one item the tree's tab stop, or the closed folder that hides it. */
    _stop(item) {
      const before = this._stopped();
      if (before) before.tabIndex = -1;
      let seen = item;
      for (let closed = seen; closed; closed = seen.parentElement.closest("[aria-expanded=false]")) seen = closed;
      seen.tabIndex = 0;
    }

    _focus(item) {
      if (!item) return;
      this._stop(item);
      item.focus();
    }

    /** All items that can be seen, from top to bottom. */
    _visible() {
      const closed = "[aria-expanded=false]";
      return [...this.element.querySelectorAll("li")].filter((item) => !item.parentElement.closest(closed));
    }

    _expand(folder, open) {
      const path = folder.dataset.path.replace(/\/$/, "");
      folder.setAttribute("aria-expanded", String(open));
      if (open) this.open.add(path);
      else this.open.delete(path);
    }

    _activate(item) {
      if (item.hasAttribute("aria-expanded")) this._expand(item, item.getAttribute("aria-expanded") !== "true");
      else this.select(item.dataset.path);
    }

    _click(event) {
      const row = event.target.closest(".kit-tree__row");
      if (!row) return;
      this._focus(row.parentElement);
      this._activate(row.parentElement);
    }

    _key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const item = event.target.closest("li") || this._stopped(); // browsers may focus a list that scrolls
      const all = this._visible();
      const at = all.indexOf(item);
      const folder = item.getAttribute("aria-expanded");
      const moves = {
        ArrowDown: () => this._focus(all[at + 1]),
        ArrowUp: () => this._focus(all[at - 1]),
        Home: () => this._focus(all[0]),
        End: () => this._focus(all[all.length - 1]),
        Enter: () => this._activate(item),
        " ": () => this._activate(item),
        ArrowRight: () => (folder === "false" ? this._expand(item, true) : folder && this._focus(all[at + 1])),
        ArrowLeft: () =>
          folder === "true" ? this._expand(item, false) : this._focus(item.parentElement.closest("li")),
        "*": () =>
          [...item.parentElement.children]
            .filter((sibling) => sibling.hasAttribute("aria-expanded"))
            .forEach((sibling) => this._expand(sibling, true)),
      };
      if (moves[event.key]) moves[event.key]();
      else if (/^[\p{L}\p{N}._-]$/u.test(event.key)) this._find(event, all, at);
      else return;
      event.preventDefault();
      event.stopPropagation(); // letters are shortcuts of the site elsewhere
    }

    /** Goes to the next item that starts with what was typed within half a second. */
    _find(event, all, at) {
      const goesOn = event.timeStamp - this.typedAt < 500;
      this.typed = (goesOn ? this.typed : "") + event.key.toLowerCase();
      this.typedAt = event.timeStamp;
      const from = this.typed.length > 1 ? at : at + 1;
      const round = [...all.slice(from), ...all.slice(0, from)];
      this._focus(round.find((item) => item.getAttribute("aria-label").toLowerCase().startsWith(this.typed)));
    }
  }

  window.KIT.Tree = Tree;
})();
