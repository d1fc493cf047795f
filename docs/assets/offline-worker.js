// Browsers start no worker from a file. For the guide that is read from a folder, search works in a hidden frame instead.
"use strict";
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    /** @param {string} url of the worker's script */
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "Search";
      document.documentElement.append(frame);
      this.inner = frame.contentWindow;
      // Else a browser may load the empty page later, and throw away what was put into the first one.
      this.inner.document.open();
      this.inner.document.write("<!doctype html><title>Search</title><body></body>");
      this.inner.document.close();
      this.inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      const script = this.inner.document.createElement("script");
      this.loaded = new Promise((done) => (script.onload = done));
      script.src = url;
      this.inner.document.body.append(script);
    }

    /** @param {unknown} data for the script's "message" listener */
    async postMessage(data) {
      await this.loaded;
      this.inner.dispatchEvent(new MessageEvent("message", { data }));
    }
  };
}
