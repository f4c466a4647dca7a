// JSON as lines, with marks at the places that break the contract.
import { html } from "./html.js";

const MOST = 4000;

/** Returns the lines of a value: `depth`, `parts` of text with a class each, and the `place`, such as body/messages/0. */
function linesOf(value, marks) {
  const lines = [];
  const used = new Set();
  const visit = (item, depth, place, name, last) => {
    const comma = last ? "" : ",";
    const label = name === undefined ? [] : [["key", JSON.stringify(name)], ["", ": "]];
    const push = (parts) => lines.push({ depth, place, parts, marks: marks.get(place) ?? [] });
    used.add(place);
    const missing = [...marks].filter(([at]) => isMissing(item, place, at)).map(([at]) => at);
    if (item === null || typeof item !== "object" || (!Object.keys(item).length && !missing.length)) {
      push([...label, [kindOf(item), JSON.stringify(item)], ["", comma]]);
      return;
    }
    const isList = Array.isArray(item);
    push([...label, ["", isList ? "[" : "{"]]);
    const entries = isList ? item.map((one, index) => [index, one]) : Object.entries(item);
    entries.forEach(([key, one], index) => {
      visit(one, depth + 1, `${place}/${key}`, isList ? undefined : key, index === entries.length - 1);
    });
    for (const at of missing) {
      const key = at.slice(place.length + 1);
      lines.push({ depth: depth + 1, place: at, parts: [["absent", `${JSON.stringify(key)}: absent`]], marks: marks.get(at) });
    }
    lines.push({ depth, place: "", parts: [["", (isList ? "]" : "}") + comma]], marks: [] });
  };
  visit(value, 0, "body", undefined, true);
  return lines;
}

/** Whether `at` is a field that the object at `place` lacks. */
function isMissing(item, place, at) {
  if (item === null || typeof item !== "object" || Array.isArray(item) || !at.startsWith(`${place}/`)) return false;
  const key = at.slice(place.length + 1);
  return !key.includes("/") && !(key in item);
}

const kindOf = (value) => (value === null ? "null" : typeof value);

/** Shows a value. `violations` have a place and a reason. */
export function Json({ value, violations = [], label }) {
  const marks = new Map();
  for (const one of violations) marks.set(one.place, [...(marks.get(one.place) ?? []), one]);
  const lines = linesOf(value, marks);
  const left = lines.length - MOST;
  return html`
    <div class="json" tabindex="0" role="region" aria-label=${label}>
      ${lines.slice(0, MOST).map(({ depth, parts, marks: here }) => html`
        <div class=${`line ${here.length ? "marked" : ""}`} style=${{ paddingLeft: `${depth * 1.1 + 0.2}rem` }}>
          ${parts.map(([kind, text]) => (kind ? html`<span class=${kind}>${text}</span>` : text))}
        </div>
        ${here.map((one) => html`
          <div class="mark" style=${{ marginLeft: `${depth * 1.1 + 0.2}rem` }}><b>${one.rule}</b> ${reasonOf(one)}
            ${one.remedy && html`<span class="remedy">${one.remedy}</span>`}</div>`)}`)}
      ${left > 0 && html`<div class="line quiet">${left} more lines</div>`}
    </div>`;
}

/** The reason without the place before it, which the line shows already. */
const reasonOf = ({ reason, place }) => (reason.startsWith(`${place}: `) ? reason.slice(place.length + 2) : reason);
