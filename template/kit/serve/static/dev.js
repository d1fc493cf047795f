// What both pages share: making elements, reading JSON, and a form that calls a route and shows the answer.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== ""));
  return made;
}

export async function json(path, options = {}) {
  const answer = await fetch(path, options);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error || answer.statusText);
  return found;
}

export function post(path, body = "") {
  return json(path, { method: "POST", body, headers: { "X-Kit": "1" } });
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

// A place for an answer; screen readers say it when it changes.
export function output() {
  const place = element("div", { role: "status" });
  place.show = (title, good, text = "") => place.replaceChildren(
    element("p", { class: good ? "good" : "bad" }, title), text ? element("pre", { tabindex: "0", "aria-label": "Answer" }, text) : "",
  );
  return place;
}

function field(label, name, value = "", many = false, required = false) {
  const input = many ? element("textarea", { name, spellcheck: "false" }, value) : element("input", { name, value, required, autocomplete: "off" });
  return element("label", {}, label, input);
}

function fill(path, values) {
  return path.replace(/\{(\w+)[^/]*?\}/g, (_, name) => encodeURIComponent(values.get(`path.${name}`) ?? ""));
}

// route: {path, methods, variables, prefix, queries: [name], headers: [name], body: example text}
export function callForm(route, done = () => {}) {
  const answer = output();
  const writes = route.methods.some((method) => ["POST", "PUT", "PATCH", "DELETE"].includes(method));
  const methods = element("select", { name: "method" }, ...route.methods.map((method) => element("option", {}, method)));
  const form = element("form", {},
    element("label", {}, "Method", methods),
    ...route.variables.map((name) => field(name, `path.${name}`, "", false, true)),
    ...(route.prefix ? [field("Rest of the path", "rest")] : []),
    ...(route.queries ? route.queries.map((name) => field(`${name} (query)`, `query.${name}`)) : [field("Query, for example limit=5", "query")]),
    ...(writes ? [field("Body (JSON)", "body", route.body ?? "", true)] : []),
    ...(route.headers ?? []).map((name) => field(`${name} (header)`, `header.${name}`)),
    field("User (header X-User)", "user"),
    element("button", {}, "Send"), answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = new FormData(form), headers = {}, options = { method: values.get("method"), headers, redirect: "manual" };
    const queries = (route.queries ?? []).filter((name) => values.get(`query.${name}`));
    const query = route.queries ? new URLSearchParams(queries.map((name) => [name, values.get(`query.${name}`)])).toString() : values.get("query");
    const url = fill(route.path, values) + (values.get("rest") ?? "") + (query ? `?${query}` : "");
    for (const name of route.headers ?? []) if (values.get(`header.${name}`)) headers[name] = values.get(`header.${name}`);
    if (values.get("user")) headers["X-User"] = values.get("user");
    if (values.get("body") && !["GET", "HEAD"].includes(options.method)) {
      options.body = values.get("body");
      headers["Content-Type"] = "application/json";
    }
    const begin = performance.now();
    try {
      const got = await fetch(url, options), text = await got.text();
      answer.show(`${got.status} ${got.statusText} in ${Math.round(performance.now() - begin)} ms`, got.status < 400, pretty(text));
    } catch (error) {
      answer.show(`no answer: ${error.message}`, false);
    }
    done();
  });
  return form;
}

export function variables(path) {
  return [...path.matchAll(/\{(\w+)/g)].map((found) => found[1]);
}
