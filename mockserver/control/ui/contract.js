// The document with its clauses, and what a report of `agent-contract verify` found for each.
import { contract } from "./chat_path.js";
import { createStore, html, useLoad, useMemo, useState, useStore, useEffect } from "./html.js";
import { Badge, Code, Empty, Grade, Problem, Prose, plural } from "./parts.js";

const WORDS = { passed: "good", failed: "bad", "failed (waived)": "odd", warning: "odd" };
/** The report outlives the view. It stays in the browser. */
const dropped = createStore({ report: null, error: null });

async function read(file) {
  try {
    const report = JSON.parse(await file.text());
    if (report?.format !== "agent-contract-report" || !Array.isArray(report.clauses)) throw new Error("it is not a report of agent-contract verify");
    dropped.set({ report, error: null });
  } catch (error) {
    dropped.set({ error: new Error(`${file.name}: ${error.message}. Write one with: agent-contract verify URL --report report.json`) });
  }
}

export function ContractView({ path: [chosen] }) {
  const { value, error } = useLoad(() => contract(), []);
  const { report, error: unreadable } = useStore(dropped);
  const [filter, setFilter] = useState({ text: chosen ?? "", grade: "", word: "" });
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    if (chosen) setFilter({ text: chosen, grade: "", word: "" });
  }, [chosen]);
  const found = useMemo(() => new Map((report?.clauses ?? []).map((one) => [one.id, one])), [report]);
  const words = [...new Set([...found.values()].map(({ word }) => word))];
  const all = value?.clauses ?? [];
  const parts = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (one) => parts.every((part) => `${one.id} ${one.sentence} ${one.operations.join(" ")}`.toLowerCase().includes(part))
    && (!filter.grade || one.grade === filter.grade) && (!filter.word || found.get(one.id)?.word === filter.word);
  const shown = all.filter(matches);
  const set = (name) => (event) => setFilter({ ...filter, [name]: event.target.value });
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
  };
  if (!value) return html`<${Problem} error=${error} />`;
  return html`<div class=${`page ${isOver ? "over" : ""}`} onDragOver=${(event) => (event.preventDefault(), setOver(true))} onDragLeave=${() => setOver(false)} onDrop=${drop}>
    <header class="bar spread"><div><h2>${value.title} ${value.version}</h2>
      <p class="quiet">${plural(value.operations.length, "operation")}, ${plural(all.length, "clause")}. <a href="../../openapi.yaml">openapi.yaml</a></p></div>
      <label class="button">Open a report of verify<input class="hidden" type="file" accept=".json,application/json" onChange=${(event) => event.target.files[0] && read(event.target.files[0])} /></label></header>
    <${Problem} error=${unreadable} />
    ${report ? html`<section class="card" aria-label="Report"><p><b>${report.verdict?.word ?? "Report"}</b> ${report.target?.url ?? report.target?.base_url ?? ""} <small>${report.started_at}</small></p>
      <p class="bar">${words.map((word) => html`<${Badge} kind=${WORDS[word]}>${[...found.values()].filter((one) => one.word === word).length} ${word}<//>`)}
        <button type="button" class="small" onClick=${() => (dropped.set({ report: null }), setFilter({ ...filter, word: "" }))}>Close the report</button></p></section>`
      : html`<p class="quiet drop">Drop a JSON report of <code>agent-contract verify --report report.json</code> here to see what it found for each clause. It stays in your browser.</p>`}
    <details class="card"><summary>${plural(value.operations.length, "operation")}</summary>
      <dl class="terms operations">${value.operations.map((one) => html`<div><dt><code>${one.method} ${one.path}</code></dt><dd>${one.summary} <small>${one.id}</small></dd></div>`)}</dl></details>
    <div class="filters flat" role="search"><input type="search" aria-label="Search clauses" placeholder="Search clauses" value=${filter.text} onInput=${set("text")} />
      <select aria-label="Grade" value=${filter.grade} onChange=${set("grade")}><option value="">Grade</option>${[...new Set(all.map(({ grade }) => grade))].map((one) => html`<option value=${one}>${one}</option>`)}</select>
      ${words.length > 0 && html`<select aria-label="Verdict" value=${filter.word} onChange=${set("word")}><option value="">Verdict</option>${words.map((one) => html`<option value=${one}>${one}</option>`)}</select>`}
      <output class="quiet">${shown.length === all.length ? "" : `${shown.length} of `}${plural(all.length, "clause")}</output></div>
    <ul class="clauses">${shown.map((one) => html`<${Clause} key=${one.id} of=${one} found=${found.get(one.id)} />`)}</ul>
    ${!shown.length && html`<${Empty}>No clause matches.<//>`}
  </div>`;
}

function Clause({ of, found }) {
  const evidence = found && [found.reason, found.expected && `Expected: ${found.expected}`, found.got && `Got: ${found.got}`].filter(Boolean);
  return html`<li class="card">
    <p class="clause"><${Grade} of=${of.grade} meaning=${of.meaning} /><span><code>${of.id}</code> ${found && html`<${Badge} kind=${WORDS[found.word]}>${found.word}<//>`}</span>
      <span class="sentence"><${Prose} text=${of.sentence} /></span></p>
    ${evidence?.map((text) => html`<p class=${`mark ${WORDS[found.word] === "bad" ? "" : "hint"}`}>${text}</p>`)}
    ${found?.curl && html`<details><summary>Reproduce</summary><${Code} text=${found.curl} label=${`Command for ${of.id}`} /></details>`}
    <p><small>${[of.operations.join(", "), of.since && `since ${of.since}`, of.untestable && `not testable: ${of.untestable}`].filter(Boolean).join(" · ")}</small></p>
  </li>`;
}
