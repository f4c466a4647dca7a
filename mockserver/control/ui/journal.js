// The rows of the journal: the newest page at once, the rest in the background, new ones as they come.
import { control, eventsOf, fetchControl, piecesOf, settings } from "./api.js";
import { createStore } from "./html.js";

const FIRST = 200;
const PAGE = 1000;
/** Rows that are kept; older ones are dropped. */
const MOST = 20000;
/** Scopes that the view of all scopes begins with: the control interface lists them by name. */
const MOST_SCOPES = 50;
const POLL = 2000;

/** `rows` are the newest first; `live` is `connecting`, `live`, `polling` or `lost`. */
export const journal = createStore({ rows: [], live: "connecting", complete: false, error: null });
export const keyOf = (row) => `${row.scope ?? ""}/${row.number}`;

let running = new AbortController();
const newest = new Map();

/** Shows another scope, or everything again. */
export function restart() {
  running.abort();
  running = new AbortController();
  newest.clear();
  journal.set({ rows: [], live: "connecting", complete: false, error: null });
  run(running.signal).catch((error) => {
    if (!running.signal.aborted || error.name !== "AbortError") journal.set({ error, live: "lost" });
  });
}

async function run(signal) {
  const { all, scope } = settings.get();
  if (all) await loadAll(signal);
  else await loadFirst(scope, signal);
  if (signal.aborted) return;
  follow(signal);
  if (!all) await loadRest(scope, signal);
  if (!signal.aborted) journal.set({ complete: true });
}

async function loadFirst(scope, signal) {
  const { requests } = await control("/summaries", { query: { limit: FIRST }, scope, signal });
  if (!signal.aborted) add(requests);
}

async function loadAll(signal) {
  const { scopes } = await control("/scopes", { query: { limit: MOST_SCOPES }, signal });
  for (const { name } of scopes) await loadFirst(name, signal);
}

async function loadRest(scope, signal) {
  for (;;) {
    const { rows } = journal.get();
    const oldest = rows.at(-1)?.number ?? 0;
    if (oldest <= 1 || rows.length >= MOST) return;
    const { requests, next } = await control("/summaries", { query: { limit: PAGE, before: oldest }, scope, signal });
    if (signal.aborted) return;
    journal.set({ rows: [...journal.get().rows, ...requests] });
    if (next === null) return;
    await new Promise((resolve) => setTimeout(resolve, 50)); // let the reader scroll meanwhile
  }
}

/** Adds new rows, newest first, each once. */
function add(requests) {
  const fresh = requests.filter((row) => row.number > (newest.get(row.scope) ?? 0));
  if (!fresh.length) return;
  for (const row of fresh) newest.set(row.scope, Math.max(row.number, newest.get(row.scope) ?? 0));
  const rows = [...fresh, ...journal.get().rows].slice(0, MOST);
  journal.set({ rows: settings.get().all ? rows.sort((a, b) => b.time - a.time) : rows });
}

async function follow(signal) {
  for (let wait = 500; !signal.aborted; wait = Math.min(2 * wait, 10000)) {
    try {
      const { all, scope } = settings.get();
      const query = all ? { all: true } : { after: newest.get(scope) ?? 0 };
      const reply = await fetchControl("/events", { query, signal });
      for await (const event of eventsOf(piecesOf(reply))) {
        if (signal.aborted) return;
        wait = 500;
        if (event.name === "full") return poll(signal);
        take(event.name, JSON.parse(event.data));
      }
    } catch {
      if (signal.aborted) return;
    }
    journal.set({ live: "lost" });
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function take(name, data) {
  if (journal.get().live !== "live") journal.set({ live: "live" });
  if (name === "requests") add(data.requests);
  if (name === "gap") restart();
  if (name === "reset") {
    newest.delete(data.scope);
    journal.set({ rows: journal.get().rows.filter((row) => row.scope !== data.scope) });
  }
}

/** Looks for new rows now and then: the mock already sends as many streams as it may. */
async function poll(signal) {
  journal.set({ live: "polling" });
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, POLL));
    try {
      await loadFirst(settings.get().scope, signal);
    } catch {
      if (!signal.aborted) journal.set({ live: "lost" });
    }
  }
}

/** Returns a function that is true of the rows that a filter selects. `found` are keys that the server found. */
export function matcher({ text = "", verdict = "", status = "", agent = "" }, names, found = new Set()) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => {
    if (verdict && row.verdict !== verdict) return false;
    if (status && String(row.status)[0] !== status) return false;
    if (agent && row.agent !== agent) return false;
    if (!words.length || found.has(keyOf(row))) return true;
    const parts = [row.number, row.method, row.path, row.status, names.get(row.agent), row.session, row.scope, row.rule];
    const whole = [...parts, ...row.clauses, ...row.faults, row.said].join("\n").toLowerCase();
    return words.every((word) => whole.includes(word));
  };
}
