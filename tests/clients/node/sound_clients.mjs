// Clients that many use, each doing what its users do. It reads base URLs by variant from standard input, and writes the
// error of each variant in which the client fails, as JSON.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
import OpenAI from "openai";

const question = "What is the weather in Köln?";
const messages = [{ role: "user", content: question }];
const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function", function: { name: "weather", parameters } }];

const clients = {
  async openai(baseURL) {
    const client = new OpenAI({ baseURL, apiKey: "any" });
    const whole = await client.chat.completions.create({ model: "", messages });
    assert.ok(whole.choices[0].message.content);
    let text = "";
    for await (const chunk of await client.chat.completions.create({ model: "", messages, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? "";
    }
    assert.equal(text, whole.choices[0].message.content);
    const called = await client.chat.completions.create({ model: "", messages, tools, tool_choice: "required" });
    JSON.parse(called.choices[0].message.tool_calls[0].function.arguments);
    const unknown = { store_in_session: "00000000-0000-4000-8000-000000000007" };
    await assert.rejects(client.chat.completions.create({ model: "", messages, ...unknown }), OpenAI.NotFoundError);
  },
  async "ai-sdk"(baseURL) {
    const model = createOpenAICompatible({ name: "mock", baseURL, apiKey: "any" })("");
    assert.ok((await generateText({ model, prompt: question })).text);
    assert.ok(await streamText({ model, prompt: question }).text);
  },
};

const errors = {};
for (const [variant, url] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  try {
    await clients[process.argv[2]](url);
  } catch (error) {
    errors[variant] = String(error?.stack ?? error);
  }
}
console.log(`\n${JSON.stringify(errors)}`);
process.exit(0);
