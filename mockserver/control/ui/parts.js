// Small pieces that several views use.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";

export const Badge = ({ kind, children }) => html`<span class=${`badge ${kind ?? ""}`}>${children}</span>`;

const VERDICTS = { answered: "good", refused: "bad", fault: "odd", hint: "odd" };
export const Verdict = ({ of }) => html`<${Badge} kind=${VERDICTS[of]}>${of}<//>`;

export const Status = ({ code }) =>
  html`<span class=${`status ${code >= 500 ? "bad" : code >= 400 ? "odd" : "good"}`}>${code}</span>`;

/** The grades of clauses that are not documented; a server that breaks any other breaks the contract. */
const WEAK = ["field", "assumed"];
export const Grade = ({ of, meaning }) => html`<span class=${`badge ${WEAK.includes(of) ? "" : "strong"}`} title=${meaning}>${of}</span>`;

/** A button that copies text, and reports it. */
export function Copy({ text, label = "Copy" }) {
  const [state, setState] = useState("");
  useEffect(() => {
    const timer = state && setTimeout(() => setState(""), 1500);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => navigator.clipboard.writeText(text).then(
    () => setState("Copied"),
    () => setState("Not copied: the browser forbids it"),
  );
  return html`<button type="button" class="small" onClick=${copy}>${state || label}</button>`;
}

export const Code = ({ text, label }) => html`
  <div class="code">
    <${Copy} text=${text} />
    <pre tabindex="0" role="region" aria-label=${label}>${text}</pre>
  </div>`;

/** Text in which backticks mark code. */
export const Prose = ({ text }) => text.split("`").map((part, index) => (index % 2 ? html`<code>${part}</code>` : part));

export const Problem = ({ error }) => error && html`<p class="problem" role="alert">${error.message}</p>`;

export const Empty = ({ children }) => html`<div class="empty">${children}</div>`;

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
export const timeOf = (seconds) => TIME.format(1000 * seconds);
export const dateOf = (seconds) => DATE.format(1000 * seconds);

export function durationOf(seconds) {
  if (seconds < 1) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 90) return `${Number(seconds.toFixed(1))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Number((seconds / 3600).toFixed(1))} h`;
}

/** The part of a path that differs between operations; the rest is the same for all. */
export const shortPath = (path) => path.replace(/^\/api\/v1\/compatibility\/openai\/v1(?=\/)/, "…");

export const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

/**
 * A list of which only the visible rows are elements. `row(index)` draws one, of `height` pixels.
 * The list keeps its place when rows are added at its beginning.
 */
export function WindowList({ keys, height, row, label, active, onOpen }) {
  const box = useRef(null);
  const [view, setView] = useState({ top: 0, size: 600 });
  const [cursor, setCursor] = useState(null);
  const shown = useRef({ first: keys[0], height });

  useLayoutEffect(() => {
    const element = box.current;
    const measure = () => setView({ top: element.scrollTop, size: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const { first } = shown.current;
    const added = first === undefined ? 0 : keys.indexOf(first);
    if (added > 0 && box.current.scrollTop > height) box.current.scrollTop += added * height;
    shown.current = { first: keys[0], height };
  }, [keys, height]);

  const at = keys.indexOf(cursor ?? active);
  const from = Math.max(0, Math.floor(view.top / height) - 8);
  const to = Math.min(keys.length, Math.ceil((view.top + view.size) / height) + 8);
  const move = (index) => {
    const next = Math.max(0, Math.min(keys.length - 1, index));
    setCursor(keys[next]);
    const [top, size] = [box.current.scrollTop, box.current.clientHeight];
    if (next * height < top) box.current.scrollTop = next * height;
    if ((next + 1) * height > top + size) box.current.scrollTop = (next + 1) * height - size;
  };
  const onKeyDown = (event) => {
    const page = Math.max(1, Math.floor(view.size / height) - 1);
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9 };
    if (event.key in steps) move(at + steps[event.key]);
    else if (event.key === "Enter" && at >= 0) onOpen(keys[at]);
    else return;
    event.preventDefault();
  };
  // Elements are used again for other rows: new ones would take most of the time of a scroll.
  const slots = Math.ceil(view.size / height) + 18;
  const visible = [];
  for (let index = from; index < to; index++) {
    const key = keys[index];
    visible.push(html`
      <div key=${index % slots} id=${`row-${key}`} role="option" aria-selected=${key === active} aria-posinset=${index + 1}
        aria-setsize=${keys.length} class=${`row ${index === at ? "cursor" : ""}`}
        style=${{ transform: `translateY(${index * height}px)`, height: `${height}px` }}
        onClick=${() => { setCursor(key); onOpen(key); }}>${row(index)}</div>`);
  }
  return html`
    <div class="window" ref=${box} role="listbox" tabindex="0" aria-label=${label} onKeyDown=${onKeyDown}
      aria-activedescendant=${at >= from && at < to ? `row-${keys[at]}` : undefined}
      onScroll=${(event) => setView({ top: event.target.scrollTop, size: event.target.clientHeight })}>
      <div class="rows" role="presentation" style=${{ height: `${keys.length * height}px` }}>${visible}</div>
    </div>`;
}

/** A native dialog that is open while it is drawn. */
export function Dialog({ title, onClose, children }) {
  const element = useRef(null);
  useEffect(() => {
    element.current.showModal();
  }, []);
  const close = (event) => event.target === element.current && onClose();
  return html`
    <dialog ref=${element} aria-labelledby="dialog-title" onClose=${onClose} onClick=${close}>
      <div class="inside">
        <header><h2 id="dialog-title">${title}</h2><button type="button" class="plain" aria-label="Close" onClick=${onClose}>✕</button></header>
        ${children}
      </div>
    </dialog>`;
}
