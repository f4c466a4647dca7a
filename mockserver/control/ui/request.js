// One request: why it got its answer, what was sent and what came back, and what can be done with it.
import { control, sendToApi, settings } from "./api.js";
import { html, useEffect, useLoad, useRef, useState, useStore } from "./html.js";
import { journal } from "./journal.js";
import { Json } from "./json_view.js";
import { names } from "./names.js";
import { Badge, Code, Grade, Problem, Prose, Status, Verdict, dateOf, durationOf, plural } from "./parts.js";
import { go, hrefOf } from "./route.js";
import { RuleMaker } from "./rule.js";
import { joinEvents } from "./stream.js";

export const loadRequest = (number, scope, signal) => control(`/requests/${number}`, { scope, signal });

export function Request({ number, scope }) {
  const entry = useLoad((signal) => loadRequest(number, scope, signal), [number, scope]);
  const why = useLoad((signal) => control(`/requests/${number}/explanation`, { scope, signal }), [number, scope]);
  const [doing, setDoing] = useState("");
  const heading = useRef(null);
  useEffect(() => {
    if (entry.value && !matchMedia("(min-width: 64rem)").matches) heading.current?.focus();
  }, [entry.value]);
  const value = entry.value;
  if (!value) return html`<div class="bar"><a class="button" href="#/requests">← Requests</a></div><${Problem} error=${entry.error} />`;
  const { request, reply } = value;
  const isChat = /\/chat\/completions$/.test(request.path) && request.json;
  const toggle = (what) => () => setDoing(doing === what ? "" : what);
  return html`
    <header class="head">
      <div class="bar">
        <a class="button" href="#/requests" aria-label="Back to the list">←</a>
        <h2 tabindex="-1" ref=${heading}><span class="quiet">${value.number}</span>${` ${request.method} `}<span class="path">${request.path}</span></h2>
      </div>
      <p class="facts"><${Status} code=${reply.status} /> <${Verdict} of=${why.value?.verdict ?? "answered"} />
        <time>${dateOf(value.time)}</time>
        ${reply.seconds > 0 && html`<span>${durationOf(reply.seconds)}</span>`}
        ${value.agent && html`<span>agent ${names.get().byId.get(value.agent) ?? value.agent}</span>`}
        <span>scope ${scope ?? "default"}</span>
        ${value.session && html`<a href=${hrefOf(`sessions/${value.session}`)}>session ${value.session.slice(0, 8)}</a>`}
      </p>
      <div class="bar actions">
        <${SendAgain} entry=${value} scope=${scope} />
        ${isChat && html`<button type="button" aria-expanded=${doing === "rule"} onClick=${toggle("rule")}>Make a rule of it</button>`}
        <button type="button" aria-expanded=${doing === "copy"} onClick=${toggle("copy")}>Copy as …</button>
        <button type="button" aria-expanded=${doing === "compare"} onClick=${toggle("compare")}>Compare …</button>
      </div>
    </header>
    ${doing === "rule" && html`<${RuleMaker} entry=${value} scope=${scope} onClose=${toggle("rule")} />`}
    ${doing === "copy" && html`<${CopyAs} number=${number} scope=${scope} />`}
    ${doing === "compare" && html`<${ChooseOther} number=${number} scope=${scope} path=${request.path} />`}
    <${Why} of=${why} />
    <div class="pair">
      <section class="card"><h3>Request <small>${sizeOf(request)}</small></h3><${Sent} request=${request} violations=${why.value?.violations ?? []} /></section>
      <section class="card"><h3>Reply <small>${sizeOf(reply)}</small></h3><${Got} reply=${reply} /></section>
    </div>`;
}

const sizeOf = ({ size, events, cut }) =>
  [events && plural(events.length, "event"), `${size.toLocaleString("en")} bytes`, cut && "the journal has a part of it"].filter(Boolean).join(", ");

