// Faults as switches, with what each is set to, how long it lasts, and a preview of what it does to a reply.
import { control, piecesOf, sendToApi, settings } from "./api.js";
import { html, useInterval, useLoad, useState, useStore, useWanted } from "./html.js";
import { journal } from "./journal.js";
import { chatPath } from "./chat_path.js";
import { names } from "./names.js";
import { Badge, Problem, Prose, Status, durationOf } from "./parts.js";
import { isStarted } from "./rules.js";

/** Previews run in a scope of their own, so they change nothing that anyone uses. */
const PREVIEW_SCOPE = "page-preview";
const PREVIEW_SECONDS = 4;

export function Faults() {
  const { scope, all } = useStore(settings);
  const newest = useStore(journal).rows[0]?.number;
  const kinds = useLoad((signal) => control("/fault-kinds", { signal }), []);
  const active = useLoad((signal) => control("/faults", { signal }), [scope, all, newest]);
  const clock = useLoad(async (signal) => {
    const { now, mode } = await control("/clock", { signal });
    return { now, read: performance.now(), passes: mode === "running" };
  }, [scope, all, active.value]);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState(null);
  const [, tick] = useState(0);
  useInterval(() => tick((count) => count + 1), 1);
  const act = (path, options) => control(path, options).then(() => (setProblem(null), active.reload()), setProblem);
  const now = clock.value && clock.value.now + (clock.value.passes ? (performance.now() - clock.value.read) / 1000 : 0);
  const set = active.value?.faults.filter(({ expires }) => expires === null || now === undefined || expires > now) ?? [];
  const shown = (kinds.value?.faults ?? []).filter(({ name, does }) => `${name} ${does}`.toLowerCase().includes(text.toLowerCase()));
  shown.sort((a, b) => Boolean(set.find(({ fault }) => fault.fault === b.name)) - Boolean(set.find(({ fault }) => fault.fault === a.name)));
  return html`<div class="page narrow"><${Problem} error=${kinds.error ?? active.error ?? problem} />
    <div class="bar spread"><input type="search" placeholder="Find a fault" aria-label="Find a fault" value=${text} onInput=${(event) => setText(event.target.value)} />
      <button type="button" class="danger" disabled=${!set.some(({ id }) => !isStarted(id))} onClick=${() => act("/faults", { method: "DELETE" })}>Switch all off</button></div>
    <ul class="rules">${shown.map((kind) => html`<${Kind} key=${kind.name} kind=${kind} common=${kinds.value.common} now=${now}
      set=${set.filter(({ fault }) => fault.fault === kind.name)} act=${act} />`)}</ul></div>`;
}

function Kind({ kind, common, set, now, act }) {
  const [given, setGiven] = useState({});
  const [isOpen, setOpen] = useState(false);
  const parameters = [...kind.parameters, ...common];
  const fault = { fault: kind.name, ...given };
  const [isOn, setOn] = useWanted(set.length > 0, async (on) => {
    if (on) return act("/faults", { method: "POST", body: fault });
    for (const { id } of set.filter((one) => !isStarted(one.id))) await act(`/faults/${encodeURIComponent(id)}`, { method: "DELETE" });
    return undefined;
  });
  const fixed = set.length > 0 && set.every(({ id }) => isStarted(id));
  return html`<li class=${`card fault ${set.length ? "on" : ""}`}>
    <div class="bar spread"><label class="check"><input type="checkbox" role="switch" checked=${isOn} disabled=${fixed} onChange=${(event) => setOn(event.target.checked)} />
      <span><b>${kind.name}</b> <span class="quiet">${kind.does}</span></span></label>
      <button type="button" class="small" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>Settings, preview</button></div>
    ${set.map(({ id, uses, expires, fault: { fault: _, ...settled } }) => html`<p class="facts">
      <${Badge} kind="odd">${uses ? `happened ${uses}×` : "has not happened yet"}<//>
      ${settled.times && html`<span>${Math.max(0, settled.times - uses)} left</span>`}
      ${expires !== null && now !== undefined && html`<span role="timer">${durationOf(Math.max(0, Math.round(expires - now)))} left</span>`}
      <code>${Object.entries(settled).map(([name, one]) => `${name}=${one}`).join(", ")}</code>
      ${isStarted(id) && html`<span>set at start</span>`}</p>`)}
    ${isOpen && html`<div class="fields">${parameters.map((one) => html`<label class="field">${one.name} <small><${Prose} text=${one.meaning} /></small>
        <input type=${/integer|number/.test(one.type) ? "number" : "text"} step="any" placeholder=${one.default ?? ""} value=${given[one.name] ?? ""}
          onInput=${(event) => setGiven(changed(given, one, event.target.value))} /></label>`)}</div>
      <${Preview} fault=${fault} />`}
  </li>`;
}

function changed(given, { name, type }, text) {
  const { [name]: _, ...rest } = given;
  if (text === "") return rest;
  return { ...rest, [name]: type === "boolean" ? text === "true" : /integer|number/.test(type) ? Number(text) : text };
}

function Preview({ fault }) {
  const [streamed, setStreamed] = useState(true);
  const [state, setState] = useState(null);
  const show = async () => {
    setState({ text: "", ending: "Waiting …" });
    const { fault: name, ...given } = fault;
    const header = Object.entries(given).filter(([key]) => !/^(times|ttl|agent|operation|first|last|probability)$/.test(key));
    const value = header.length ? `${name}:${header.map(([key, one]) => `${key}=${one}`).join(",")}` : name;
    setState(await outcomeOf(value, streamed, (partial) => setState({ ...partial, ending: "…" })));
    await control("/reset", { method: "POST", scope: PREVIEW_SCOPE }).catch(() => {});
  };
  return html`<div class="bar"><button type="button" class="primary" onClick=${show}>Preview</button>
      <label class="check"><input type="checkbox" checked=${streamed} onChange=${(event) => setStreamed(event.target.checked)} /> of a stream</label></div>
    ${state && html`<div role="status"><p class="facts">${state.status && html`<${Status} code=${state.status} />`} <span>${state.ending}</span></p>
      ${state.text && html`<pre tabindex="0" role="region" aria-label="Preview">${state.text}</pre>`}</div>`}`;
}

/** Returns what a client gets of a chat with this fault: status, text, and how it ended. */
async function outcomeOf(header, streamed, report) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 1000 * PREVIEW_SECONDS);
  const outcome = { text: "" };
  try {
    const agent = names.get().agents[0]?.name ?? "demo";
    const body = JSON.stringify({ messages: [{ role: "user", content: "Hello!" }], stream: streamed, max_tokens: 12 });
    const reply = await sendToApi("POST", await chatPath(agent), {
      body, scope: PREVIEW_SCOPE, signal: abort.signal, headers: { "content-type": "application/json", "x-mock-fault": header },
    });
    outcome.status = reply.status;
    for (const name of ["retry-after", "retry-after-ms", "x-should-retry"]) if (reply.headers.has(name)) outcome.text += `${name}: ${reply.headers.get(name)}\n`;
    for await (const piece of piecesOf(reply)) report({ ...outcome, text: (outcome.text += piece) });
    return { ...outcome, ending: "The reply is complete." };
  } catch (error) {
    const why = abort.signal.aborted ? `No end after ${PREVIEW_SECONDS} s.` : `The connection ended too soon: ${error.message}.`;
    return { ...outcome, ending: why };
  } finally {
    clearTimeout(timer);
  }
}
