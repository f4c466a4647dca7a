// The npm package `agent-contract-kit` against served mocks: AGENT_MOCK_URL is open, GUARDED_URL asks for TOKEN.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";

import { sharedMock, startMock, withMock } from "agent-contract-kit";
import OpenAI from "openai";

const { AGENT_MOCK_URL, GUARDED_URL, TOKEN } = process.env;
const messages = [{ role: "user", content: "Hello!" }];
const chat = (mock, body, options) => mock.client(OpenAI, options).chat.completions.create({ model: "", messages, ...body });
const textOf = (answer) => answer.choices[0].message.content;

test("answers, conditions and faults are those of the test", withMock(async (mock) => {
  const other = mock.server.open();
  await mock.reply("To the weather.", { when: { user_contains: "weather" } });
  await mock.reply(["one", "two"], { then: "repeat" });
  const texts = [textOf(await chat(mock)), textOf(await chat(mock)), textOf(await chat(mock))];
  assert.deepEqual(texts, ["one", "two", "one"]);
  assert.notEqual(textOf(await chat(other)), "two");
  await mock.fail("gateway-html", { times: 1 });
  await assert.rejects(chat(mock, {}, { maxRetries: 0 }), { status: 502 });
  assert.equal(textOf(await chat(mock)), "two");
  assert.equal((await other.calls()).length, 1);
  await other.close();
  assert.deepEqual(await other.calls(), []);
}));

test("a scenario sets rules, faults and strictness at once", withMock(async (mock) => {
  await mock.scenario({ rules: [{ when: { user: "Hello!" }, answer: "Hi!" }], faults: [{ fault: 429, times: 1, retry_after_ms: 1 }] });
  assert.equal(textOf(await chat(mock)), "Hi!");
  await mock.scenario({ strict: true });
  await assert.rejects(chat(mock, { messages: [{ role: "user", content: "Bye!" }] }), { status: 404 });
}, { rejections: "off" }));

test("calls are found by agent, session, text and status, the first one first", withMock(async (mock) => {
  const helper = await mock.agent("helper");
  const session = (await chat(mock, { create_session: true })).session_id;
  await chat(mock, { stream: true, store_in_session: session });
  await chat(mock, { messages: [{ role: "user", content: "Bye!" }] }, { agent: "helper" });
  assert.deepEqual((await mock.calls()).map((call) => call.status), [200, 200, 200]);
  assert.deepEqual((await mock.calls({ session })).map((call) => call.json.stream), [undefined, true]);
  assert.equal((await mock.calls({ session }))[1].reply.events[0].data.object, "chat.completion.chunk");
  const [bye] = await mock.calls({ contains: "Bye!" });
  assert.equal(bye.agent, helper);
  assert.equal(bye.headers.authorization, "Bearer [redacted]");
  assert.deepEqual(await mock.calls({ agent: helper, status: "2xx" }), [bye]);
}));

test("a session begins with messages, and ends by the clock", withMock(async (mock) => {
  await mock.agent("short", { session_max_ttl: 600 });
  const said = [{ role: "user", content: "The password is heron." }, { role: "assistant", content: "I see." }];
  const session = await mock.session({ agent: "short", messages: said });
  const ask = () => chat(mock, { store_in_session: session, messages: [{ role: "user", content: "What is the password?" }] }, { agent: "short" });
  assert.match(textOf(await ask()), /heron/);
  const before = await mock.clock.now();
  await mock.clock.advance(601);
  assert.ok((await mock.clock.now()) - before >= 601);
  await assert.rejects(ask(), { status: 404 });
  await mock.assertCalled({ agent: "short", session, times: 2 });
  assert.equal((await mock.calls({ agent: "short" })).length, 2);
}, { rejections: "off" }));

test("a stream that stalls for an hour takes no time if waits are skipped", withMock(async (mock) => {
  await mock.clock.skipWaits();
  await mock.fail("latency", { seconds: 3600 });
  const begun = await mock.clock.now();
  await chat(mock);
  assert.equal(Math.round((await mock.clock.now()) - begun), 3600);
  await mock.clock.freeze();
  await mock.clock.run();
}));

test("an assertion that fails describes the nearest request", withMock(async (mock) => {
  await chat(mock, { temperature: 0.2 });
  await mock.assertCalled({ contains: "Hello", body: { temperature: 0.2 } });
  await mock.assertOrder("Hello");
  await mock.assertUsage(1000);
  await assert.rejects(mock.assertCalled({ contains: "Hallo!" }), (error) => {
    assert.equal(error.name, "AssertionError");
    for (const line of [
      "calls with contains='Hallo!': expected at least 1, got 0",
      "The nearest request is number 1:",
      "contains: expected 'Hallo!', got 'Hello!'",
      'chat/completions 200 answered: "Hello!"',
    ]) assert.ok(error.message.includes(line), error.message);
    return true;
  });
  await assert.rejects(mock.assertCalled({ body: { temperature: 1 } }), /\+  "temperature": 0.2/);
  await assert.rejects(mock.assertUsage(1), /expected at most 1, got/);
}));

