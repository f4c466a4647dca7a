// OpenAI's SDK for Node, over HTTP, against `agent-contract serve`.
// The environment names the servers: AGENT_URL takes everybody, GUARDED_URL asks for TOKEN.
import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI, { AuthenticationError, BadRequestError, NotFoundError, UnprocessableEntityError } from "openai";

const { AGENT_URL, GUARDED_URL, TOKEN } = process.env;
const messages = [{ role: "user", content: "Hello!" }];
const model = ""; // stands for the agent's own

const clientOf = (baseURL, apiKey = "none-is-asked-for") => new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const chat = (body, client = clientOf(AGENT_URL)) => client.chat.completions.create({ model, messages, ...body });
const textOf = (answer) => answer.choices[0].message.content;
const collect = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};

test("a chat is answered", async () => {
  const answer = await chat({});
  assert.equal(answer.object, "chat.completion");
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0]);
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.ok(textOf(answer));
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  assert.equal(answer.session_id, undefined);
});

test("a streamed chat arrives in chunks that join to the plain answer", async () => {
  const plain = await chat({ temperature: 0 });
  const chunks = await collect(await chat({ temperature: 0, stream: true }));
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  assert.equal(chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join(""), textOf(plain));
  assert.deepEqual(chunks.map((chunk) => chunk.choices[0].finish_reason).filter(Boolean), ["stop"]);
});

test("a stream carries its usage in the last chunk when asked to", async () => {
  const chunks = await collect(await chat({ stream: true, stream_options: { include_usage: true } }));
  const { usage } = chunks.pop();
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  assert.ok(chunks.every((chunk) => !chunk.usage));
});

test("n gives that many choices", async () => {
  const answer = await chat({ n: 2, temperature: 0.7 });
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
});

test("an answer ends before a stop sequence", async () => {
  const [first, second] = textOf(await chat({ temperature: 0 })).split(" ");
  const stopped = await chat({ temperature: 0, stop: [second] });
  assert.equal(textOf(stopped).trimEnd(), first);
  assert.equal(stopped.choices[0].finish_reason, "stop");
});

test("an answer that max_tokens cut says so", async () => {
  const answer = await chat({ max_tokens: 3 });
  assert.equal(answer.choices[0].finish_reason, "length");
  assert.equal(answer.usage.completion_tokens, 3);
});

test("a session is created and extended through properties that the SDK does not declare", async () => {
  const opened = await chat({ create_session: true });
  const second = await chat({ store_in_session: opened.session_id });
  const third = await chat({ store_in_session: opened.session_id });
  assert.match(opened.session_id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal(third.session_id, opened.session_id);
  assert.ok(opened.usage.prompt_tokens < second.usage.prompt_tokens);
  assert.ok(second.usage.prompt_tokens < third.usage.prompt_tokens);
});

test("an unknown role is a bad request", async () => {
  await assert.rejects(chat({ messages: [{ role: "narrator", content: "Once upon a time." }] }), BadRequestError);
});

test("a model that is not the agent's is a bad request", async () => {
  await assert.rejects(chat({ model: "gpt-unknown" }), BadRequestError);
});

test("an unknown agent is not found", async () => {
  const url = AGENT_URL.replace(/[^/]+$/, "00000000-0000-4000-8000-0000000000ff");
  await assert.rejects(chat({}, clientOf(url)), NotFoundError);
});

test("an unknown session is not found", async () => {
  await assert.rejects(chat({ store_in_session: "00000000-0000-4000-8000-0000000000fe" }), NotFoundError);
});

for (const stream of [false, true]) {
  test(`a temperature above two is unprocessable, with stream ${stream}`, async () => {
    await assert.rejects(chat({ temperature: 2.1, stream }), (error) => {
      assert.ok(error instanceof UnprocessableEntityError);
      assert.equal(error.status, 422);
      return true;
    });
  });
}

test("a wrong token is an authentication error", async () => {
  await assert.rejects(chat({}, clientOf(GUARDED_URL, "wrong")), AuthenticationError);
});

test("the right token is let in", async () => {
  assert.ok(textOf(await chat({}, clientOf(GUARDED_URL, TOKEN))));
});

// What is not about one agent stands above the agents, `demo-tools` beside this one.
const rootOf = (url) => url.slice(0, url.indexOf("/assistants/"));
const root = clientOf(rootOf(AGENT_URL));
const toolsAgent = clientOf(`${rootOf(AGENT_URL)}/agents/demo-tools`);
const asked = [{ role: "user", content: "What is the weather in Paris?" }];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "get_weather", parameters } }];

test("models are listed, and one of them is asked without an agent", async () => {
  const models = await collect(await root.models.list());
  const completer = models.find((one) => one.model_type === "COMPLETIONS");
  assert.ok(textOf(await root.chat.completions.create({ model: completer.id, messages })));
});

test("texts are embedded, whichever encoding the SDK asks for", async () => {
  const models = await collect(await root.models.list());
  const { id } = models.find((one) => one.model_type === "EMBEDDINGS");
  const input = ["The sea is calm.", "The sea is calm."];
  const [first, second] = (await root.embeddings.create({ model: id, input })).data;
  const [float] = (await root.embeddings.create({ model: id, input, encoding_format: "float" })).data;
  assert.deepEqual(first.embedding, second.embedding);
  assert.equal(first.embedding.length, float.embedding.length);
  assert.ok(first.embedding.every((value, place) => Math.abs(value - float.embedding[place]) < 1e-6));
});

test("a tool is called, and its result ends the loop", async () => {
  const call = (await toolsAgent.chat.completions.create({ model, messages: asked, tools })).choices[0];
  assert.equal(call.finish_reason, "tool_calls");
  assert.deepEqual(JSON.parse(call.message.tool_calls[0].function.arguments), { city: "Paris" });
  const result = { role: "tool", tool_call_id: call.message.tool_calls[0].id, content: "18 degrees" };
  const answer = await toolsAgent.chat.completions.create({ model, messages: [...asked, call.message, result], tools });
  assert.match(textOf(answer), /18 degrees/);
});

test("the SDK's runner of tools comes to an end", async () => {
  const cities = [];
  const runner = toolsAgent.chat.completions.runTools({
    model,
    messages: asked,
    tools: [
      {
        type: "function",
        function: { name: "get_weather", parameters, parse: JSON.parse, function: ({ city }) => `18 degrees in ${cities[cities.push(city) - 1]}` },
      },
    ],
  });
  assert.match(await runner.finalContent(), /18 degrees in Paris/);
  assert.deepEqual(cities, ["Paris"]);
});

test("the SDK's helper for streams puts a call together", async () => {
  const stream = toolsAgent.chat.completions.stream({ model, messages: asked, tools });
  const { choices } = await stream.finalChatCompletion();
  assert.deepEqual(JSON.parse(choices[0].message.tool_calls[0].function.arguments), { city: "Paris" });
});

test("the SDK parses content in the form of a schema", async () => {
  const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
  const response_format = { type: "json_schema", json_schema: { name: "place", schema, strict: true } };
  const answer = await clientOf(AGENT_URL).chat.completions.parse({ model, messages, response_format });
  assert.deepEqual(Object.keys(JSON.parse(textOf(answer))), ["city"]);
});
