import { callForm, element, json, variables } from "./dev.js";

const place = (id) => document.getElementById(id);
const api = await json("/_dev/openapi.json").catch((error) => {
  place("problem").replaceChildren(element("pre", { class: "bad" }, error.message));
  place("operations").replaceChildren();
});

function follow(schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? api.components.schemas[name] : schema ?? {};
}

// An example value for a schema: defaults and examples first, then the smallest thing that fits the type.
function example(schema, depth = 0) {
  const found = follow(schema);
  if (found.default !== undefined) return found.default;
  if (found.examples) return found.examples[0];
  if (found.enum) return found.enum[0];
  const choice = found.anyOf ?? found.oneOf;
  if (choice) return example(choice.find((one) => one.type !== "null") ?? {}, depth);
  if (found.type === "object" && depth < 4) {
    const required = Object.entries(found.properties ?? {}).filter(([name]) => found.required?.includes(name));
    return Object.fromEntries(required.map(([name, one]) => [name, example(one, depth + 1)]));
  }
  return { array: [], boolean: false, integer: found.minimum ?? found.exclusiveMinimum + 1 ?? 0, number: found.minimum ?? 0, string: "text" }[found.type] ?? null;
}

function operationOf(path, method, operation) {
  const body = operation.requestBody?.content["application/json"].schema;
  const parameters = operation.parameters ?? [];
  const route = {
    path, methods: [method.toUpperCase()], variables: variables(path), prefix: operation["x-fission-prefix"],
    queries: parameters.filter((one) => one.in === "query").map((one) => one.name),
    headers: parameters.filter((one) => one.in === "header" && one.name !== "X-User").map((one) => one.name),
    body: body ? JSON.stringify(example(body), null, 2) : "",
  };
  const rows = Object.entries(operation.responses).map(([status, answer]) => {
    const [kind, media] = Object.entries(answer.content ?? {})[0] ?? [];
    return element("p", {}, `${status}: ${answer.description} `, media ? element("code", {}, `${kind} ${media.schema.$ref?.split("/").pop() ?? ""}`) : "");
  });
  return element("details", {}, element("summary", {}, element("code", {}, `${route.methods[0]} ${path}`), ` ${operation.summary}`),
    element("p", { class: "dim" }, operation.description), ...rows, callForm(route));
}

if (api) {
  document.title = `${api.info.title}: API`;
  place("project").textContent = api.info.title;
  place("operations").replaceChildren(...api.tags.map((tag) => element("section", { class: "card" }, element("h2", {}, tag.name), element("p", { class: "dim" }, tag.description),
    ...Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).filter(([, one]) => one.tags.includes(tag.name)).map(([method, one]) => operationOf(path, method, one))))));
  place("models").replaceChildren(...Object.entries(api.components.schemas).map(([name, schema]) => element("details", {}, element("summary", {}, name), element("pre", { tabindex: "0", "aria-label": name }, JSON.stringify(schema, null, 2)))));
}
document.body.dataset.ready = "yes";