test("a tool is called if the client sends the result", withMock(async (mock) => {
  const call = { name: "get_weather", arguments: { city: "Paris" } };
  await mock.reply([{ tool_calls: [call] }, "Take an umbrella."]);
  await assert.rejects(mock.assertToolCalled("get_weather"), /sent no result of get_weather/);
  const tools = [{ type: "function", function: { name: "get_weather" } }];
  const [{ message }] = (await chat(mock, { tools })).choices;
  const result = { role: "tool", tool_call_id: message.tool_calls[0].id, content: "It rains." };
  await chat(mock, { tools, messages: [...messages, message, result] });
  await mock.assertToolCalled("get_weather", { arguments: { city: "Paris" }, result: "rains" });
  await assert.rejects(mock.assertToolCalled("get_weather", { arguments: { city: "Rome" } }), /\+  "city": "Paris"/);
}));

test("a rule that was never used fails its test if the test asks for that", async () => {
  const run = withMock((mock) => mock.reply("Never.", { name: "forgotten" }), { strictRules: true });
  await assert.rejects(run(), /The rule forgotten was never used/);
});

test("more calls than a page has are returned", withMock(async (mock) => {
  for (let number = 0; number < 101; number += 1) await fetch(`${mock.url}/api/v1/compatibility/openai/v1/models`);
  assert.deepEqual((await mock.calls()).map((call) => call.number), Array.from({ length: 101 }, (_, index) => index + 1));
}));

test("a request that breaks the contract fails its test, and the error explains it", async () => {
  const run = withMock(async (mock) => {
    await assert.rejects(chat(mock, { temperature: 3 }), { status: 422 });
  });
  await assert.rejects(run(), (error) => {
    for (const line of [
      "chat/completions broke the contract: chat.temperature-above-maximum",
      "first.",
      "clause: chat.temperature-above-maximum: A `temperature` above 2 is refused with 422.",
      "remedy: send at most 2",
    ]) assert.ok(error.message.includes(line), error.message);
    return true;
  });
});

test("an expected rejection passes, and a missing one fails", async () => {
  const refused = (clause) => withMock(async (mock) => {
    mock.expectRejection(clause);
    await assert.rejects(chat(mock, { temperature: 3 }));
  });
  await refused("chat.temperature-above-maximum")();
  await refused()();
  await assert.rejects(refused("chat.messages-empty")(), /No request was refused because of chat.messages-empty/);
});

test("a failed test keeps its own error", async () => {
  const run = withMock(async (mock) => {
    await assert.rejects(chat(mock, { temperature: 3 }));
    assert.equal(1, 2, "the error of the test");
  });
  await assert.rejects(run(), /the error of the test/);
});

test("a wrong rule, fault or agent is an error that names the remedy", withMock(async (mock) => {
  await assert.rejects(mock.reply("x", { when: { user_contain: "y" } }), /did you mean "user_contains"/);
  await assert.rejects(mock.fail(429, { tims: 1 }), /did you mean "times"/);
  await assert.rejects(mock.agent("x".repeat(300)), /POST .*agents failed with 422/);
}, { rejections: "off" }));

test("a control request whose await was forgotten fails its test, if it fails", async () => {
  const forgotten = [];
  const run = withMock((mock) => {
    forgotten.push(mock.fail("nonsense").catch(() => {}));
  });
  await assert.rejects(run(), /"nonsense" is not a fault/);
});

test("a mock is shared by tests, and its URL may end with a slash", async () => {
  assert.equal(await sharedMock(), await sharedMock());
  const connected = await startMock({ url: `${AGENT_MOCK_URL}/` });
  assert.equal(connected.url, AGENT_MOCK_URL);
  await connected.stop();
  assert.ok((await fetch(`${AGENT_MOCK_URL}/__mock__/health`)).ok);
});

test("a mock with a token is used with it", withMock(async (mock) => {
  await mock.reply("Guarded.");
  assert.equal(textOf(await chat(mock)), "Guarded.");
  assert.equal((await mock.calls()).length, 1);
}, { url: GUARDED_URL, token: TOKEN }));

test("the SDK prints the reason of a refusal with the error format of OpenAI", withMock(async (mock) => {
  const refused = chat(mock, { temperature: 3 });
  await assert.rejects(refused, /422 body.temperature: Input should be less than or equal to 2/);
}, { url: "", options: ["--error-format", "openai"], rejections: "off" }));

test("CommonJS modules can require it", () => {
  assert.equal(typeof createRequire(import.meta.url)("agent-contract-kit").withMock, "function");
});

test("a command that does not exist, or does not start, is an error", async () => {
  const url = "";
  await assert.rejects(startMock({ url, command: ["no-such-command"] }), /can't be run: .*pip install agent-contract-kit/);
  await assert.rejects(startMock({ url, options: ["--seed", "x"] }), /ended with 2: .*'--seed'/s);
});

describe("a mock that a program started", () => {
  let program;
  let url;

  before(async () => {
    const code = 'import { startMock } from "agent-contract-kit"; console.log((await startMock()).url); setInterval(() => {}, 1000);';
    const env = { ...process.env, AGENT_MOCK_URL: "" };
    program = spawn(process.execPath, ["--input-type=module", "-e", code], { env, cwd: import.meta.dirname });
    url = await new Promise((resolve) => program.stdout.once("data", (text) => resolve(String(text).trim())));
  });
  after(() => program.kill("SIGKILL"));

  test("ends with it, even if it is killed", async () => {
    assert.ok((await fetch(`${url}/__mock__/health`)).ok);
    program.kill("SIGKILL");
    for (;;) {
      const answer = await fetch(`${url}/__mock__/health`).catch(() => null);
      if (!answer) return;
    }
  });
});
