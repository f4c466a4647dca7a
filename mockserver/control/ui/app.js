// The frame: views, the scope that is shown, whether news arrive, and tokens.
import { Agents } from "./agents.js";
import { changeSettings, control, settings } from "./api.js";
import { Chat } from "./chat.js";
import { ContractView } from "./contract.js";
import { Faults } from "./faults.js";
import { html, render, useEffect, useLoad, useState, useStore } from "./html.js";
import { journal, restart } from "./journal.js";
import { loadNames } from "./names.js";
import { Dialog } from "./parts.js";
import { Requests } from "./requests.js";
import { route } from "./route.js";
import { Rules } from "./rules.js";
import { Scopes } from "./scopes.js";
import { Sessions } from "./sessions.js";

const VIEWS = {
  requests: ["Requests", Requests],
  sessions: ["Sessions", Sessions],
  agents: ["Agents", Agents],
  rules: ["Rules", Rules],
  faults: ["Faults", Faults],
  scopes: ["Scopes, clock", Scopes],
  chat: ["Chat", Chat],
  contract: ["Contract", ContractView],
};

const LIVE = {
  connecting: "Connecting …",
  live: "Live",
  polling: "Every 2 s",
  lost: "Not connected",
};

/** Reads everything again for the shown scope. */
function refresh() {
  restart();
  loadNames().catch(() => {}); // without names, ids are shown; the list of requests reports the error
}

function App() {
  const { view, path, query } = useStore(route);
  const { scope, all, wanted, controlToken } = useStore(settings);
  const { live } = useStore(journal);
  const [hasTokens, setHasTokens] = useState(false);
  const health = useLoad((signal) => control("/health", { signal, scope: null }), []);
  const [title, View] = VIEWS[view] ?? VIEWS.requests;

  useEffect(refresh, [scope, all]);
  useEffect(() => {
    document.title = `${title} · Mock`;
    document.querySelector("nav [aria-current]").scrollIntoView({ inline: "center", block: "nearest" });
  }, [title]);

  const close = () => {
    setHasTokens(false);
    settings.set({ wanted: "" });
  };
  return html`
    <a class="skip" href="#main" onClick=${(event) => (event.preventDefault(), document.getElementById("main").focus())}>Skip to the content</a>
    <header class="top">
      <a class="brand" href="../../" title="The mock's first page"><img src="icon.svg" alt="" width="24" height="24" />
        <span><b>Mock</b> <small>${health.value ? `${health.value.title} ${health.value.version}` : ""}</small></span></a>
      <nav aria-label="Views">${Object.entries(VIEWS).map(([name, [label]]) => html`
        <a href=${`#/${name}`} aria-current=${VIEWS[view] === VIEWS[name] ? "page" : undefined}>${label}</a>`)}</nav>
      <div class="tools">
        <${ScopeSelect} key=${controlToken} scope=${scope} all=${all} />
        <span class=${`live ${live}`} role="status">${LIVE[live]}</span>
        <button type="button" class="plain" onClick=${() => setHasTokens(true)}>Tokens</button>
      </div>
    </header>
    <main id="main" tabindex="-1"><h1 class="hidden">${title}</h1><${View} key=${controlToken} path=${path} query=${query} /></main>
    ${(hasTokens || wanted) && html`<${Tokens} wanted=${wanted} onClose=${close} />`}`;
}

function ScopeSelect({ scope, all }) {
  const scopes = useLoad((signal) => control("/scopes", { query: { limit: 1000 }, signal, scope: null }), [scope, all]);
  const known = scopes.value?.scopes.map(({ name }) => name).filter(Boolean) ?? [];
  const hasDefault = !scopes.value || scopes.value.scopes.some(({ name }) => name === null);
  useEffect(() => {
    if (!hasDefault && !scope && !all) changeSettings({ scope: known[0] }); // the token is bound to some scopes
  }, [hasDefault, scope, all]);
  const listed = scope && !known.includes(scope) ? [scope, ...known] : known;
  const change = (event) => {
    const { value } = event.target;
    changeSettings(value === "all" ? { all: true, scope: null } : { all: false, scope: value ? value.slice(1) : null });
  };
  return html`
    <label class="scope"><span>Scope</span>
      <select aria-label="Scope" value=${all ? "all" : scope ? `/${scope}` : ""} onFocus=${scopes.reload} onChange=${change}>
        ${hasDefault && html`<option value="">default</option>`}
        ${listed.map((name) => html`<option key=${name} value=${`/${name}`}>${name}</option>`)}
        <option value="all">all scopes</option>
      </select>
    </label>`;
}

function Tokens({ wanted, onClose }) {
  const { controlToken, apiToken } = settings.get();
  const save = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    changeSettings({ controlToken: form.get("control").trim(), apiToken: form.get("api").trim() });
    onClose();
    refresh();
  };
  return html`
    <${Dialog} title="Tokens" onClose=${onClose}>
      <form onSubmit=${save}>
        ${wanted && html`<p class="problem" role="alert">${wanted === "api" ? "The served API wants a token." : "The mock wants a token to show its requests."}</p>`}
        <label class="field">Token of this page <small>of <code>--control-token</code>; without one, of <code>--token</code></small>
          <input name="control" type="password" autocomplete="off" value=${controlToken} /></label>
        <label class="field">Token of the API <small>of <code>--token</code>, for chats and for sending again</small>
          <input name="api" type="password" autocomplete="off" value=${apiToken} /></label>
        <p class="quiet">They are sent in headers only, and kept until this tab is closed.</p>
        <div class="bar"><button class="primary">Use them</button></div>
      </form>
    <//>`;
}

render(html`<${App} />`, document.getElementById("app"));
