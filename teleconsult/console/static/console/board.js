// The board's grid: a column for each calendar or day, a block for each exam. Blocks live on from look to look.
import { h, icon, say } from "./dom.js";
import { either } from "./exams.js";
import { bandsOf, columnOf, columnsOf, examsOf, hoursOf, lanesOf, lateMs, PX_PER_MIN } from "./board_rows.js";
import { t } from "./texts.js";
import { clock, day, minutesOfDay, span } from "./when.js";

const px = (minutes) => `${minutes * PX_PER_MIN}px`;
const RUNNING = ["live", "paused"];

// The state of the link in words, for exams that are prepared or run; null when nothing is to be said.
export function linkWords(exam) {
  const link = exam.link;
  if (!link || (!RUNNING.includes(exam.state) && exam.state !== "ready")) return null;
  if (!link.bedside) return { bad: true, text: t("board.link.no_bedside") };
  if (!link.console) return { bad: RUNNING.includes(exam.state), text: t("board.link.no_console") };
  if (link.good === false) return { bad: true, text: t("board.link.poor") };
  return { bad: false, text: link.rtt_p95_ms ? t("board.link.ms", { n: Math.round(link.rtt_p95_ms) }) : t("board.link.good") };
}

// A long name has as many stars as hidden letters, which would push the rest of it out of a narrow block.
const fewStars = (masked) => masked.replace(/\*{3,}/, "…");

function lines(exam, now) {
  const late = lateMs(exam, now);
  const link = linkWords(exam);
  return [
    h("span", { class: "block-who" }, h("span", { class: "num" }, clock(exam.starts_at)), " ", exam.queue_number && h("span", { class: "tag num" }, exam.queue_number), fewStars(exam.patient.name_masked)),
    h("span", { class: "block-what" }, either(exam.exam_type)),
    h("span", { class: "block-state" }, icon(exam.state), t(`state.${exam.state}`),
      late > 0 && h("strong", { class: "block-late" }, t("board.late", { time: span(late) })),
      link && h("span", { class: link.bad ? "block-link bad" : "block-link" }, link.text)),
  ];
}

