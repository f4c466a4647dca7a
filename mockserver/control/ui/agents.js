// The agents of the scope: how each is set, what it knows, and which tools it has.
import { control } from "./api.js";
import { html, useEffect, useState, useStore } from "./html.js";
import { Json } from "./json_view.js";
import { loadNames, names } from "./names.js";
import { Badge, Empty, Problem } from "./parts.js";

const ORIGINS = { configured: "", changed: "odd", created: "good" };

export function Agents() {
  const { agents } = useStore(names);
  const [error, setError] = useState(null);
  const load = () => loadNames().then(() => setError(null), setError);
  useEffect(() => {
    load();
  }, []);
  const reset = (id) => control(`/agents/${encodeURIComponent(id)}/reset`, { method: "POST" }).then(load, setError);
  return html`<div class="page"><${Problem} error=${error} />
    ${!agents.length && html`<${Empty}>This mock serves a document without agents.<//>`}
    <div class="pair">${agents.map((one) => html`<section class="card" key=${one.id} aria-label=${one.name}>
      <h2>${one.name} <${Badge} kind=${ORIGINS[one.origin]}>${one.origin}<//></h2>
      <p><code class="quiet">${one.id}</code></p>
      ${one.agent.instructions && html`<blockquote>${one.agent.instructions}</blockquote>`}
      <dl class="terms">
        <div><dt>Model</dt><dd>${one.agent.model}${one.any_model && ", or any other"}</dd></div>
        <div><dt>Roles</dt><dd>${one.roles.join(", ")}</dd></div>
        <div><dt>Knowledge</dt><dd>${one.documents.length ? one.documents.join(", ") : "none"}</dd></div>
        <div><dt>Tools</dt><dd>${toolsOf(one)}</dd></div>
      </dl>
      <details><summary>As the API returns it</summary><${Json} value=${one.agent} label=${`Agent ${one.name}`} /></details>
      <div class="bar"><a class="button" href=${`#/chat/${encodeURIComponent(one.id)}`}>Talk to it</a>
        ${one.origin !== "created" && html`<button type="button" onClick=${() => reset(one.id)}>Reset and delete its sessions</button>`}</div>
    </section>`)}</div></div>`;
}

function toolsOf({ agent, calls_tools: calls }) {
  const own = (Array.isArray(agent.tools) ? agent.tools : []).map((tool) => tool?.function?.name ?? tool?.name ?? tool?.type).filter(Boolean);
  const declared = calls ? "calls a tool that the request declares" : "calls a tool only if tool_choice demands it";
  return own.length ? `${own.join(", ")}; ${declared}` : declared;
}
