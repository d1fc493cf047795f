// Namespace and executor of a new project: configured() of template/kit/create.py.
"use strict";

(() => {
  const DEPLOYMENT = ".fission/deployment.json";
  // Edited as text, so that order and line breaks stay as they are.
  const NAMESPACE = /^( {2}"namespace": )"[^"\n]*"/m;
  const EXECUTOR = /^( {2}"function_defaults": \{[^{}]*"executor": )"[^"\n]*"/m;

  /**
   * @param {string} text of deployment.json
   * @param {{namespace: string, executor: string}} chosen valid ones
   * @returns {string}
   */
  const configured = (text, { namespace, executor }) =>
    text
      .replace(NAMESPACE, (_, before) => `${before}"${namespace}"`)
      .replace(EXECUTOR, (_, before) => `${before}"${executor}"`);

  window.KIT = Object.assign(window.KIT || {}, { DEPLOYMENT, configured });
})();
