// Small clients with one bug each, of kinds that public reports describe. It reads base URLs by client and variant from
// standard input, and writes the variants in which each client fails, as JSON.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const messages = [{ role: "user", content: "Grüße aus Köln!" }];
const unknown = "00000000-0000-4000-8000-000000000007";

const post = (url, body) =>
  fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages, ...body }),
  });
const again = async (url, body) => {
  const reply = await post(url, body).catch(() => post(url, body));
  return [429, 502, 503].includes(reply.status) ? post(url, body) : reply;
};
const plain = async (url, body = {}) => (await again(url, body)).json();
const text = async (url) => (await again(url, { stream: true })).text();
const data = (all) =>
  all
    .split(/\r\n\r\n|\n\n/)
    .map((block) => block.split(/\r\n|\n/).filter((line) => line.startsWith("data:")))
    .filter((lines) => lines.length)
    .map((lines) => lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n"));
const chunks = async (url) => data(await text(url)).filter((one) => one !== "[DONE]").map((one) => JSON.parse(one));
const lines = async (url) => (await text(url)).split("\n");

const clients = {
  async "splits events at LF LF"(url) {
    const blocks = (await text(url)).split("\n\n").filter((block) => block.startsWith("data: {"));
    assert.ok(blocks.length > 1);
    blocks.forEach((block) => JSON.parse(block.slice(6)));
  },
  async "wants data: with a space"(url) {
    assert.ok((await lines(url)).filter((line) => line.startsWith("data: ")).length > 1);
  },
  async "parses each line that is not empty"(url) {
    for (const line of await lines(url)) {
      if (line.trim() && !line.includes("[DONE]")) JSON.parse(line.replace(/^data: ?/, ""));
    }
  },
  async "parses each line of data"(url) {
    for (const line of await lines(url)) {
      if (line.startsWith("data:") && !line.includes("[DONE]")) JSON.parse(line.slice(5));
    }
  },
  async "decodes each piece by itself"(url) {
    for await (const piece of (await again(url, { stream: true, n: 2 })).body) {
      new TextDecoder("utf-8", { fatal: true }).decode(piece);
    }
  },
  async "reads an event from each piece"(url) {
    for await (const piece of (await again(url, { stream: true })).body) {
      for (const one of data(new TextDecoder().decode(piece))) if (one !== "[DONE]") JSON.parse(one);
    }
  },
  async "reads choices[0] of each chunk"(url) {
    for (const chunk of await chunks(url)) assert.ok("delta" in chunk.choices[0]);
  },
  async "reads total_tokens of each usage"(url) {
    for (const chunk of await chunks(url)) if ("usage" in chunk) assert.ok(chunk.usage.total_tokens);
  },
  async "takes the role from the first chunk"(url) {
    assert.equal((await chunks(url))[0].choices[0].delta.role.length, 9);
  },
  async "drops the first chunk"(url) {
    const said = (list) => list.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
    const all = await chunks(url);
    assert.equal(said(all.slice(1)), said(all));
  },
  async "drops the chunk that finishes"(url) {
    const said = (list) => list.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
    const all = await chunks(url);
    assert.equal(said(all.filter((chunk) => !chunk.choices[0]?.finish_reason)), said(all));
  },
  async "adds null to the text"(url) {
    let all = "";
    for (const chunk of await chunks(url)) {
      const delta = chunk.choices[0]?.delta ?? {};
      if ("content" in delta) all += delta.content;
    }
    assert.ok(!all.includes("null"));
  },
  async "iterates over tool_calls that are null"(url) {
    for (const chunk of await chunks(url)) {
      const delta = chunk.choices[0]?.delta ?? {};
      if (delta.tool_calls !== undefined) assert.ok([...delta.tool_calls]);
    }
  },
  async "refuses keys that it does not know"(url) {
    const known = ["id", "object", "created", "model", "choices", "usage", "session_id"];
    assert.deepEqual(Object.keys(await plain(url)).filter((key) => !known.includes(key)), []);
  },
  async "searches the body for the text"(url) {
    assert.match(await (await again(url, {})).text(), /"finish_reason":"/);
  },
  async "adds up the usage"(url) {
    assert.ok(Number.isFinite(Object.values((await plain(url)).usage).reduce((sum, one) => sum + one, 0)));
  },
  async "compares the content type"(url) {
    assert.equal((await again(url, {})).headers.get("content-type"), "application/json");
  },
  async "takes each refusal for JSON"(url) {
    assert.ok(await (await again(url, { store_in_session: unknown })).json());
  },
  async "looks for words in a refusal"(url) {
    assert.match(await (await again(url, { store_in_session: unknown })).text(), /ession|<h1>|^$/);
  },
  async "waits for 0.3 s"(url) {
    const body = JSON.stringify({ messages });
    const headers = { "content-type": "application/json" };
    const signal = AbortSignal.timeout(300);
    await fetch(`${url}/chat/completions`, { method: "POST", headers, body, signal });
  },
  async "never tries again"(url) {
    assert.equal((await post(url, {})).status, 200);
  },
};

const failed = {};
for (const [name, urls] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  failed[name] = [];
  for (const [variant, url] of Object.entries(urls)) {
    await clients[name](url).catch(() => failed[name].push(variant));
  }
}
console.log(`\n${JSON.stringify(failed)}`);
process.exit(0);
