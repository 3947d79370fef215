// Small helpers to build pages without a framework and without inline handlers.
const SVG = "http://www.w3.org/2000/svg";
const ICONS = "/static/console/icons.svg";

function set(node, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "class") node.setAttribute("class", value);
  else if (name === "value" && "value" in node) node.value = value;
  else if (name === "dataset") Object.assign(node.dataset, value);
  else node.setAttribute(name, value === true ? "" : String(value));
}

function fill(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

// h("button", {class: "primary", onclick: f}, "text", otherNode) -> element
export function h(tag, attributes, ...children) {
  const node = fill(document.createElement(tag), children); // children first: a select's value needs its options
  for (const [name, value] of Object.entries(attributes || {})) set(node, name, value);
  return node;
}

export function s(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) set(node, name, value);
  return fill(node, children);
}

export const icon = (name) => s("svg", { "aria-hidden": "true" }, s("use", { href: `${ICONS}#${name}` }));
export const $ = (selector, root = document) => root.querySelector(selector);
export const data = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");

// The node's text, written only when it is another: writing the same lays the page out again.
export function say(node, text) {
  const wanted = String(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function replace(node, ...children) {
  node.replaceChildren();
  return fill(node, children);
}

// A button that runs an async deed once at a time and shows that it works.
export function deed(attributes, label, run) {
  const button = h("button", { type: "button", class: "button", ...attributes }, label);
  button.addEventListener("click", () => busy(button, run));
  return button;
}

export async function busy(button, run) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await run();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

let serial = 0;
// A labelled control: field("Name", input, {hint: node, optional: "…"}).
export function field(label, control, { hint = null, note = "" } = {}) {
  control.id = control.id || `field-${++serial}`;
  if (hint) {
    hint.id = hint.id || `${control.id}-hint`;
    control.setAttribute("aria-describedby", hint.id);
  }
  return h("div", { class: "field" }, h("label", { for: control.id, class: "field" }, h("span", {}, label, note && h("em", {}, ` ${note}`))), control, hint);
}

// dialog(title, build(close) -> nodes) opens a modal dialog; the promise ends with what `close(value)` was given.
// Live pages open theirs beside the page (`modal: false`): the stop stays in reach.
export function dialog(title, build, className = "", { modal = true } = {}) {
  return new Promise((resolve) => {
    const node = h("dialog", { class: className, "aria-label": title });
    let result = null;
    const close = (value) => { result = value; node.close(); };
    fill(node, [h("h2", {}, title), build(close)]);
    node.addEventListener("close", () => { node.remove(); resolve(result); });
    document.body.append(node);
    if (modal) node.showModal();
    else node.show();
  });
}
