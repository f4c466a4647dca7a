// The list of requests, live, and the one that is open.
import { control, settings } from "./api.js";
import { html, useEffect, useMemo, useRef, useState, useStore } from "./html.js";
import { journal, keyOf, matcher } from "./journal.js";
import { names } from "./names.js";
import { Empty, Problem, Status, Verdict, WindowList, durationOf, plural, shortPath, timeOf } from "./parts.js";
import { Compare } from "./compare.js";
import { Request } from "./request.js";
import { go } from "./route.js";

const NOTHING = { text: "", verdict: "", status: "", agent: "" };
const WIDE = matchMedia("(min-width: 64rem)");

/** Returns the keys of requests whose messages contain the search words beyond what a row shows; the server searches. */
function useFound(text) {
  const [found, setFound] = useState(new Set());
  const { scope, all } = useStore(settings);
  useEffect(() => {
    setFound(new Set());
    if (text.length < 3 || all) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const query = { contains: text, limit: 500 };
        const { requests } = await control("/requests", { query, signal: abort.signal });
        setFound(new Set(requests.map(({ number }) => keyOf({ scope, number }))));
      } catch {
        // The rows that match by themselves stay.
      }
    }, 400);
    return () => (clearTimeout(timer), abort.abort());
  }, [text, scope, all]);
  return found;
}

export function Requests({ path: [number, other], query }) {
  const { rows, error, complete } = useStore(journal);
  const { all } = useStore(settings);
  const known = useStore(names).byId;
  const [filter, setFilter] = useState(NOTHING);
  const [isWide, setWide] = useState(WIDE.matches);
  const found = useFound(filter.text);
  const search = useRef(null);

  useEffect(() => {
    const change = () => setWide(WIDE.matches);
    WIDE.addEventListener("change", change);
    return () => WIDE.removeEventListener("change", change);
  }, []);
  useEffect(() => {
    const focus = (event) => {
      if (event.key === "Escape" && number && !document.querySelector("dialog[open]")) go("requests");
      if (event.key !== "/" || event.target.closest("input, textarea, select")) return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, [number]);

  const shown = useMemo(() => rows.filter(matcher(filter, known, found)), [rows, filter, known, found]);
  const keys = useMemo(() => shown.map(keyOf), [shown]);
  const agents = useMemo(() => [...new Set(rows.map((row) => row.agent).filter(Boolean))], [rows]);
  const scope = query.get("scope") ?? settings.get().scope;
  const isCompact = Boolean(number) || !isWide;
  const isFiltered = JSON.stringify(filter) !== JSON.stringify(NOTHING);
  const set = (name) => (event) => setFilter({ ...filter, [name]: event.target.value });
  const open = (key) => {
    const { scope: of, number: which } = shown[keys.indexOf(key)];
    go(`requests/${which}`, all && of ? { scope: of } : {});
  };

  return html`
    <div class=${`split ${number ? "opened" : ""}`}>
      <section class="list" aria-label="Requests">
        <div class="filters" role="search">
          <input ref=${search} type="search" placeholder="Search path, text, clause, rule …  /" aria-label="Search requests"
            value=${filter.text} onInput=${set("text")} />
          <select aria-label="Verdict" value=${filter.verdict} onChange=${set("verdict")}>
            <option value="">Verdict</option>
            ${["answered", "refused", "fault", "hint"].map((one) => html`<option value=${one}>${one}</option>`)}
          </select>
          <select aria-label="Status" value=${filter.status} onChange=${set("status")}>
            <option value="">Status</option>
            ${["2", "4", "5"].map((one) => html`<option value=${one}>${one}xx</option>`)}
          </select>
          <select aria-label="Agent" value=${filter.agent} onChange=${set("agent")}>
            <option value="">Agent</option>
            ${agents.map((one) => html`<option value=${one}>${known.get(one) ?? one}</option>`)}
          </select>
          ${isFiltered && html`<button type="button" class="plain" onClick=${() => setFilter(NOTHING)}>Clear</button>`}
          <output class="quiet">${isFiltered ? `${shown.length.toLocaleString("en")} of ` : ""}${plural(rows.length, "request")}${complete || !rows.length ? "" : " …"}</output>
        </div>
        <${Problem} error=${error} />
        ${!isCompact && html`
          <div class="columns" aria-hidden="true"><span>Time</span><span>Status</span><span>Request</span><span>Agent</span><span>Scope</span><span>Took</span><span>Verdict</span></div>`}
        ${shown.length
          ? html`<${WindowList} keys=${keys} height=${isCompact ? 60 : 40} label="Requests, newest first" onOpen=${open}
              active=${number ? keyOf({ scope, number: Number(number) }) : undefined}
              row=${(index) => html`<${Row} row=${shown[index]} name=${known.get(shown[index].agent)} compact=${isCompact} />`} />`
          : !error && html`<${Empty}>${rows.length ? "No request matches." : html`No request yet in this scope.
              They appear here as they come: point a client at this mock, or <a href="#/chat">talk to an agent</a>.`}<//>`}
      </section>
      ${number && html`<section class="detail" aria-label="The opened request">
        ${other
          ? html`<${Compare} left=${number} right=${other} scope=${scope} />`
          : html`<${Request} key=${`${scope}/${number}`} number=${number} scope=${scope} />`}
      </section>`}
    </div>`;
}

function Row({ row, name, compact }) {
  const said = row.said && html`<span class="said">${row.said}</span>`;
  const scope = row.scope ?? "default";
  const by = row.rule ? `rule ${row.rule}` : row.faults.length ? row.faults.join(", ") : row.clauses[0];
  if (compact) {
    return html`
      <div class="compact">
        <div><${Status} code=${row.status} /> <b>${row.method}</b> <span class="path" title=${row.path}>${shortPath(row.path)}</span></div>
        <div class="quiet"><time>${timeOf(row.time)}</time> <${Verdict} of=${row.verdict} /> <span class="said">${row.said || by || name}</span></div>
      </div>`;
  }
  return html`
    <div class="columns">
      <time>${timeOf(row.time)}</time>
      <${Status} code=${row.status} />
      <span class="what"><b>${row.method}</b> <span class="path" title=${row.path}>${shortPath(row.path)}</span> ${said}</span>
      <span class="cut">${name ?? row.agent ?? "–"}</span>
      <span class="cut">${scope}</span>
      <span>${row.seconds ? durationOf(row.seconds) : "–"}</span>
      <span class="cut"><${Verdict} of=${row.verdict} /> ${by && html`<span class="quiet">${by}</span>`}</span>
    </div>`;
}
