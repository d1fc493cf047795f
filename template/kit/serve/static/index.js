import { callForm, element, json, output, post, variables } from "./dev.js";

const place = (id) => document.getElementById(id);

function routeOf(route) {
  const path = route.path + (route.prefix ? " and everything below" : "");
  const form = callForm({ ...route, variables: variables(route.path) }, recent);
  return element("details", {}, element("summary", {}, element("code", {}, `${route.methods.join(" ")} ${path}`)), form);
}

function functionOf(found) {
  return element("article", { class: "card", id: found.name }, element("h3", {}, found.name),
    element("p", { class: "dim mono" }, `${found.file}:${found.line} · ${found.timeout_seconds} s at most`),
    ...found.routes.map(routeOf));
}

function timerOf(timer) {
  const answer = output();
  const fire = async (event) => {
    event.target.disabled = true;
    try {
      for (const outcome of await post(`/_dev/fire?name=${encodeURIComponent(timer.name)}`)) {
        answer.show(`${outcome.status}; ${outcome.note}`, outcome.status < 400, outcome.body);
      }
    } catch (error) { answer.show(error.message, false); }
    event.target.disabled = false;
    recent();
  };
  return element("article", { class: "card" }, element("h3", {}, timer.name),
    element("p", {}, element("code", {}, timer.cron), ` · ${timer.method} ${timer.subpath} · ${timer.function}`),
    element("p", { class: "dim" }, timer.next ? `next: ${timer.next}` : "never"),
    element("button", { type: "button", "aria-label": `Fire ${timer.name} now`, onclick: fire }, "Fire now"), answer);
}

function senderOf(trigger, watch) {
  const answer = output();
  const events = element("select", { name: "event" }, ...["ADDED", "MODIFIED", "DELETED"].map((name) => element("option", {}, name)));
  const form = element("form", {}, ...(watch ? [element("label", {}, "Event", events)] : []),
    element("label", {}, "Message", element("textarea", { name: "body", spellcheck: "false" })), element("button", {}, "Send"), answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = new FormData(form), query = new URLSearchParams({ name: trigger.name, ...(watch ? { event: values.get("event") } : {}) });
    try {
      for (const outcome of await post(`/_dev/send?${query}`, values.get("body"))) {
        answer.show(`${outcome.status}; ${outcome.note}`, outcome.status < 400, outcome.body);
      }
    } catch (error) { answer.show(error.message, false); }
    recent();
  });
  const what = watch ? "Kubernetes events" : `${trigger.type}, topic ${trigger.topic}`;
  return element("article", { class: "card" }, element("h3", {}, trigger.name), element("p", {}, `${what} · ${trigger.function}`), form);
}

function names(title, list) {
  return element("p", {}, `${title}: `, ...(list.length ? list.flatMap((name) => [element("code", {}, name), " "]) : ["none"]));
}

function showRecent(list) {
  const rows = list.map((one) => element("tr", {}, element("td", { class: "mono" }, one.at.slice(11, 19)), element("td", { class: "mono" }, `${one.method} ${one.url}`),
    element("td", { class: one.status < 400 ? "good" : "bad" }, String(one.status)), element("td", {}, `${(one.seconds * 1000).toFixed(1)} ms`), element("td", {}, one.function)));
  const head = element("tr", {}, ...["Time (UTC)", "Request", "Status", "Duration", "Function"].map((title) => element("th", { scope: "col" }, title)));
  place("recent").replaceChildren(list.length ? element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)) : element("p", { class: "dim" }, "None yet."));
}

async function recent() {
  showRecent((await json("/_dev/state.json")).recent);
}

function none(text) {
  return [element("p", { class: "dim" }, text)];
}

try {
  const state = await json("/_dev/state.json");
  document.title = `${state.project}: functions`;
  place("project").textContent = state.project;
  place("functions").replaceChildren(...(state.functions.length ? state.functions.map(functionOf) : none("There are no functions in src/ yet.")));
  const schedule = state.timers_run ? "They also fire on schedule." : "They fire by hand only; python -m kit serve --timers fires them on schedule.";
  place("timers").replaceChildren(...(state.timers.length ? [...none(schedule), ...state.timers.map(timerOf)] : none("No function has a timer.")));
  const others = [...state.queues.map((one) => senderOf(one, false)), ...state.watches.map((one) => senderOf(one, true))];
  place("queues").replaceChildren(...(others.length ? others : none("No function listens to a queue or to Kubernetes.")));
  place("settings").replaceChildren(names("Secrets, names only", state.secrets), names("Configs, names only", state.configs));
  showRecent(state.recent);
} catch (error) {
  place("problem").replaceChildren(element("p", { class: "bad" }, `The list cannot be shown: ${error.message}`));
}
document.body.dataset.ready = "yes";