function Why({ of: { value, error } }) {
  if (!value) return html`<${Problem} error=${error} />`;
  const elsewhere = value.violations.filter(({ place }) => !place.startsWith("body/"));
  return html`
    <section class=${`card why ${value.verdict}`} aria-label="Why">
      <p class="reason">${value.reason}</p>
      ${value.clauses.map((clause) => html`
        <p class="clause"><${Grade} of=${clause.grade} meaning=${clause.meaning} /> <a href=${hrefOf(`contract/${clause.id}`)}><code>${clause.id}</code></a>
          <span class="sentence"><${Prose} text=${clause.sentence} /></span></p>`)}
      ${elsewhere.map((one) => html`<p class="mark"><b>${one.place || "request"}</b> ${one.reason} <span class="remedy">${one.remedy}</span></p>`)}
      ${value.hints.map((hint) => html`<p class="mark hint"><b>hint</b> ${hint}</p>`)}
    </section>`;
}

export const HeaderList = ({ headers }) => html`
  <details class="headers"><summary>${plural(Object.keys(headers).length, "header")}</summary>
    <dl>${Object.entries(headers).map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>
  </details>`;

export function Sent({ request, violations = [] }) {
  return html`
    ${request.query.length > 0 && html`<p class="query"><code>?${request.query.map(([name, text]) => `${name}=${text}`).join("&")}</code></p>`}
    <${HeaderList} headers=${request.headers} />
    <${Body} message=${request} violations=${violations} label="Body of the request" />`;
}

function Body({ message, violations = [], label }) {
  if ("json" in message) return html`<${Json} value=${message.json} violations=${violations.filter(({ place }) => place.startsWith("body"))} label=${label} />`;
  if (message.text) return html`<pre class="text" tabindex="0" role="region" aria-label=${label}>${message.text}</pre>`;
  return html`<p class="quiet">No body.</p>`;
}

export function Got({ reply }) {
  return html`<${HeaderList} headers=${reply.headers} />
    ${reply.events ? html`<${Timeline} events=${reply.events} begun=${begunAt(reply)} cut=${reply.cut} />` : html`<${Body} message=${reply} label="Body of the reply" />`}`;
}

/** The seconds before the first event: what is left of the whole. */
const begunAt = ({ seconds, events, cut }) => (cut ? 0 : Math.max(0, seconds - events.reduce((sum, { delay }) => sum + (delay ?? 0), 0)));

function Timeline({ events, begun, cut }) {
  const joined = joinEvents(events);
  let passed = begun;
  const isTimed = events.some(({ delay }) => delay);
  const times = events.map(({ delay }) => (passed += delay ?? 0));
  return html`
    <div class="joined">
      ${cut && html`<p class="mark hint">The journal has the first and the last events, so the text has a gap.</p>`}
      ${joined.text && html`<p>${joined.text}</p>`}
      ${joined.calls.map((call) => html`<p><code>${call.name}(${call.arguments})</code></p>`)}
      <p class="quiet">${[joined.finish && `finish: ${joined.finish}`, joined.usage && `${joined.usage.prompt_tokens} + ${joined.usage.completion_tokens} tokens`].filter(Boolean).join(", ")}</p>
    </div>
    <ol class="timeline">${events.map(({ event, data }, index) => html`<${StreamEvent} key=${index} name=${event} data=${data} at=${isTimed ? times[index] : undefined} />`)}</ol>`;
}

