// Moving a booking on the board: dragged, or taken up with M and carried by arrows. The server has the last word.
import { call } from "./api.js";
import { h, icon, say } from "./dom.js";
import { errorNode, notice } from "./errors.js";
import { columnOf, lengthOf, PX_PER_MIN } from "./board_rows.js";
import { t } from "./texts.js";
import { clock, day, minutesOfDay, moment } from "./when.js";

const STEP_MIN = 5;
const STARTS_PX = 6; // less is a click
const EDGE_PX = 24, SCROLL_PX = 14, HEAD_PX = 46, SCALE_PX = 58; // design values; the last two as in board.css
const two = (n) => String(n).padStart(2, "0");
const words = (minute) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;

// mover({board, exam(id), view(), day(), onMoved(id or null), onIdle()}) -> {busy(), forget()}
export function mover({ board, exam: examOf, view, day: dayOf, onMoved, onIdle = () => {} }) {
  let held = null; // {id, exam, column, minute, from, ghost, pointer}
  const told = h("p", { class: "sr", "aria-live": "assertive" });
  board.node.after(told);

  function take(id, pointer) {
    const exam = examOf(id);
    if (!exam || !exam.allowed.includes("move")) {
      if (exam) say(told, t("board.fixed"));
      return false;
    }
    forget();
    const column = columnOf(exam, view());
    held = { id, exam, column, minute: minutesOfDay(exam.starts_at), pointer, from: { column, minute: minutesOfDay(exam.starts_at) } };
    held.ghost = h("div", { class: "ghost" }, h("strong", { class: "num" }), h("span", {}));
    held.ghost.style.height = `${lengthOf(exam) * PX_PER_MIN}px`;
    board.block(id).classList.add("lifted");
    show();
    return true;
  }

  function show() {
    const body = board.column(held.column);
    if (held.ghost.parentNode !== body) body.append(held.ghost);
    held.ghost.style.top = `${(held.minute - board.hours.from) * PX_PER_MIN}px`;
    say(held.ghost.firstChild, words(held.minute));
    const place = body.getAttribute("aria-label");
    say(held.ghost.lastChild, place);
    if (!held.pointer) {
      held.ghost.scrollIntoView({ block: "nearest", inline: "nearest" });
      say(told, t("board.carry", { time: words(held.minute), place }));
    }
  }

  function to(column, minute) {
    const last = board.hours.to - lengthOf(held.exam);
    held.column = column;
    held.minute = Math.max(board.hours.from, Math.min(last, Math.round(minute / STEP_MIN) * STEP_MIN));
    show();
  }

  function letGo() {
    if (!held) return null;
    const left = held;
    held = null;
    left.ghost.remove();
    board.block(left.id)?.classList.remove("lifted");
    return left;
  }

  function body({ exam, column, minute }) {
    const { mode, kind } = view();
    const startsAt = moment(mode === "week" ? column : dayOf(), words(minute)).toISOString();
    const changed = mode === "day" && exam[kind].id !== column;
    return { starts_at: startsAt, expected_starts_at: exam.starts_at, expected_team: exam.team, ...(changed ? { [`${kind}_id`]: column } : {}) };
  }

  async function drop() {
    const left = letGo();
    if (!left || (left.column === left.from.column && left.minute === left.from.minute)) return onIdle();
    const block = board.block(left.id);
    block?.setAttribute("aria-busy", "true");
    try {
      const moved = await call("POST", `exams/${left.id}/move`, body(left));
      notice(t("move.done", { day: day(moved.starts_at), time: clock(moved.starts_at) }));
      say(told, t("move.done", { day: day(moved.starts_at), time: clock(moved.starts_at) }));
      await onMoved(left.id);
    } catch (error) {
      refuse(left, error);
      await onMoved(null);
    } finally {
      board.block(left.id)?.removeAttribute("aria-busy");
    }
  }

  // The reason stands where the booking was to go, until it is closed or something else is done.
  function refuse(left, error) {
    const body = board.column(left.column) || board.node;
    const close = h("button", { type: "button", class: "quiet", "aria-label": t("close"), onclick: () => { forgetReason(); board.block(left.id)?.focus(); } }, icon("cancelled"));
    const box = h("div", { class: "refusal", "data-for": left.id }, errorNode(error), close);
    box.style.top = `${(left.minute - board.hours.from) * PX_PER_MIN}px`;
    body.append(box);
    const edge = board.node.getBoundingClientRect();
    if (box.getBoundingClientRect().right > edge.right) box.classList.add("to-left");
    close.focus();
    box.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function forgetReason() {
    for (const old of board.node.querySelectorAll(".refusal")) old.remove();
  }

  function forget() {
    forgetReason();
    letGo();
  }

  // A booking carried to the edge takes the board with it; where the board reaches beyond the window, first the page.
  function scrollNear({ clientX, clientY }) {
    const edge = board.node.getBoundingClientRect();
    const top = Math.max(edge.top, -HEAD_PX), bottom = Math.min(edge.bottom, window.innerHeight);
    const way = (at, from, to) => (at < from + EDGE_PX ? -1 : at > to - EDGE_PX ? 1 : 0);
    const down = way(clientY, top + HEAD_PX, bottom) * SCROLL_PX;
    if ((down > 0 && bottom < edge.bottom) || (down < 0 && edge.top < 0)) window.scrollBy(0, down);
    else board.node.scrollBy(0, down);
    board.node.scrollBy(way(clientX, edge.left + SCALE_PX, edge.right) * SCROLL_PX, 0);
  }

  let pressed = null;
  board.node.addEventListener("pointerdown", (event) => {
    const block = event.target.closest(".block");
    if (block && event.button === 0) pressed = { id: block.dataset.id, x: event.clientX, y: event.clientY, block };
  });
  window.addEventListener("pointermove", (event) => {
    if (!pressed) return;
    if (!held) {
      if (Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < STARTS_PX) return;
      if (!take(pressed.id, true)) { pressed = null; return; }
      pressed.grip = (pressed.y - pressed.block.getBoundingClientRect().top) / PX_PER_MIN;
      board.node.classList.add("dragging");
    }
    scrollNear(event);
    const place = board.at(event.clientX, event.clientY);
    if (place) to(place.column, place.minute - pressed.grip);
  });
  window.addEventListener("pointerup", () => {
    const dragged = pressed && held?.pointer;
    pressed = null;
    board.node.classList.remove("dragging");
    if (!dragged) return;
    // The click that ends a drag opens nothing; it comes, if at all, before the next turn.
    const swallow = (event) => { event.stopPropagation(); event.preventDefault(); };
    window.addEventListener("click", swallow, { capture: true });
    setTimeout(() => window.removeEventListener("click", swallow, { capture: true }), 0);
    drop();
  });
  function giveUp() {
    pressed = null;
    board.node.classList.remove("dragging");
    letGo();
    onIdle();
  }
  window.addEventListener("pointercancel", giveUp);
  window.addEventListener("keydown", (event) => { if (event.key === "Escape" && held?.pointer) giveUp(); });

  const KEYS = {
    ArrowUp: () => to(held.column, held.minute - STEP_MIN),
    ArrowDown: () => to(held.column, held.minute + STEP_MIN),
    ArrowLeft: () => beside(-1),
    ArrowRight: () => beside(1),
    Enter: () => drop(),
    Escape: () => { letGo(); say(told, t("board.let_go")); onIdle(); },
  };
  function beside(way) {
    const ids = board.columnIds, next = ids[ids.indexOf(held.column) + way];
    if (next) to(next, held.minute);
  }
  board.node.addEventListener("keydown", (event) => {
    const block = event.target.closest(".block");
    if (held && !held.pointer && KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    } else if (!held && block && event.code === "KeyM" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      take(block.dataset.id, false);
    } else if (event.key === "Escape") forgetReason();
  }, { capture: true });
  board.node.addEventListener("focusout", (event) => { if (held && !held.pointer && !board.node.contains(event.relatedTarget)) { letGo(); onIdle(); } });
  return { busy: () => held !== null, forget };
}