// new Board(node, {onOpen(id), onGrab(id)}): `draw` shows a look; `block(id)` and `column(id)` are its parts.
export class Board {
  constructor(node, { onOpen }) {
    this.node = node;
    this.blocks = new Map();
    this.columns = new Map();
    this.rows = new Map(); // exam id -> {column, start}, for the arrow keys
    this.selected = null;
    this.shape = "";
    node.addEventListener("click", (event) => {
      const block = event.target.closest(".block");
      if (block) onOpen(block.dataset.id);
    });
    node.addEventListener("keydown", (event) => this.#arrow(event));
    node.addEventListener("focusin", (event) => this.#stop(event.target.closest(".block")));
  }

  block(id) { return this.blocks.get(id) || null; }
  column(id) { return this.columns.get(id)?.body || null; }
  get columnIds() { return [...this.columns.keys()]; }

  draw(board, view, now = Date.now()) {
    const columns = columnsOf(board, view), exams = examsOf(board, view);
    const hours = hoursOf(exams);
    const shape = JSON.stringify([view, hours, columns.map((column) => [column.id, column.title])]);
    if (shape !== this.shape) this.#frame(columns, hours);
    this.shape = shape;
    this.hours = hours;
    for (const column of columns) this.#bands(column);
    const byColumn = Map.groupBy ? Map.groupBy(exams, (exam) => columnOf(exam, view)) : group(exams, view);
    const seen = new Set();
    for (const column of columns) {
      for (const row of lanesOf(byColumn.get(column.id) || [])) {
        this.#put(column.id, row, now);
        seen.add(row.exam.id);
      }
    }
    for (const [id, node] of this.blocks) if (!seen.has(id)) { node.remove(); this.blocks.delete(id); this.rows.delete(id); }
    this.#now(columns, now);
    if (!this.node.querySelector(".block[tabindex='0']")) this.#stop(this.node.querySelector(".block"));
  }

  select(id) {
    this.block(this.selected)?.removeAttribute("aria-current");
    this.selected = id;
    this.block(id)?.setAttribute("aria-current", "true");
  }

  // The column and the minute of the day under a point of the window; null beside the columns.
  at(x, y) {
    for (const [id, { body }] of this.columns) {
      const box = body.getBoundingClientRect();
      if (x >= box.left && x < box.right) return { column: id, minute: this.hours.from + (y - box.top) / PX_PER_MIN };
    }
    return null;
  }

  #frame(columns, hours) {
    this.columns.clear();
    this.blocks.clear();
    const ticks = [];
    for (let minute = hours.from; minute < hours.to; minute += 60) ticks.push(h("span", {}, `${String(minute / 60).padStart(2, "0")}:00`));
    ticks.forEach((tick, n) => { tick.style.top = px(n * 60); });
    const scale = h("div", { class: "board-scale", "aria-hidden": "true" }, ticks);
    const parts = columns.map((column) => {
      const head = h("div", { class: "board-head" }, h("strong", {}, column.title), h("span", { class: "small" }));
      const body = h("div", { class: "board-column", role: "group", "aria-label": column.title, "data-column": column.id });
      body.style.height = px(hours.to - hours.from);
      this.columns.set(column.id, { head, body, bands: "" });
      return h("div", { class: "board-part" }, head, body);
    });
    this.node.replaceChildren(h("div", { class: "board-left" }, h("div", { class: "board-head" }), scale), ...parts);
  }

  #bands(column) {
    const part = this.columns.get(column.id), line = column.line;
    say(part.head.lastChild, line?.online === false ? t("robot.offline") : line?.problem ? t("board.problem") : "");
    part.head.lastChild.classList.toggle("bad-text", Boolean(line?.online === false || line?.problem));
    if (!line) return;
    const wanted = JSON.stringify([line.busy, line.closed]);
    if (part.bands === wanted) return;
    part.bands = wanted;
    for (const old of part.body.querySelectorAll(".band")) old.remove();
    const bands = [["closed", line.closed], ["busy", line.busy]].flatMap(([kind, spans]) => bandsOf(spans, column.day).map((band) => [kind, band]));
    part.body.prepend(...bands.map(([kind, band]) => this.#band(kind, band)).filter(Boolean));
  }

  #band(kind, { from, to }) {
    const top = Math.max(from, this.hours?.from ?? from), bottom = Math.min(to, this.hours?.to ?? to);
    if (bottom <= top) return null;
    const node = h("div", { class: `band ${kind}`, "aria-hidden": "true", title: t(`board.${kind}`) });
    node.style.top = px(top - this.hours.from);
    node.style.height = px(bottom - top);
    return node;
  }

  #put(columnId, { exam, lane, lanes, start, length }, now) {
    let node = this.blocks.get(exam.id);
    if (!node) {
      node = h("button", { type: "button", "data-id": exam.id, tabindex: -1 });
      this.blocks.set(exam.id, node);
    }
    this.rows.set(exam.id, { column: columnId, start });
    const late = lateMs(exam, now);
    const wanted = JSON.stringify([exam, late && span(late)]);
    if (node.looks !== wanted) {
      node.looks = wanted;
      node.className = `block ${exam.state}${late ? " late" : ""}${length < 18 ? " short" : ""}`;
      node.replaceChildren(...lines(exam, now));
      node.title = [`${clock(exam.starts_at)}–${clock(exam.ends_at)}`, exam.queue_number, exam.patient.name_masked, either(exam.exam_type), t(`state.${exam.state}`)].filter(Boolean).join(" · ");
    }
    Object.assign(node.style, { top: px(start - this.hours.from), height: px(length), left: `${(lane * 100) / lanes}%`, width: `${100 / lanes}%` });
    if (exam.id === this.selected) node.setAttribute("aria-current", "true");
    const body = this.columns.get(columnId).body;
    if (node.parentNode !== body) {
      const focused = document.activeElement === node;
      body.append(node);
      if (focused) node.focus();
    }
  }

  #now(columns, now) {
    const minute = minutesOfDay(now);
    for (const column of columns) {
      const body = this.columns.get(column.id).body;
      let line = body.querySelector(".now");
      const shown = column.day === day(now) && minute >= this.hours.from && minute <= this.hours.to;
      if (!shown) { line?.remove(); continue; }
      if (!line) { line = h("div", { class: "now", "aria-hidden": "true" }); body.append(line); }
      line.style.top = px(minute - this.hours.from);
    }
  }

  // One block is reached by Tab, the others by arrows.
  #stop(block) {
    if (!block) return;
    for (const other of this.node.querySelectorAll(".block[tabindex='0']")) other.tabIndex = -1;
    block.tabIndex = 0;
  }

  #arrow(event) {
    const here = this.rows.get(event.target.dataset?.id);
    if (!here || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = { ArrowUp: () => this.#beside(here, -1), ArrowDown: () => this.#beside(here, 1), ArrowLeft: () => this.#across(here, -1), ArrowRight: () => this.#across(here, 1) }[event.key]?.();
    if (next === undefined) return;
    event.preventDefault();
    if (next) this.block(next).focus();
  }

  #beside({ column, start }, way) {
    const rows = [...this.rows].filter(([, row]) => row.column === column && Math.sign(row.start - start) === way);
    return rows.sort(([, a], [, b]) => way * (a.start - b.start))[0]?.[0] ?? null;
  }

  #across({ column, start }, way) {
    const ids = this.columnIds;
    for (let n = ids.indexOf(column) + way; n >= 0 && n < ids.length; n += way) {
      const rows = [...this.rows].filter(([, row]) => row.column === ids[n]);
      if (rows.length) return rows.sort(([, a], [, b]) => Math.abs(a.start - start) - Math.abs(b.start - start))[0][0];
    }
    return null;
  }
}

function group(exams, view) {
  const found = new Map();
  for (const exam of exams) found.set(columnOf(exam, view), [...(found.get(columnOf(exam, view)) || []), exam]);
  return found;
}
