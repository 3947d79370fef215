// The page's sentences, in the page's language: a table written into the page by the server.
const table = JSON.parse(document.getElementById("texts")?.textContent || "{}");

// t("book.done", {name}) fills `{name}`. A missing key shows itself as the key: the tests look for that.
export function t(key, values = {}) {
  const sentence = table[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const known = (key) => key in table;
