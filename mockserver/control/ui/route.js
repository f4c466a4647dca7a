// The address of a view: #/requests/12?scope=mine. It holds no secret.
import { createStore } from "./html.js";

function read() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/").map(decodeURIComponent);
  return { view: view || "requests", path: rest, query: new URLSearchParams(query) };
}

export const route = createStore(read());
addEventListener("hashchange", () => route.set(read()));

export function hrefOf(path, query = {}) {
  const text = new URLSearchParams(query).toString();
  return `#/${path.split("/").map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

export function go(path, query) {
  location.hash = hrefOf(path, query);
}
