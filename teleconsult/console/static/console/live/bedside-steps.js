// The bedside's way to *ready*, one step after the other; a step is open, done or not yet its turn.
import { call } from "../api.js";
import { ConsentForm, choices } from "../consent_form.js";
import { h, replace } from "../dom.js";
import { t } from "../texts.js";
import { turnoverCard } from "../turnover.js";
import { codeWord, deed } from "./messages.js";

const IDENTIFIERS = ["name", "birth_date", "document_tail", "phone_tail"];
const QUESTIONS = ["wound_or_stoma", "recent_surgery", "known_aneurysm", "pain", "can_lie_still", "gel_allergy"];
const AFTER_READY = new Set(["ready", "live", "paused", "ended", "reported"]);
const PLACE_BEGINS_MS = 400;
const PLACE_MAX_MS = 30_000; // devices/wire/limits.py PLACE_TIMEOUT_MS
const HEADS = ["left", "right"];
const LIES = ["supine", "left_lateral", "right_lateral"];

const primary = (id, label) => h("button", { type: "button", id, class: "go-on" }, label);
const lead = (key) => h("p", { class: "lead" }, t(key));

export class Steps {
  // api: {exam(), post(path, body) -> exam, setExam(exam), request(type, fields), notes, state() -> safety state's name}
  constructor(list, body, api) {
    Object.assign(this, { list, body, api });
    this.memory = `bedside-${api.exam().id}`; // what only this tablet knows: placed, orientation set
    this.local = JSON.parse(sessionStorage.getItem(this.memory) ?? "{}");
    this.opened = null;
    this.shownKey = "";
    this.all = [
      ["turnover", (exam) => !exam.turnover?.length, () => this.#turnover()],
      ["check_in", (exam) => exam.state !== "booked", () => this.#checkIn()],
      ["identify", (exam) => Boolean(exam.checks?.bedside?.length), () => this.#identify()],
      ["checklist", (exam) => this.#checklistDone(exam), () => this.#checklist()],
      ["consent", (exam) => exam.consent !== null, () => this.#consent()],
      ["self_test", (exam) => Boolean(exam.self_test?.passed), () => this.#selfTest()],
      ["place", (exam) => AFTER_READY.has(exam.state) || Boolean(this.local.placed), () => this.#place()],
      ["orientation", (exam) => AFTER_READY.has(exam.state) || Boolean(this.local.oriented), () => this.#orientation()],
      ["ready", (exam) => AFTER_READY.has(exam.state), () => this.#ready()],
    ];
  }

  get exam() {
    return this.api.exam();
  }

  // The turnover is a step only while it is owed: nobody lies down before it.
  get steps() {
    return this.all.filter(([name, done]) => name !== "turnover" || !done(this.exam));
  }

  #checklistDone({ checklist }) {
    return Boolean(checklist) && (!checklist.concerns.length || checklist.agreed_by.length === 2);
  }

  get current() {
    return this.steps.find(([, done]) => !done(this.exam))?.[0] ?? "ready";
  }

  // True while the open step is paper work only: nobody can move the arm from here.
  get onPaper() {
    return ["turnover", "check_in", "identify", "checklist", "consent"].includes(this.opened ?? this.current);
  }

  #remember(what) {
    Object.assign(this.local, what);
    sessionStorage.setItem(this.memory, JSON.stringify(this.local));
    this.opened = null;
    this.show();
  }

  show() {
    const { current } = this;
    if (!this.steps.some(([name]) => name === this.opened)) this.opened = null;
    const opened = this.opened ?? current;
    replace(this.list, this.steps.map(([name, done], index) => {
      const state = done(this.exam) ? "done" : name === current ? "current" : "later";
      const button = h("button", { type: "button", "aria-current": name === opened ? "step" : null, disabled: state === "later" },
        h("i", {}, state === "done" ? "✓" : index + 1), h("span", {}, t(`bed.step.${name}`)));
      button.onclick = () => { this.opened = name === this.current ? null : name; this.show(); };
      return h("li", { class: `step step-${state}` }, button);
    }));
    this.#showBody(opened);
  }

  // A form keeps what was typed while news about the exam arrive: it is rebuilt only when its own facts change.
  #showBody(name) {
    const exam = this.exam;
    const facts = {
      turnover: [exam.turnover],
      identify: [exam.checks?.bedside], checklist: [exam.checklist], consent: [exam.consent], self_test: [exam.self_test, exam.robot.online],
      ready: [exam.state, exam.gates], place: [this.local.placed], orientation: [this.local.oriented],
    };
    const key = JSON.stringify([name, exam.state === "booked", facts[name] ?? []]);
    if (key === this.shownKey) return;
    this.shownKey = key;
    const build = this.steps.find(([step]) => step === name)[2];
    replace(this.body, h("h2", {}, t(`bed.step.${name}`)), build());
  }

  #act(button, run) {
    deed(button, this.api.notes, async () => {
      const exam = await run();
      if (exam?.id) {
        this.opened = null;
        this.api.setExam(exam);
      }
    });
    return button;
  }

  #turnover() {
    const again = async () => this.api.setExam(await call("GET", `exams/${this.exam.id}`, undefined, { staySignedOut: true }));
    return [lead("turnover.before"), this.exam.turnover.map((row) => turnoverCard(row, {
      modal: false,
      onChange: again,
      onError: (error) => { this.api.notes.error(error); again().catch(() => {}); },
    }))];
  }

  #checkIn() {
    return [lead("bed.check_in.lead"), this.#act(primary("check-in", t("bed.check_in.do")), () => this.api.post("check-in"))];
  }

  #identify() {
    const { patient } = this.exam;
    const ticks = IDENTIFIERS.filter((name) => patient[name]).map((name) =>
      h("label", { class: "tick" }, h("input", { type: "checkbox", value: name, id: `identify-${name}` }), h("span", {}, t(`live.identify.${name}`)), h("b", {}, patient[name])));
    const button = primary("identify", t("bed.identify.do"));
    button.disabled = true;
    const box = h("div", { class: "ticks" }, ticks);
    const chosen = () => [...box.querySelectorAll("input:checked")].map((input) => input.value);
    box.onchange = () => { button.disabled = chosen().length < 2; };
    return [lead("bed.identify.lead"), box, this.#act(button, () => this.api.post("identify", { confirmed: chosen() }))];
  }

  #checklist() {
    const { checklist } = this.exam;
    if (checklist?.concerns.length && !this.redo) return this.#concerns(checklist);
    this.redo = false;
    const answers = checklist?.answers ?? {};
    const meal = h("input", { id: "last-meal", maxlength: 200, placeholder: t("bed.checklist.last_meal_hint"), value: answers.last_meal ?? "" });
    const rows = QUESTIONS.map((name) => h("div", { class: "question" }, h("span", {}, t(`bed.checklist.${name}`)),
      choices(name, ["true", "false"], (value) => t(value === "true" ? "bed.yes" : "bed.no"), name in answers ? String(answers[name]) : null)));
    const form = h("div", { class: "checklist" }, h("div", { class: "question" }, h("label", { for: "last-meal" }, t("bed.checklist.last_meal")), meal), rows);
    const read = () => {
      const found = { last_meal: meal.value.trim() };
      for (const name of QUESTIONS) {
        const picked = form.querySelector(`input[name=${name}]:checked`);
        if (!picked || !found.last_meal) throw { title: t("bed.checklist.answer_all"), code: "checklist_incomplete" };
        found[name] = picked.value === "true";
      }
      return found;
    };
    return [form, this.#act(primary("checklist", t("bed.checklist.do")), async () => this.api.post("checklist", { answers: read() }))];
  }

  #concerns({ concerns, agreed_by: agreed }) {
    const words = h("p", { class: "concerns" }, concerns.map((name) => t(`live.concern.${name}`)).join("、"));
    const redo = h("button", { type: "button", class: "button" }, t("bed.step.redo"));
    redo.onclick = () => { this.redo = true; this.shownKey = ""; this.show(); };
    const both = agreed.length === 2;
    const state = h("p", { class: both ? "good" : "lead" }, t(both ? "bed.checklist.all_agreed" : "bed.checklist.agreed"));
    const mine = agreed.includes("bedside");
    return [lead("bed.checklist.concerns"), words,
      mine ? state : this.#act(primary("agree", t("bed.checklist.agree")), () => this.api.post("checklist/agree")), !both && redo];
  }

  #consent() {
    const { consent } = this.exam;
    if (consent) return this.#consentDone(consent);
    const form = new ConsentForm();
    this.#consentText(form);
    return [form.node, this.#act(primary("consent", t("bed.consent.do")), async () => this.api.post("consents", form.read()))];
  }

  async #consentText(form) {
    try {
      form.show(await call("GET", "consent-texts/current?kind=remote_exam", undefined, { staySignedOut: true }));
    } catch (error) {
      this.api.notes.error(error);
      replace(form.text, error.title);
    }
  }

  #consentDone(consent) {
    const at = new Intl.DateTimeFormat("zh-CN", { dateStyle: "short", timeStyle: "short", timeZone: "Asia/Shanghai" }).format(new Date(consent.given_at));
    const reason = h("input", { id: "withdraw-reason", maxlength: 500, placeholder: t("bed.consent.withdraw_reason"), "aria-label": t("bed.consent.withdraw_reason") });
    const button = h("button", { type: "button", id: "withdraw", class: "button danger" }, t("bed.consent.withdraw"));
    return [h("p", { class: "good" }, `✓ ${t("bed.consent.recorded", { how: t(`bed.consent.${consent.method}`), at })}`),
      h("a", { class: "button", href: `/console/consents/${consent.id}/print/`, target: "_blank", rel: "noopener" }, t("print")),
      h("a", { class: "button", href: `/console/patients/${this.exam.patient.id}/consents/`, target: "_blank", rel: "noopener" }, t("consent.others")),
      h("div", { class: "withdraw" }, reason, this.#act(button, () => this.api.post("consents/withdraw", { reason: reason.value.trim() })))];
  }

  #selfTest() {
    const { self_test: test, robot } = this.exam;
    const running = test?.status === "running";
    const rows = (test?.checks ?? []).map((check) => h("li", { class: check.ok ? "good" : "bad" },
      `${check.ok ? "✓" : "✕"} ${codeWord(check.code)}`, check.value !== undefined && check.value !== null && h("span", { class: "num" }, ` ${check.value} ${check.unit ?? ""}`)));
    const state = running ? h("p", { class: "lead lv-busy" }, t("bed.self_test.running"))
      : test && h("p", { class: test.passed ? "good" : "bad" }, t(`bed.self_test.${test.status}`));
    const button = primary("self-test", t("bed.self_test.do"));
    button.disabled = running || !robot.online;
    return [lead("bed.self_test.lead"), !robot.online && h("p", { class: "bad" }, t("live.robot.offline")), state,
      rows.length > 0 && h("ul", { class: "checks" }, rows), !test?.passed && this.#act(button, () => this.api.post("self-test"))];
  }

  #place() {
    const move = primary("place", t("bed.place.do"));
    const right = primary("placed", t("bed.place.confirm"));
    right.disabled = !this.local.placed && !this.asked;
    this.#act(move, async () => {
      await this.api.request("place", { site: "right_upper_quadrant" });
      this.api.notes.say(t("bed.place.moving"));
      await this.#moved();
      this.asked = true;
      right.disabled = false;
    });
    right.onclick = () => this.#remember({ placed: true });
    return [lead("bed.place.lead"), h("div", { class: "lv-row" }, move, right)];
  }

  // Until the robot reports that the move to the start is over (it may be over before it was seen).
  #moved() {
    const deadline = performance.now() + PLACE_MAX_MS;
    const begun = performance.now() + PLACE_BEGINS_MS;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        const moving = this.api.state() === "place" || performance.now() < begun;
        if (moving && performance.now() < deadline) return;
        clearInterval(timer);
        resolve();
      }, 100);
    });
  }

  #orientation() {
    const form = h("div", { class: "orientation" },
      h("p", {}, t("bed.orientation.head")), choices("head", HEADS, (value) => t(`bed.orientation.head.${value}`), this.local.head ?? "left"),
      h("p", {}, t("bed.orientation.lie")), choices("lie", LIES, (value) => t(`bed.orientation.lie.${value}`), this.local.lie ?? "supine"));
    const value = (name) => form.querySelector(`input[name=${name}]:checked`).value;
    const button = primary("orientation", t("bed.orientation.do"));
    this.#act(button, async () => {
      const wanted = { head: value("head"), lie: value("lie") };
      await this.api.request("orientation", wanted);
      this.#remember({ oriented: true, ...wanted });
    });
    return [form, button];
  }

  #ready() {
    const { state, gates } = this.exam;
    if (AFTER_READY.has(state)) return h("p", { class: "good" }, t("bed.ready.waiting"));
    const mine = new Set(["agreement_missing", "turnover_open", "identifiers_bedside_missing", "checklist_missing", "checklist_not_agreed", "consent_missing", "robot_overdue", "robot_offline", "self_test_missing"]);
    const open = gates.filter((gate) => !gate.ok && mine.has(gate.code));
    return [lead("bed.ready.lead"), open.length > 0 && h("div", { class: "bad" }, t("bed.ready.missing"), h("ul", {}, open.map((gate) => h("li", {}, gate.title)))),
      this.#act(primary("ready", t("bed.ready.do")), () => this.api.post("ready"))];
  }
}
