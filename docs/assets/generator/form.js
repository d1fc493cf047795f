// The fields of the download page.
"use strict";

(() => {
  const { el } = window.KIT;

  /** What a reader should know to choose, by type of executor. */
  const EXECUTORS = {
    poolmgr: () => "Takes a warm pod from a pool when a request comes, and gives it back when it is idle.",
    newdeploy: (profile) =>
      `Keeps ${profile.min_scale} to ${profile.max_scale} pods of its own and scales them by load; none is shared.`,
    container: () => "Runs an image of your own.",
  };

  class Form {
    /**
     * @param {Choices} defaults
     * @param {Object<string, {type: string}>} executors profiles by name
     * @param {{name: string, says: string}[]} examples
     * @param {() => void} onChange
     */
    constructor(defaults, executors, examples, onChange) {
      this.executors = executors;
      this.name = this._text("name", "Service name", "orders", "It names the folder, the functions and the database.");
      this.namespace = this._text("namespace", "Namespace", "default", "Where the cluster keeps your functions.");
      this.executor = el(
        "select",
        { id: "kit-executor", "aria-describedby": "kit-executor-hint" },
        ...Object.keys(executors).map((name) => el("option", { value: name }, name)),
      );
      this.executorHint = el("p", { id: "kit-executor-hint", class: "kit-hint" });
      this.examples = examples.map(({ name }) => el("input", { type: "checkbox", name: "add", value: name }));
      this.element = el(
        "div",
        { class: "kit-fields", input: onChange },
        this.name.field,
        this.namespace.field,
        el("div", {}, el("label", { for: "kit-executor" }, "Executor"), this.executor, this.executorHint),
        this._choices(examples),
      );
      this.choices = defaults;
    }

    /** @returns {Choices} */
    get choices() {
      return {
        name: this.name.input.value,
        namespace: this.namespace.input.value,
        executor: this.executor.value,
        add: this.examples.filter((box) => box.checked).map((box) => box.value),
      };
    }

    /** @param {Choices} choices */
    set choices(choices) {
      this.name.input.value = choices.name;
      this.namespace.input.value = choices.namespace;
      this.executor.value = choices.executor;
      for (const box of this.examples) box.checked = choices.add.includes(box.value);
    }

    /**
     * Says what is wrong beside the field that it is about, and what the chosen executor does.
     * @param {{name: string, namespace: string}} problems empty where there is none
     */
    comment(problems) {
      for (const key of ["name", "namespace"]) {
        const { input, problem } = this[key];
        if (problem.textContent !== problems[key]) problem.textContent = problems[key];
        if (problems[key]) input.setAttribute("aria-invalid", "true");
        else input.removeAttribute("aria-invalid");
      }
      const profile = this.executors[this.executor.value];
      this.executorHint.textContent = EXECUTORS[profile.type](profile);
    }

    _text(key, label, placeholder, hint) {
      const id = `kit-${key}`;
      const input = el("input", {
        id,
        type: "text",
        placeholder,
        autocomplete: "off",
        autocapitalize: "none",
        spellcheck: "false",
        "aria-describedby": `${id}-hint ${id}-problem`,
      });
      const problem = el("p", { id: `${id}-problem`, class: "kit-problem", "aria-live": "polite" });
      const note = el("p", { id: `${id}-hint`, class: "kit-hint" }, hint);
      return { input, problem, field: el("div", {}, el("label", { for: id }, label), input, note, problem) };
    }

    _choices(examples) {
      if (!examples.length) return "";
      const rows = examples.map(({ name, says }, n) =>
        el("label", {}, this.examples[n], el("span", {}, el("strong", {}, name), ` ${says}`)),
      );
      const legend = el("legend", {}, "Examples to build on");
      return el("fieldset", { class: "kit-examples" }, legend, ...rows);
    }
  }

  window.KIT.Form = Form;
})();
