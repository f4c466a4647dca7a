// The rules of the scope, in the order in which they are tried.
import { control, settings } from "./api.js";
import { html, useLoad, useState, useStore, useWanted } from "./html.js";
import { journal } from "./journal.js";
import { Badge, Code, Empty, Problem } from "./parts.js";
import { toYaml } from "./yaml.js";

export function Rules() {
  const { scope, all } = useStore(settings);
  const newest = useStore(journal).rows[0]?.number;
  const { value, error, reload } = useLoad((signal) => control("/rules", { signal }), [scope, all, newest]);
  const [problem, setProblem] = useState(null);
  const act = (path, options) => control(path, options).then(() => (setProblem(null), reload()), setProblem);
  const [isStrict, setStrict] = useWanted(value?.strict ?? false, (strict) => act("/rules", { method: "POST", body: { strict } }));
  const rules = value?.rules ?? [];
  return html`<div class="page narrow"><${Problem} error=${error ?? problem} />
    <div class="bar spread"><label class="check"><input type="checkbox" role="switch" checked=${isStrict}
      onChange=${(event) => setStrict(event.target.checked)} /> Refuse chats that no rule matches</label>
      <button type="button" class="danger" disabled=${!rules.some(({ id }) => !isStarted(id))} onClick=${() => act("/rules", { method: "DELETE" })}>Remove all of the scope</button></div>
    ${value && !rules.length && html`<${Empty}>No rules: the mock computes every answer. Open a <a href="#/requests">request</a> and make a rule of it.<//>`}
    <ol class="rules">${rules.map(({ id, uses, rule }, index) => html`<li class="card" key=${id}>
      <div class="bar spread"><h2><span class="quiet">${index + 1}</span> ${rule.name ?? id}</h2>
        <span class="bar"><${Badge} kind=${uses ? "good" : ""}>${uses ? `answered ${uses}×` : "not used"}<//>
          ${isStarted(id) ? html`<${Badge}>set at start<//>` : html`<button type="button" class="small danger" onClick=${() => act(`/rules/${encodeURIComponent(id)}`, { method: "DELETE" })}>Remove</button>`}</span></div>
      <${Code} text=${toYaml([rule])} label=${`Rule ${index + 1} as YAML`} />
    </li>`)}</ol></div>`;
}

/** Whether something was set when the mock was started: it can't be removed. */
export const isStarted = (id) => id.startsWith("started-");
