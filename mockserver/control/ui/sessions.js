// Sessions as conversations, with their calls of tools, tokens per turn, and misuse that the journal shows.
import { control, settings } from "./api.js";
import { html, useLoad, useStore } from "./html.js";
import { journal } from "./journal.js";
import { names } from "./names.js";
import { Badge, Empty, Problem, dateOf, plural } from "./parts.js";
import { go, hrefOf } from "./route.js";
import { joinEvents } from "./stream.js";

const MOST = 200;
const textOf = ({ content }) => (Array.isArray(content) ? content.map(({ text }) => text ?? "").join(" ") : content ?? "");

export function Sessions({ path: [id] }) {
  const { scope, all } = useStore(settings);
  const newest = useStore(journal).rows[0]?.number;
  const found = useLoad((signal) => control("/sessions", { query: { limit: MOST }, signal }), [scope, all, newest]);
  const lint = useLoad((signal) => control("/session-lint", { signal }), [scope, all, newest]);
  const known = useStore(names).byId;
  const sessions = found.value?.sessions ?? [];
  const findings = lint.value?.findings ?? [];
  const wrong = (session) => findings.filter((one) => one.session === session);
  return html`
    <div class=${`split ${id ? "opened" : ""}`}>
      <section class="list scrolls" aria-label="Sessions">
        <${Problem} error=${found.error ?? lint.error} />
        ${sessions.length > 0 && html`<ul class="cards">${sessions.map((one) => html`
          <li key=${one.session}><a href=${hrefOf(`sessions/${one.session}`)} aria-current=${one.session === id ? "true" : undefined}>
            <b>${known.get(one.agent) ?? one.agent}</b> <code class="quiet">${one.session.slice(0, 8)}</code>
            ${wrong(one.session).length > 0 && html`<${Badge} kind="odd">${plural(wrong(one.session).length, "finding")}<//>`}
            <small>${plural(one.messages, "message")}, ${plural(one.tokens, "token")}, ${dateOf(one.written)}</small></a></li>`)}</ul>`}
        ${found.value && !sessions.length && html`<${Empty}>No session in this scope. A chat with <code>create_session</code> begins one.<//>`}
        ${findings.some((one) => !one.session) && html`<div class="cards">${findings.filter((one) => !one.session).map((one) => html`<${Finding} of=${one} />`)}</div>`}
      </section>
      ${id && html`<section class="detail" aria-label="Conversation">
        <${Conversation} key=${id} id=${id} findings=${wrong(id)} newest=${newest} onDelete=${() => (found.reload(), go("sessions"))} />
      </section>`}
    </div>`;
}

const Finding = ({ of }) => html`
  <p class="mark hint"><b>${of.rule}</b> in <a href=${hrefOf(`requests/${of.request}`)}>request ${of.request}</a>: ${of.problem}
    ${of.wasted_tokens > 0 && html` (${plural(of.wasted_tokens, "token")} wasted)`}<span class="remedy">${of.remedy}</span></p>`;

/** Returns the turns of a session, oldest first: their requests, and how many messages each added. */
function turnsOf(requests) {
  return requests.filter(({ reply }) => reply.status === 200).reverse().map(({ number, request, reply }) => ({
    number,
    added: (request.json?.messages?.length ?? 0) + 1,
    usage: reply.events ? joinEvents(reply.events).usage : reply.json?.usage,
  }));
}

/** Returns the turn that each message ends, by its place; the journal may have only the last turns. */
function endsOf(messages, turns) {
  const ends = new Map();
  let place = messages.length;
  for (const turn of [...turns].reverse()) {
    ends.set(place - 1, turn);
    place -= turn.added;
  }
  return ends;
}

function Conversation({ id, findings, newest, onDelete }) {
  const session = useLoad((signal) => control(`/sessions/${id}`, { query: { limit: 1000 }, signal }), [id, newest]);
  const found = useLoad((signal) => control("/requests", { query: { session: id, limit: MOST }, signal }), [id, newest]);
  const { messages, tokens, agent } = session.value ?? { messages: [] };
  const turns = turnsOf(found.value?.requests ?? []);
  const ends = endsOf(messages, turns);
  const remove = async () => {
    await control(`/sessions/${id}`, { method: "DELETE" });
    onDelete();
  };
  if (!session.value) return html`<div class="bar"><a class="button" href="#/sessions">← Sessions</a></div><${Problem} error=${session.error} />`;
  return html`
    <header class="head">
      <div class="bar"><a class="button" href="#/sessions" aria-label="Back to the list">←</a>
        <h2>${names.get().byId.get(agent) ?? agent} <code class="quiet">${id}</code></h2></div>
      <p class="facts"><span>${plural(messages.length, "message")}</span><span>${plural(tokens, "token")} of context</span>
        <button type="button" class="small danger" onClick=${remove}>Delete the session</button></p>
    </header>
    ${findings.length > 0 && html`<section class="card" aria-label="What lint found"><h3>Misuse that a server answers with 200</h3>${findings.map((one) => html`<${Finding} of=${one} />`)}</section>`}
    <${TokenBars} turns=${turns} />
    <${ToolGraph} messages=${messages} />
    <ol class="conversation" aria-label="Messages">${messages.map((message, index) => html`
      <li class=${message.role} key=${index}><${Message} message=${message} />
        ${ends.has(index) && html`<p class="turn"><a href=${hrefOf(`requests/${ends.get(index).number}`)}>request ${ends.get(index).number}</a> ${usageOf(ends.get(index))}</p>`}
      </li>`)}</ol>`;
}

const usageOf = ({ usage }) => (usage ? `${usage.prompt_tokens} + ${usage.completion_tokens} tokens` : "");

export function Message({ message }) {
  return html`<b class="role">${message.role}</b>
    ${textOf(message) && html`<p>${textOf(message)}</p>`}
    ${message.refusal && html`<p>${message.refusal}</p>`}
    ${(message.tool_calls ?? []).map((call) => html`<p><code>${call.function?.name}(${call.function?.arguments})</code></p>`)}`;
}

/** The tokens of each turn: what was read, and what was written. */
function TokenBars({ turns }) {
  const counted = turns.filter(({ usage }) => usage);
  if (!counted.length) return null;
  const most = Math.max(...counted.map(({ usage }) => usage.prompt_tokens + usage.completion_tokens), 1);
  const width = (count) => ({ width: `${(100 * count) / most}%` });
  return html`<section class="card" aria-label="Tokens per turn"><h3>Tokens per turn <small>read, then written</small></h3>
    <ol class="bars">${counted.map((turn, index) => html`<li><span>${index + 1}</span>
      <div aria-hidden="true"><i style=${width(turn.usage.prompt_tokens)}></i><i class="written" style=${width(turn.usage.completion_tokens)}></i></div>
      <small>${usageOf(turn)}</small></li>`)}</ol></section>`;
}

/** The calls of tools as a graph: who asked, what was called, what it returned, and what was made of it. */
function ToolGraph({ messages }) {
  const steps = [];
  messages.forEach((message, index) => {
    if (!message.tool_calls?.length) return;
    const ids = message.tool_calls.map(({ id }) => id);
    const rest = messages.slice(index + 1);
    const results = rest.filter((one) => ids.includes(one.tool_call_id));
    const asked = messages.slice(0, index).findLast(({ role }) => role === "user");
    const answer = rest.find((one) => one.role === "assistant" && !one.tool_calls?.length);
    steps.push({ asked, calls: message.tool_calls, results, answer: results.length ? answer : undefined });
  });
  if (!steps.length) return null;
  return html`<section class="card" aria-label="Tool calls"><h3>Tool calls</h3>
    ${steps.map(({ asked, calls, results, answer }) => html`<ol class="graph scroll" tabindex="0" aria-label="From the question to the answer">
      ${asked && html`<li><div class="node user"><small>user</small>${textOf(asked)}</div></li>`}
      <li>${calls.map((call) => html`<div class="node call"><small>call</small><code>${call.function?.name}</code><code class="quiet">${call.function?.arguments}</code></div>`)}</li>
      <li>${results.length ? results.map((one) => html`<div class="node"><small>result</small>${textOf(one)}</div>`) : html`<div class="node missing">no result yet</div>`}</li>
      ${answer && html`<li><div class="node answer"><small>assistant</small>${textOf(answer)}</div></li>`}
    </ol>`)}</section>`;
}
