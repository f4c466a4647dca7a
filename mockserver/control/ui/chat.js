// A talk with an agent, with the raw exchange beside it.
import { eventsOf, piecesOf, sendToApi } from "./api.js";
import { chatPath } from "./chat_path.js";
import { createStore, html, useEffect, useRef, useState, useStore } from "./html.js";
import { names } from "./names.js";
import { Copy, Empty, Problem, Status } from "./parts.js";
import { Message } from "./sessions.js";
import { joinEvents } from "./stream.js";

const MOST_RAW = 50000;
/** The talk outlives the view. */
const talk = createStore({ agent: "", streamed: true, stored: false, session: null, messages: [], request: "", reply: "", status: null, error: null, isBusy: false });

const fresh = { session: null, messages: [], request: "", reply: "", status: null, error: null };

async function say(text) {
  const { agent, streamed, stored, session, messages } = talk.get();
  const said = { role: "user", content: text };
  const history = stored ? [said] : [...messages, said];
  const body = {
    messages: history,
    ...(streamed && { stream: true, stream_options: { include_usage: true } }),
    ...(stored && (session ? { store_in_session: session } : { create_session: true })),
  };
  const path = await chatPath(agent);
  talk.set({ messages: [...messages, said], isBusy: true, error: null, reply: "", status: null, request: `POST ${path}\ncontent-type: application/json\n\n${JSON.stringify(body, null, 2)}` });
  try {
    const reply = await sendToApi("POST", path, { headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    talk.set({ status: reply.status });
    const events = [];
    const show = () => {
      const { text: content, calls } = joinEvents(events);
      const answer = { role: "assistant", content, ...(calls.length && { tool_calls: calls.map((call) => ({ id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } })) }) };
      const id = events.find(({ data }) => data?.session_id)?.data.session_id;
      talk.set({ messages: [...messages, said, answer], session: talk.get().session ?? id ?? null });
    };
    const isStream = reply.headers.get("content-type")?.startsWith("text/event-stream");
    for await (const { data } of isStream ? eventsOf(kept(reply)) : whole(reply)) {
      events.push({ data: parsed(data) });
      if (reply.ok) show();
    }
    if (!reply.ok) talk.set({ messages, error: new Error(`The mock refused it with ${reply.status}: the reply has the reason, and the journal the clause.`) });
  } catch (error) {
    talk.set({ error: new Error(`The reply ended too soon: ${error.message}`) });
  } finally {
    talk.set({ isBusy: false });
  }
}

/** Yields the pieces of a reply, and keeps them to be shown. */
async function* kept(reply) {
  for await (const piece of piecesOf(reply)) {
    talk.set({ reply: (talk.get().reply + piece).slice(0, MOST_RAW) });
    yield piece;
  }
}

async function* whole(reply) {
  let text = "";
  for await (const piece of kept(reply)) text += piece;
  yield { data: text };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function Chat({ path: [chosen] }) {
  const state = useStore(talk);
  const { agents, byId } = useStore(names);
  const [text, setText] = useState("");
  const end = useRef(null);
  useEffect(() => {
    const agent = byId.get(chosen) ?? (agents.some(({ name }) => name === state.agent) ? state.agent : agents[0]?.name ?? "");
    if (agent !== state.agent) talk.set({ ...fresh, agent });
  }, [chosen, agents]);
  useEffect(() => end.current?.scrollIntoView({ block: "nearest" }), [state.messages]);
  const send = (event) => {
    event.preventDefault();
    if (!text.trim() || state.isBusy) return;
    say(text).catch((error) => talk.set({ error }));
    setText("");
  };
  const onKeyDown = (event) => event.key === "Enter" && !event.shiftKey && send(event);
  if (!agents.length) return html`<${Empty}>This mock serves a document without agents.<//>`;
  return html`<div class="talk">
    <section class="speech" aria-label="Talk">
      <div class="filters">
        <select aria-label="Agent" value=${state.agent} onChange=${(event) => talk.set({ ...fresh, agent: event.target.value })}>
          ${agents.map(({ id, name }) => html`<option key=${id} value=${name}>${name}</option>`)}</select>
        <label class="check"><input type="checkbox" checked=${state.streamed} onChange=${(event) => talk.set({ streamed: event.target.checked })} /> stream</label>
        <label class="check"><input type="checkbox" checked=${state.stored} onChange=${(event) => talk.set({ ...fresh, stored: event.target.checked })} /> session</label>
        <button type="button" onClick=${() => talk.set(fresh)}>Start again</button>
      </div>
      <div class="messages" tabindex="0" role="log" aria-label="Messages">
        ${!state.messages.length && html`<${Empty}>Say something to ${state.agent}. It is a mock: what it answers is made up, or what a <a href="#/rules">rule</a> says.<//>`}
        <ol class="conversation">${state.messages.map((message, index) => html`<li key=${index} class=${message.role}><${Message} message=${message} /></li>`)}</ol>
        <div ref=${end}></div>
      </div>
      <${Problem} error=${state.error} />
      <form class="say" onSubmit=${send}><textarea rows="2" aria-label="Message" placeholder="Message; Enter sends it" value=${text} onInput=${(event) => setText(event.target.value)} onKeyDown=${onKeyDown}></textarea>
        <button class="primary" disabled=${state.isBusy}>Send</button></form>
    </section>
    <section class="raw" aria-label="Raw exchange">
      <h2>Request</h2>${state.request ? html`<div class="code"><${Copy} text=${state.request} /><pre tabindex="0" role="region" aria-label="Raw request">${state.request}</pre></div>` : html`<p class="quiet">What is sent.</p>`}
      <h2>Reply ${state.status && html`<${Status} code=${state.status} />`}</h2>
      ${state.reply ? html`<div class="code"><${Copy} text=${state.reply} /><pre tabindex="0" role="region" aria-label="Raw reply">${state.reply}</pre></div>` : html`<p class="quiet">What comes back, as it comes.</p>`}
    </section></div>`;
}