function StreamEvent({ name, data, at }) {
  const [isOpen, setOpen] = useState(false);
  const delta = data?.choices?.[0]?.delta ?? {};
  const brief = typeof data === "string" ? data
    : typeof delta.content === "string" && delta.content ? delta.content
    : delta.tool_calls ? JSON.stringify(delta.tool_calls)
    : data?.choices?.[0]?.finish_reason ? `finish: ${data.choices[0].finish_reason}`
    : data?.usage ? "usage" : JSON.stringify(delta);
  return html`<li>
    <button type="button" class="event" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
      ${at !== undefined && html`<time>${at.toFixed(2)} s</time>`}${name && html`<${Badge}>${name}<//>`}<span>${brief}</span></button>
    ${isOpen && html`<${Json} value=${data} label="Event" />`}
  </li>`;
}

// Copy as

const USUAL = [["curl", "curl"], ["openai-python", "Python"], ["openai-node", "Node"], ["json", "Fixture"], ["test", "Test"]];
const OTHERS = ["http", "har", "vcr", "respx", "pytest-httpx", "httpx2-pytest", "responses", "openai-types", "postman", "wiremock", "msw", "pact", "jsonl"];

function CopyAs({ number, scope }) {
  const [format, setFormat] = useState("curl");
  const { value, error } = useLoad((signal) => control(`/requests/${number}/formats/${format}`, { scope, signal }), [number, scope, format]);
  return html`
    <section class="card" aria-label="Copy as">
      <div class="tabs" role="group" aria-label="Format">
        ${USUAL.map(([name, label]) => html`<button type="button" aria-pressed=${format === name} onClick=${() => setFormat(name)}>${label}</button>`)}
        <select aria-label="Other formats" value=${OTHERS.includes(format) ? format : ""} onChange=${(event) => event.target.value && setFormat(event.target.value)}>
          <option value="">other …</option>${OTHERS.map((name) => html`<option value=${name}>${name}</option>`)}
        </select>
      </div>
      <${Problem} error=${error} />
      ${value?.files.map((file) => html`<p class="quiet">${file.path}</p><${Code} text=${file.text} label=${file.path} />`)}
    </section>`;
}

// Send again

const NOT_SENT = /^(host|content-length|connection|authorization|origin|referer|cookie|accept-encoding|user-agent|sec-.*|x-mock-scope)$/;

/** Returns what `fetch` needs to send a recorded request again; null if the journal has only a part of it. */
export function resendable({ request }) {
  if (request.cut) return null;
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !NOT_SENT.test(name.toLowerCase())));
  const body = "json" in request ? JSON.stringify(request.json) : request.text;
  return { headers, query: request.query, body: /^(GET|HEAD)$/.test(request.method) ? undefined : body };
}

function SendAgain({ entry, scope }) {
  const [state, setState] = useState({ text: "" });
  const parts = resendable(entry);
  const send = async () => {
    setState({ text: "Sending …" });
    const before = journal.get().rows.find((row) => row.scope === scope)?.number ?? 0;
    try {
      const reply = await sendToApi(entry.request.method, entry.request.path, { ...parts, scope });
      await reply.text();
      const { requests } = await control("/summaries", { scope });
      const sent = requests.find((row) => row.number > before && row.path === entry.request.path && row.method === entry.request.method);
      setState({ text: `Sent again: ${reply.status}`, number: sent?.number });
    } catch (error) {
      setState({ text: `The reply could not be read: ${error.message}` });
    }
  };
  const { number } = state;
  const query = settings.get().all && scope ? { scope } : {};
  return html`
    <button type="button" class="primary" disabled=${!parts} title=${parts ? "" : "The journal has only a part of the body"} onClick=${send}>Send again</button>
    <span role="status" class="sent">${state.text}${number && html` <a href=${hrefOf(`requests/${number}`, query)}>open ${number}</a> <a href=${hrefOf(`requests/${entry.number}/${number}`, query)}>compare</a>`}</span>`;
}

// Compare

function ChooseOther({ number, scope, path }) {
  const { rows } = useStore(journal);
  const others = rows.filter((row) => row.scope === scope && row.number !== Number(number)).slice(0, 200);
  others.sort((a, b) => (b.path === path) - (a.path === path));
  const choose = (event) => event.target.value && go(`requests/${number}/${event.target.value}`, settings.get().all && scope ? { scope } : {});
  return html`
    <section class="card" aria-label="Compare">
      <label>Compare with <select onChange=${choose}><option value="">choose a request …</option>
        ${others.map((row) => html`<option value=${row.number}>${row.number}: ${row.method} ${row.status} ${row.said.slice(0, 60)}</option>`)}
      </select></label>
    </section>`;
}
