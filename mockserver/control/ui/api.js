// Calls the control interface and the served API of the mock that this page came from.
// Tokens are sent in headers, never in an address, and are kept for this tab only.
import { createStore } from "./html.js";

const PLACE = /^(.*?)(?:\/__mock__\/scope\/([^/]+))?\/__mock__\/ui\//.exec(location.pathname) ?? ["", "", ""];
/** The address of the mock, without a slash at its end; a proxy may serve it below a path. */
export const ROOT = location.origin + PLACE[1];
const KEPT = "agent-contract-page";

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

/** The scope that is shown, null for the default one; `all` shows the requests of all; the tokens; who wants one. */
export const settings = createStore({
  scope: PLACE[2] ? decodeURIComponent(PLACE[2]) : null,
  all: false,
  controlToken: "",
  apiToken: "",
  ...kept(),
  wanted: "",
});

export function changeSettings(change) {
  settings.set(change);
  const { scope, all, controlToken, apiToken } = settings.get();
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ scope, all, controlToken, apiToken }));
  } catch {
    // A browser may forbid storage: then a reload asks for the tokens again.
  }
}

export class ApiError extends Error {
  constructor(status, detail) {
    super(typeof detail === "string" ? detail : JSON.stringify(detail));
    this.status = status;
  }
}

function headersOf(token, scope, more) {
  const headers = { ...more };
  if (token) headers.authorization = `Bearer ${token}`;
  if (scope) headers["x-mock-scope"] = scope;
  return headers;
}

/** Returns the reply of the control interface to a request in the shown scope, or in `scope`. */
export async function fetchControl(path, { method = "GET", body, query, signal, scope = settings.get().scope } = {}) {
  const address = new URL(`${ROOT}/__mock__${path}`);
  for (const [name, value] of Object.entries(query ?? {})) if (value != null) address.searchParams.set(name, value);
  const headers = headersOf(settings.get().controlToken, scope, body && { "content-type": "application/json" });
  const reply = await fetch(address, { method, headers, signal, body: body && JSON.stringify(body), cache: "no-store" });
  if (reply.ok) return reply;
  if (reply.status === 401) settings.set({ wanted: "control" });
  const text = await reply.text();
  throw new ApiError(reply.status, detailOf(text) ?? text);
}

function detailOf(text) {
  try {
    return JSON.parse(text).detail;
  } catch {
    return undefined;
  }
}

/** Returns the JSON of a reply, null without a body. */
export async function control(path, options) {
  const reply = await fetchControl(path, options);
  return reply.status === 204 ? null : reply.json();
}

/** Sends a request to what the mock serves, as any client would. */
export async function sendToApi(method, path, { query, headers, body, signal, scope = settings.get().scope } = {}) {
  const address = new URL(ROOT + path.split("/").map(encodeURIComponent).join("/"));
  for (const [name, value] of query ?? []) address.searchParams.append(name, value);
  const sent = headersOf(settings.get().apiToken, scope, headers);
  const reply = await fetch(address, { method, headers: sent, body, signal, cache: "no-store" });
  if (reply.status === 401) settings.set({ wanted: "api" });
  return reply;
}

/** Yields the pieces of a reply as text, as they arrive. */
export async function* piecesOf(reply) {
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Yields the events of a stream of pieces. Source: WHATWG HTML, section "Server-sent events". */
export async function* eventsOf(pieces) {
  let rest = "";
  for await (const piece of pieces) {
    const blocks = (rest + piece).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { name: "message", data: [] };
      for (const line of block.split("\n")) {
        const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
        if (field === "event") event.name = value;
        if (field === "data") event.data.push(value);
      }
      if (event.data.length) yield { name: event.name, data: event.data.join("\n") };
    }
  }
}
