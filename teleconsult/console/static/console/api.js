// The one way scripts talk to the server: JSON over /api/v1 with the page's session and CSRF cookie.
import { t } from "./texts.js";

export class ApiError extends Error {
  // `status` 0: the server was not reached. `data` is the problem document (RFC 9457), so `data.taken` and the like.
  constructor(status, code, title, data) {
    super(title);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.title = title;
    this.data = data;
  }
}

function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

function leaveToSignIn() {
  location.assign(`/console/sign-in/?next=${encodeURIComponent(location.pathname + location.search)}`);
}

async function answerOf(response) {
  const type = response.headers.get("Content-Type") || "";
  return type.includes("json") ? response.json().catch(() => null) : null;
}

// call("POST", "exams", {...}) -> parsed JSON or null. Throws ApiError; never rejects with anything else.
// options: {signal, staySignedOut: true} (live pages must not be taken away by an expired session),
// {background: true} for what the page asks by itself: it does not keep a sign-in alive.
export async function call(method, path, body, options = {}) {
  const address = path.startsWith("/") ? path : `/api/v1/${path}`;
  const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
  if (options.background) headers["X-Background"] = "1";
  if (method !== "GET") headers["X-CSRFToken"] = cookie("csrftoken");
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(address, {
      method, headers, credentials: "same-origin", signal: options.signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (reason) {
    throw new ApiError(0, reason.name === "AbortError" ? "aborted" : "network", t("error.network"), {});
  }
  const answer = await answerOf(response);
  if (response.ok) return answer;
  if (response.status === 401 && !options.staySignedOut) leaveToSignIn();
  const problem = answer || {};
  throw new ApiError(response.status, problem.code || "unexpected", problem.title || t("error.unexpected"), problem);
}
