// The download page: what is typed becomes files, a link, commands and a zip.
"use strict";

(() => {
  const KIT = window.KIT;
  const { el } = KIT;

  class Generator {
    /**
     * @param {object} data KIT_TEMPLATE
     * @param {URL} root of the site
     */
    constructor(data, root) {
      this.data = data;
      this.template = new KIT.Template(data);
      this.archive = new URL(`downloads/${data.name}-${data.version}.tar.gz`, root).href;
      const settings = this.template.settings;
      const executor = settings.function_defaults.executor;
      this.defaults = { name: "", namespace: settings.namespace, executor, add: [] };
      this.offered = { executors: Object.keys(settings.executors), examples: data.examples.map(({ name }) => name) };
      this.valid = { ...this.defaults, name: data.name };
      this.form = new KIT.Form(this.defaults, settings.executors, data.examples, () => this.typed());
      this.preview = new KIT.Preview((text) => this.sayAgain(text));
      this.commands = el("code");
      this.status = el("p", { id: "kit-status", role: "status" });
      this.result = el("p", { class: "kit-result" });
      this.button = el("button", {
        type: "submit",
        class: "md-button md-button--primary",
        "aria-describedby": "kit-status",
        "aria-keyshortcuts": "Control+Enter Meta+Enter",
      });
      this.element = this._page();
    }

    /** Takes the choices from the address, else the name that was typed last time. */
    restore() {
      const found = KIT.fromHash(location.hash, this.defaults, this.offered);
      this.form.choices = found || { ...this.defaults, name: KIT.storedName() };
      this.refresh();
    }

    /** Keeps what was typed: the link in the address bar, the name for the other pages. */
    typed() {
      const choices = this.form.choices;
      try {
        history.replaceState(null, "", KIT.toHash(choices, this.defaults) || location.pathname + location.search);
      } catch {
        // Some browsers allow only so many changes of the address per second; the next one gets through.
      }
      this.refresh();
      if (!this.problems.name && choices.name !== KIT.storedName()) KIT.rememberName(choices.name);
    }

    /** Shows everything as the fields are now; while a field is wrong, its last right value stays in the preview. */
    refresh() {
      const choices = this.form.choices;
      this.problems = {
        name: choices.name && KIT.nameProblem(choices.name, this.data.rules),
        namespace: KIT.namespaceProblem(choices.namespace),
      };
      this.form.comment(this.problems);
      if (!this.problems.name) this.valid.name = choices.name || this.data.name;
      if (!this.problems.namespace) this.valid.namespace = choices.namespace;
      Object.assign(this.valid, { executor: choices.executor, add: choices.add });
      const { files, notes } = this.template.project(this.valid);
      this.preview.show(this.valid.name, files, notes);
      this.files = files;
      const reason = this.reason();
      this.button.textContent = `Download ${this.valid.name}.zip`;
      this.button.setAttribute("aria-disabled", String(reason !== ""));
      this.result.replaceChildren();
      this.say(reason);
      const right = (key) => (this.problems[key] ? "" : choices[key]);
      const shown = { ...choices, name: right("name"), namespace: right("namespace") };
      this.commands.textContent = KIT.toCommands(shown, this.defaults, this.archive, this.data.name);
    }

    /** @returns {string} why there is no download now, or nothing */
    reason() {
      if (!this.form.choices.name) return "Type a name, and the download is ready.";
      if (this.problems.name) return "No download yet: the service name is not valid.";
      return this.problems.namespace ? "No download yet: the namespace is not valid." : "";
    }

    /** Hands out the zip and shows its checksum; the same choices give the same bytes. */
    download() {
      const reason = this.reason();
      if (reason) {
        this.sayAgain(reason);
        const wrong = this.form.choices.name && !this.problems.name ? "namespace" : "name";
        this.form[wrong].input.focus();
        return;
      }
      const { name } = this.valid;
      const members = [...this.files].map(([path, file]) => ({
        path: `${name}/${path}`,
        executable: file.executable,
        bytes: KIT.bytesOf(file),
      }));
      const bytes = KIT.zip(members);
      KIT.save(`${name}.zip`, bytes, "application/zip");
      if (name !== KIT.storedName()) KIT.rememberName(name);
      this.say(`${name}.zip: ${members.length} files, ${Math.ceil(bytes.length / 1024)} KiB.`);
      this.result.replaceChildren("SHA-256 ", el("code", {}, KIT.sha256(bytes)));
    }

    /** @param {string} text for eyes and for screen readers */
    say(text) {
      if (this.status.textContent !== text) this.status.textContent = text;
    }

    /** @param {string} text that is heard, although it may have been said just before */
    sayAgain(text) {
      this.say("");
      setTimeout(() => this.say(text));
    }

    async _copied(text, what) {
      this.sayAgain(KIT.copied(await KIT.copyText(text), what));
    }

    _page() {
      const control = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";
      const keys = el("span", { class: "kit-muted" }, el("kbd", {}, control), " + ", el("kbd", {}, "Enter"));
      const share = this._side("Copy link to these choices", () => this._share());
      const copy = this._side("Copy commands", () => this._copied(this.commands.textContent, "the commands"));
      const title = el("strong", { id: "kit-commands" }, "The same without a browser");
      const code = { class: "kit-code", tabindex: "0", role: "region", "aria-labelledby": title.id };
      const submit = (event) => {
        event.preventDefault();
        this.download();
      };
      return el(
        "form",
        { class: "kit-form", novalidate: true, "aria-label": "Your project", submit },
        this.form.element,
        el("div", { class: "kit-actions" }, this.button, keys, share),
        this.status,
        this.result,
        this.preview.element,
        el("div", {}, el("p", { class: "kit-bar" }, title, copy), el("pre", code, this.commands)),
      );
    }

    _side(label, click) {
      return el("button", { type: "button", class: "kit-button", click }, label);
    }

    _share() {
      const address = location.href.replace(/#.*/, "") + KIT.toHash(this.form.choices, this.defaults);
      this._copied(address, "the link");
    }
  }

  /**
   * Builds the generator into its place on the page.
   * @param {HTMLElement} place
   * @param {URL} root of the site
   */
  KIT.startGenerator = (place, root) => {
    const generator = new Generator(window.KIT_TEMPLATE, root);
    generator.restore();
    place.replaceChildren(generator.element);
    window.addEventListener("hashchange", () => location.hash.includes("=") && generator.restore());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
      if (event.target.closest("[data-md-component=search]")) return;
      event.preventDefault();
      generator.download();
    });
  };
})();
