// Saves 2 s after the last change, one request at a time, newest text wins; says when it was saved.
const QUIET_MS = 2000; // design value: long enough not to save every stroke
const RETRY_MS = 5000;

// autosave({read() -> text object, save(text, revision) -> {revision}, onState(kind, error)}) kinds: dirty saving saved failed conflict
export function autosave({ read, save, onState, revision }) {
  let current = revision;
  let dirty = false;
  let stopped = false;
  let timer = 0;
  let running = null;

  async function run() {
    clearTimeout(timer);
    if (running) await running;
    if (!dirty || stopped) return;
    dirty = false;
    onState("saving");
    running = save(read(), current).then((answer) => {
      current = answer.revision;
      onState(dirty ? "dirty" : "saved", null, answer);
    }).catch((error) => {
      dirty = true;
      if (error.code === "stale_revision") stopped = true;
      else timer = setTimeout(run, RETRY_MS);
      onState(error.code === "stale_revision" ? "conflict" : "failed", error);
    }).finally(() => { running = null; });
    await running;
  }

  return {
    changed() {
      dirty = true;
      if (stopped) return;
      onState("dirty");
      clearTimeout(timer);
      timer = setTimeout(run, QUIET_MS);
    },
    // Saves at once what is not saved; true when nothing is left unsaved.
    async flush() {
      await run();
      return !dirty && !stopped;
    },
    // After a conflict: go on from the other side's revision.
    goOn(newRevision, keepMine) {
      current = newRevision;
      stopped = false;
      dirty = keepMine;
      if (keepMine) run();
    },
    stop() { stopped = true; clearTimeout(timer); },
    get revision() { return current; },
    get unsaved() { return dirty || running !== null; },
  };
}
