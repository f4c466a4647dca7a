// What OpenAI's SDK for Node does at each fault: reads cases from stdin, prints their outcomes.
// Usage: node faults.mjs URL < cases.json; a case is {fault, options, stream, timeout, agent, fields, messages, other}.

import OpenAI from 'openai';
import { readFileSync } from 'node:fs';

const url = process.argv[2];

function described(argumentTexts, index) {
  if (index === undefined || index === null) return 'answers, index undefined';
  return argumentTexts.every(isJson) ? 'answers' : 'answers, arguments not JSON';
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function whole(answer) {
  const message = answer.choices[0].message;
  if (message.tool_calls) return described(message.tool_calls.map((call) => call.function.arguments), 0);
  if (message.content === null) return 'answers, content null';
  return message.content === '' ? 'answers, content empty' : 'answers';
}

function streamed(chunks) {
  const deltas = chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta));
  const calls = deltas.flatMap((delta) => delta.tool_calls ?? []);
  if (calls.length) return described([calls.map((call) => call.function.arguments ?? '').join('')], calls[0].index);
  if (!deltas.map((delta) => delta.content ?? '').join('')) return 'answers, content empty';
  return chunks.every((chunk) => chunk.choices.length) ? 'answers' : 'answers, a chunk without choices';
}

async function outcome(one, number) {
  const scope = `node fault ${number}`;
  let tries = 0;
  const client = new OpenAI({
    baseURL: `${url}/api/v1/compatibility/openai/v1${one.other ? '' : `/assistants/${one.agent}`}`,
    apiKey: 'any',
    maxRetries: 1,
    fetch: (...request) => {
      tries += 1;
      return fetch(...request);
    },
    timeout: one.timeout * 1000,
    defaultHeaders: { 'X-Mock-Scope': scope, 'X-Mock-Fault': `${one.fault}:${one.options}` },
  });
  let result;
  try {
    if (one.other) {
      const [method, path, body] = one.other;
      result = String(await client[method](path, { body }));
    } else {
      const request = { model: '', messages: one.messages, stream: one.stream, ...one.fields };
      const answer = await client.chat.completions.create(request);
      if (one.stream) {
        const chunks = [];
        for await (const chunk of answer) chunks.push(chunk);
        result = streamed(chunks);
      } else result = whole(answer);
    }
  } catch (error) {
    result = error.constructor.name;
  }
  const journal = await fetch(`${url}/__mock__/requests`, { headers: { 'X-Mock-Scope': scope } });
  const { requests } = await journal.json();
  if (!requests[0].faults.includes(one.fault)) return `${one.fault} did not happen: ${result}`;
  return tries === 1 ? result : `${result}, after retries`;
}

const cases = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(await Promise.all(cases.map(outcome))));
