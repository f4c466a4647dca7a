// Two requests, side by side: what differs in what was sent and in what came back.
import { html, useLoad } from "./html.js";
import { Badge, Problem, Status, timeOf } from "./parts.js";
import { loadRequest } from "./request.js";
import { hrefOf } from "./route.js";
import { joinEvents } from "./stream.js";

/** Yields each value inside a value with its place; of a stream, what its events say together. */
function* leaves(value, place) {
  if (value === null || typeof value !== "object" || !Object.keys(value).length) return yield [place, JSON.stringify(value)];
  for (const [key, one] of Object.entries(value)) yield* leaves(one, `${place}/${key}`);
}

const VOLATILE = /^(date|content-length|x-request-id)$/;

function partsOf({ request, reply }) {
  const body = (message) => message.events ? joinEvents(message.events) : "json" in message ? message.json : message.text ?? null;
  const headers = (message) => Object.fromEntries(Object.entries(message.headers).filter(([name]) => !VOLATILE.test(name)));
  const { method, path, query } = request;
  return {
    Request: new Map(leaves({ method, path, query, headers: headers(request), body: body(request) }, "")),
    Reply: new Map(leaves({ status: reply.status, headers: headers(reply), body: body(reply) }, "")),
  };
}

/** Returns the places at which two maps differ, in the order of the first. */
function differences(left, right) {
  const places = [...left.keys(), ...[...right.keys()].filter((place) => !left.has(place))];
  return places.filter((place) => left.get(place) !== right.get(place));
}

export function Compare({ left, right, scope }) {
  const both = useLoad((signal) => Promise.all([left, right].map((number) => loadRequest(number, scope, signal))), [left, right, scope]);
  if (!both.value) return html`<${Problem} error=${both.error} />`;
  const [one, two] = both.value;
  const [a, b] = both.value.map(partsOf);
  return html`
    <header class="head"><div class="bar"><a class="button" href=${hrefOf(`requests/${left}`)} aria-label="Back to the request">←</a>
      <h2>Compare <a href=${hrefOf(`requests/${left}`)}>${left}</a> with <a href=${hrefOf(`requests/${right}`)}>${right}</a></h2></div>
      <p class="facts">${[one, two].map((entry) => html`<span>${entry.number}: <${Status} code=${entry.reply.status} /> ${timeOf(entry.time)}</span>`)}</p>
    </header>
    ${["Request", "Reply"].map((part) => {
      const places = differences(a[part], b[part]);
      return html`<section class="card"><h3>${part} <${Badge} kind=${places.length ? "odd" : "good"}>${places.length ? `${places.length} different` : "the same"}<//></h3>
        ${places.length ? html`
          <div class="scroll" tabindex="0" role="region" aria-label=${`Differences of the ${part.toLowerCase()}`}><table class="differences">
            <thead><tr><th scope="col">Place</th><th scope="col">${left}</th><th scope="col">${right}</th></tr></thead>
            <tbody>${places.map((place) => html`<tr><th scope="row"><code>${place.slice(1).replaceAll("/", "​/")}</code></th>
              ${[a, b].map((side) => html`<td class=${side[part].has(place) ? "" : "quiet"}>${side[part].get(place) ?? "absent"}</td>`)}</tr>`)}</tbody>
          </table></div>` : html`<p class="quiet">No difference.</p>`}
      </section>`;
    })}`;
}
