// The scopes and the clock of the shown one.
import { changeSettings, control, settings } from "./api.js";
import { html, useInterval, useLoad, useState, useStore, useWanted } from "./html.js";
import { journal } from "./journal.js";
import { Problem, dateOf } from "./parts.js";

const MODES = {
  running: "Time passes.",
  frozen: "Time passes only when the clock is moved.",
  skipping: "As frozen, and each wait of the mock moves the clock to its end at once.",
};
const STEPS = [["1 minute", 60], ["1 hour", 3600], ["1 day", 86400]];

export function Scopes() {
  const { scope, all } = useStore(settings);
  const newest = useStore(journal).rows[0]?.number;
  const { value, error, reload } = useLoad((signal) => control("/scopes", { query: { limit: 1000 }, signal, scope: null }), [newest, scope, all]);
  const [problem, setProblem] = useState(null);
  const show = (name) => changeSettings({ scope: name, all: false });
  const reset = (name) => confirm(`Delete the agents, sessions, rules, faults and requests of ${name ?? "the default scope"}?`)
    && control("/reset", { method: "POST", scope: name }).then(reload, setProblem);
  return html`<div class="page narrow"><${Problem} error=${error ?? problem} />
    <${Clock} scope=${scope} />
    <section class="card" aria-label="Scopes"><h2>Scopes</h2>
      <p class="quiet">Isolated sets of agents, sessions, rules, faults and requests, chosen by the header <code>X-Mock-Scope</code>.</p>
      <div class="scroll" tabindex="0" role="region" aria-label="Table of scopes"><table>
        <thead><tr><th scope="col">Name</th><th scope="col">Requests</th><th scope="col">Sessions</th><th scope="col">Agents</th><th scope="col">Used</th><th scope="col">Do</th></tr></thead>
        <tbody>${(value?.scopes ?? []).map((one) => html`<tr key=${one.name}>
          <th scope="row">${one.name ?? "default"}</th><td>${one.requests}</td><td>${one.sessions}</td><td>${one.agents}</td><td>${one.used ? dateOf(one.used) : "–"}</td>
          <td><span class="bar">${!all && one.name === scope ? html`<span class="quiet">shown</span>` : html`<button type="button" class="small" aria-label=${`Show ${one.name ?? "default"}`} onClick=${() => show(one.name)}>Show</button>`}
            <button type="button" class="small danger" aria-label=${`Reset ${one.name ?? "default"}`} onClick=${() => reset(one.name)}>Reset</button></span></td></tr>`)}</tbody>
      </table></div></section></div>`;
}

function Clock({ scope }) {
  const { value, error, reload } = useLoad(async (signal) => ({ ...(await control("/clock", { signal })), read: performance.now() }), [scope]);
  const [problem, setProblem] = useState(null);
  const [, tick] = useState(0);
  useInterval(() => tick((count) => count + 1), 1);
  const change = (body) => control("/clock", { method: "POST", body }).then(() => (setProblem(null), reload()), setProblem);
  const [mode, setMode] = useWanted(value?.mode, (wanted) => change({ mode: wanted }));
  const now = value && value.now + (value.mode === "running" ? (performance.now() - value.read) / 1000 : 0);
  return html`<section class="card" aria-label="Clock"><h2>Clock <small>of the scope ${scope ?? "default"}</small></h2>
    <${Problem} error=${error ?? problem} />
    ${value && html`<p class="clock"><time>${dateOf(now)}</time></p>
      <fieldset class="degrees"><legend class="hidden">Mode</legend>${Object.entries(MODES).map(([name, meaning]) => html`
        <label class=${name === mode ? "chosen" : ""}><input type="radio" name="mode" checked=${name === mode} onChange=${() => setMode(name)} /><b>${name}</b><small>${meaning}</small></label>`)}</fieldset>
      <div class="bar steps">${STEPS.map(([label, seconds]) => html`<button type="button" onClick=${() => change({ advance: seconds })}>+ ${label}</button>`)}</div>`}
  </section>`;
}
