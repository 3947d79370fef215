// Keeps a list fresh: asks again every few seconds while the page is visible, says so when the server is not reached.
import { call } from "./api.js";

// refresh({path, every_ms, onData(results), onStale()}) -> {now()}; never two requests at once.
export function refresh({ path, every_ms: everyMs = 5000, onData, onStale }) {
  let running = false;
  let timer = 0;
  async function ask() {
    clearTimeout(timer);
    if (!running && !document.hidden) {
      running = true;
      try {
        const answer = await call("GET", typeof path === "function" ? path() : path, undefined, { background: true });
        onData(answer.results);
      } catch (error) {
        onStale(error);
      } finally {
        running = false;
      }
    }
    timer = setTimeout(ask, everyMs);
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  timer = setTimeout(ask, everyMs);
  return { now: ask };
}
