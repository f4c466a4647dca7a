// From an answer to a rule, in three degrees of precision.
import { control } from "./api.js";
import { html, useMemo, useState } from "./html.js";
import { names } from "./names.js";
import { Code, Problem } from "./parts.js";
import { joinEvents } from "./stream.js";
import { toYaml } from "./yaml.js";

const textOf = (message) => (Array.isArray(message?.content) ? message.content.map(({ text }) => text ?? "").join(" ") : message?.content) ?? "";

/** Returns the text of the user's last message. */
function questionOf({ request }) {
  const messages = Array.isArray(request.json?.messages) ? request.json.messages : [];
  return textOf(messages.filter((message) => message?.role === "user").at(-1));
}

function answerOf({ reply }) {
  const joined = joinEvents(reply.events ?? [{ data: reply.json }]);
  return { text: joined.text, calls: joined.calls.map(({ name, arguments: given }) => ({ name, arguments: argumentsOf(given) })) };
}

function argumentsOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The longest words of a question, in order: what is likely to be in a similar one too. */
function keyPart(question) {
  const words = question.match(/[\p{L}\p{N}'-]+/gu) ?? [];
  return words.reduce((best, word) => (word.length > best.length ? word : best), "");
}

const DEGREES = {
  exact: ["This request", "The same agent, message, model and turn."],
  similar: ["Similar ones", "The same agent, and a message that contains a part."],
  any: ["Every chat", "Every chat of this agent."],
};

export function RuleMaker({ entry, scope, onClose }) {
  const question = useMemo(() => questionOf(entry), [entry]);
  const given = useMemo(() => answerOf(entry), [entry]);
  const [degree, setDegree] = useState("similar");
  const [part, setPart] = useState(() => keyPart(question));
  const [text, setText] = useState(given.text);
  const [name, setName] = useState("");
  const [isFirst, setFirst] = useState(true);
  const [state, setState] = useState({});

  const agent = names.get().byId.get(entry.agent) ?? entry.agent;
  const { model, messages } = entry.request.json ?? {};
  const turn = (Array.isArray(messages) ? messages : []).filter((message) => message?.role === "user").length;
  const when = {
    exact: { agent, user: question, ...(model && { model }), ...(!entry.session && turn && { turn }) },
    similar: { agent, ...(part && { user_contains: part }) },
    any: { agent },
  }[degree];
  const calls = given.calls.length > 0 && text === given.text;
  const answer = !calls ? text : text ? { parts: [text, ...given.calls] } : { tool_calls: given.calls };
  const rule = { ...(name && { name }), when: agent ? when : { ...when, agent: undefined }, answer };
  const whole = JSON.parse(JSON.stringify(rule)); // without what is undefined
  const save = async () => {
    try {
      const { ids } = await control("/rules", { method: "POST", body: whole, query: { first: isFirst }, scope });
      setState({ ids });
    } catch (error) {
      setState({ error });
    }
  };
  return html`
    <section class="card maker" aria-label="Make a rule of it">
      <fieldset class="degrees"><legend>Answer so</legend>
        ${Object.entries(DEGREES).map(([key, [label, hint]]) => html`
          <label class=${degree === key ? "chosen" : ""}><input type="radio" name="degree" checked=${degree === key} onChange=${() => setDegree(key)} />
            <b>${label}</b><small>${hint}</small></label>`)}
      </fieldset>
      ${degree === "similar" && html`<label class="field">The message contains <input value=${part} onInput=${(event) => setPart(event.target.value)} /></label>`}
      ${entry.reply.cut && html`<p class="mark hint">The journal has only a part of this answer: complete it.</p>`}
      <label class="field">Answer <textarea rows="3" value=${text} onInput=${(event) => setText(event.target.value)}></textarea></label>
      ${calls && html`<p class="quiet">With its ${given.calls.map((call) => `${call.name}()`).join(", ")}; a changed text leaves them out.</p>`}
      <label class="field">Name <input value=${name} maxlength="100" placeholder="optional" onInput=${(event) => setName(event.target.value)} /></label>
      <label class="check"><input type="checkbox" checked=${isFirst} onChange=${(event) => setFirst(event.target.checked)} /> Before the other rules of the scope</label>
      <${Code} text=${toYaml({ rules: [whole] })} label="The rule as YAML" />
      <${Problem} error=${state.error} />
      <div class="bar">
        <button type="button" class="primary" onClick=${save}>Save to scope ${scope ?? "default"}</button>
        <button type="button" onClick=${onClose}>Close</button>
        <span role="status">${state.ids && html`Saved as ${state.ids.join(", ")}. <a href="#/rules">Rules</a>`}</span>
      </div>
    </section>`;
}
