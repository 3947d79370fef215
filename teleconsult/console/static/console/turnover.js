// What a robot, a room or a probe owes to its next patient: one line an item, a press signs it in one's own name.
import { call } from "./api.js";
import { busy, dialog, field, h } from "./dom.js";
import { either } from "./exams.js";
import { t } from "./texts.js";
import { clock } from "./when.js";

export const where = (row) => [row.robot, row.room, row.probe].filter(Boolean).map(either).join(" · ");
export const isOwed = (row) => row.due && row.open.length > 0;
export const leftText = (row) => (row.open.length ? t("turnover.left", { n: row.open.length }) : t("turnover.complete"));
const signature = (tick) => [either(tick.means), tick.by, clock(tick.at)].filter(Boolean).join(" · ");

function askReason(item, modal) {
  return dialog(t("turnover.take_back_title", { item: either(item) }), (close) => {
    const reason = h("input", { maxlength: 500, required: true, autocomplete: "off" });
    const send = (event) => { event.preventDefault(); if (reason.value.trim()) close(reason.value.trim()); };
    return h("form", { onsubmit: send }, field(t("turnover.reason"), reason),
      h("div", { class: "actions" }, h("button", { class: "button danger" }, t("turnover.take_back_do")),
        h("button", { class: "button", type: "button", onclick: () => close(null) }, t("cancel_form"))));
  }, "turnover-ask", { modal });
}

// The card of one turnover. `onChange(row)` gets it as it then is; `onError(error)` whatever was refused.
export function turnoverCard(row, { onChange, onError, modal = true }) {
  const send = async (button, path, body) => busy(button, async () => {
    try {
      onChange(await call("POST", `turnovers/${row.id}/${path}`, body, { staySignedOut: !modal }));
    } catch (error) {
      onError(error);
    }
  });
  const sign = (item, means) => h("button", { type: "button", class: "turnover-sign", "data-item": item.code, "data-means": means?.code, disabled: !row.due, onclick: (event) => send(event.currentTarget, "sign", { item: item.code, means: means?.code ?? "" }) },
    means ? either(means) : t("turnover.sign"));
  const takeBack = (item) => h("button", { type: "button", class: "quiet", "aria-label": t("turnover.take_back_title", { item: either(item) }), onclick: async (event) => {
    const button = event.currentTarget;
    const reason = await askReason(item, modal);
    if (reason) await send(button, "take-back", { item: item.code, reason });
  } }, t("turnover.take_back"));
  const line = (item) => {
    const last = item.ticks.at(-1);
    return h("li", { class: item.done ? "turnover-item done" : "turnover-item", "data-item": item.code },
      h("span", { class: "turnover-name" }, h("i", { "aria-hidden": "true" }, item.done ? "✓" : "○"), h("span", {}, either(item),
        last && h("small", { class: item.done ? "muted" : "bad-text" }, item.done ? signature(last) : t("turnover.was_taken_back", { by: last.by, at: clock(last.at), reason: last.reason })))),
      h("span", { class: "turnover-deeds" }, item.done ? takeBack(item) : item.means.length ? item.means.map((means) => sign(item, means)) : sign(item, null)));
  };
  return h("section", { class: `turnover${row.open.length ? " open" : ""}`, "data-turnover": row.id, "aria-label": `${t("turnover.title")} ${where(row)}` },
    h("h2", {}, h("span", {}, t("turnover.title"), " · ", where(row)), h("span", { class: row.open.length ? "mark warn" : "mark good" }, leftText(row))),
    !row.due && h("p", { class: "note" }, t("turnover.not_due")),
    h("ul", {}, row.items.map(line)));
}
