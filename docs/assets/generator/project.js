// A project as create-project.sh makes it from the archive: renamed, with the chosen settings and examples.
"use strict";

/**
 * One file; text or, when it is none, bytes in base64.
 * @typedef {{executable: boolean, text?: string, base64?: string}} ProjectFile
 */

(() => {
  const { DEPLOYMENT, adopt, byCodePoint, configured, manifestText, namePattern, renameText, sha256 } = window.KIT;
  const MANIFEST = ".kit-manifest.json";

  /**
   * @param {ProjectFile} file
   * @returns {Uint8Array} its content
   */
  const bytesOf = (file) =>
    file.text === undefined
      ? Uint8Array.from(atob(file.base64), (letter) => letter.charCodeAt(0))
      : new TextEncoder().encode(file.text);

  class Template {
    /** @param {{name: string, version: string, files: (ProjectFile & {path: string})[]}} data KIT_TEMPLATE */
    constructor(data) {
      this.name = data.name;
      this.version = data.version;
      this.files = new Map(data.files.map(({ path, ...file }) => [path, file]));
      this.sums = JSON.parse(this.files.get(MANIFEST).text).files;
      this.files.delete(MANIFEST);
    }

    /** @returns {object} the settings of the project, as they are published */
    get settings() {
      return JSON.parse(this.files.get(DEPLOYMENT).text);
    }

    /**
     * Makes the steps of create() of template/kit/create.py in their order.
     * @param {Choices} choices valid ones
     * @returns {{files: Map<string, ProjectFile>, notes: Map<string, string>}} sorted by path
     */
    project(choices) {
      const files = this._renamed(choices.name);
      const deployment = files.get(DEPLOYMENT);
      files.set(DEPLOYMENT, { ...deployment, text: configured(deployment.text, choices) });
      const notes = adopt(files, choices.add);
      return { files: new Map([...files].sort(([a], [b]) => byCodePoint(a, b))), notes };
    }

    /** The template under another name, with a manifest of what the files are like then. */
    _renamed(name) {
      const files = new Map();
      const sums = new Map();
      for (const [path, file] of this.files) {
        const place = renameText(path, this.name, name);
        const has = file.text !== undefined && namePattern(this.name).test(file.text);
        const renamed = has ? { ...file, text: renameText(file.text, this.name, name) } : file;
        files.set(place, renamed);
        sums.set(place, has ? sha256(bytesOf(renamed)) : this.sums[path]);
      }
      files.set(MANIFEST, { executable: false, text: manifestText(this.version, sums) });
      return files;
    }
  }

  Object.assign(window.KIT, { Template, bytesOf });
})();
