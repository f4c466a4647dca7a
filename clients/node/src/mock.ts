import { AssertionError } from "node:assert";
import { randomUUID } from "node:crypto";

import type { MockServer } from "./server.js";
import type {
  Answer,
  Call,
  CallFilter,
  ClockState,
  ExpectedCalls,
  FaultParameters,
  Message,
  RuleOptions,
  Scenario,
  Violation,
} from "./types.js";

const API = "/api/v1/compatibility/openai/v1";
const CONTROL = "/__mock__";
/** Marks requests that prepare a test. */
const USER_AGENT = "agent-contract-kit";
// A test may replace fetch, and must still reach the mock.
const send = globalThis.fetch;

interface StoredRule {
  id: string;
  uses: number;
  rule: { name?: string };
}

interface Entry {
  number: number;
  agent: string | null;
  session: string | null;
  clauses: string[];
  violations: Violation[];
  rule: string | null;
  faults: string[];
  request: { method: string; path: string; headers: Record<string, string>; json?: unknown };
  reply: Call["reply"];
}

/**
 * The clock of one test. It shows real time until the test changes it: sessions and faults end by it, and streams,
 * latency and stalls last as long as it says.
 */
export class Clock {
  readonly #change: (change?: object) => Promise<ClockState>;

  constructor(change: (change?: object) => Promise<ClockState>) {
    this.#change = change;
  }

  /** Returns the time, in seconds since 1970. */
  async now(): Promise<number> {
    return (await this.#change()).now;
  }

  /** Moves the clock on by seconds; delays of the mock that end until then end at once. */
  async advance(seconds: number): Promise<void> {
    await this.#change({ advance: seconds });
  }

  /** Stops the clock: it moves only with `advance`, and so do delays of the mock. */
  async freeze(): Promise<void> {
    await this.#change({ mode: "frozen" });
  }

  /** Lets the clock run again, from its present time. */
  async run(): Promise<void> {
    await this.#change({ mode: "running" });
  }

  /** Lets each delay of the mock move the clock to its end at once, so that nothing waits there. */
  async skipWaits(): Promise<void> {
    await this.#change({ mode: "skipping" });
  }
}

/** The mock of one test. It has agents, sessions, rules, faults and requests of its own. */
export class AgentMock {
  /** The URL of the mock for this test, without a path at its end. */
  readonly url: string;
  /** For requests to the server's own URL, such as `extraHTTPHeaders` of Playwright. */
  readonly headers: Readonly<Record<string, string>>;
  /** The clock of this test. */
  readonly clock: Clock;
  /** Whether `verify` fails if a rule of this test was never used. */
  strictRules = false;
  readonly #agents = new Map<string, string>();
  readonly #expected: string[] = [];
  readonly #pending = new Set<Promise<string>>();

  constructor(
    readonly server: MockServer,
    readonly scope: string,
  ) {
    this.url = `${server.url}${CONTROL}/scope/${scope}`;
    this.headers = { "X-Mock-Scope": scope };
    this.clock = new Clock(async (change) => {
      return JSON.parse(await this.#control(change ? "POST" : "GET", "/clock", change)) as ClockState;
    });
  }

  /** Returns the base URL for an OpenAI client that uses `agent`: a name, an id, or the name of one that `agent` made. */
  baseURL(agent = "demo"): string {
    return `${this.url}${API}/assistants/${this.#agents.get(agent) ?? agent}`;
  }

  /** Returns a client, such as `mock.client(OpenAI)`; `options` are those of its class, and `agent`. */
  client<Client, Options extends object>(
    Class: new (options: Options) => Client,
    { agent = "demo", ...options }: { agent?: string } & Partial<Options> = {} as { agent?: string } & Partial<Options>,
  ): Client {
    return new Class({ baseURL: this.baseURL(agent), apiKey: this.server.token ?? "mock", ...options } as unknown as Options);
  }

  /** Adds a rule: the answer, or the answers that follow each other, to the requests that fulfil `rule.when`. */
  async reply(answers: Answer | readonly Answer[], rule: RuleOptions = {}): Promise<void> {
    await this.#control("POST", "/rules", { ...rule, answers: Array.isArray(answers) ? answers : [answers] });
  }

  /** Adds a fault by its name or status: `fail(429, { times: 1 })`, `fail("cut", { after: 3 })`. */
  async fail(fault: string | number, parameters: FaultParameters = {}): Promise<void> {
    await this.#control("POST", "/faults", { ...parameters, fault });
  }

  /** Adds the rules and faults of a scenario. With `strict`, a chat that no rule matches is refused. */
  async scenario({ faults, ...rules }: Scenario): Promise<void> {
    if (Object.keys(rules).length) await this.#control("POST", "/rules", rules);
    if (faults) await this.#control("POST", "/faults", { faults: faults.map(withParameters) });
  }

  /** Creates an agent and returns its id; `fields` are those of the API. */
  async agent(name: string, fields: Record<string, unknown> = {}): Promise<string> {
    const body = { model: "llama-2-70b-chat-hf", name, ...fields };
    const { id } = JSON.parse(await this.#ask("POST", `${API}/agents`, this.server.token, body)) as { id: string };
    this.#agents.set(name, id);
    return id;
  }

  /** Creates a session of `agent` that contains `messages`, as if they had been sent and answered; returns its id. */
  async session({ agent = "demo", messages = [] }: { agent?: string; messages?: readonly Message[] } = {}): Promise<string> {
    const id = randomUUID();
    await this.#control("PUT", `/sessions/${id}`, { agent: this.#agents.get(agent) ?? agent, messages });
    return id;
  }

  /** Returns the requests of the test, the first one first. */
  async calls(filter: CallFilter = {}): Promise<Call[]> {
    const found: Entry[] = [];
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(filter)) query.set(name, String(value));
    if (filter.agent) query.set("agent", this.#agents.get(filter.agent) ?? filter.agent);
    for (let next: number | null = 0; next !== null; ) {
      if (next) query.set("before", String(next));
      const page = await this.#control("GET", `/requests?${query}`);
      const { requests, next: following } = JSON.parse(page) as { requests: Entry[]; next: number | null };
      found.push(...requests);
      next = following;
    }
    const sent = found.reverse().filter(({ request }) => request.headers["user-agent"] !== USER_AGENT);
    return sent.map(({ request, reply, ...entry }) => {
      const { method, path, headers, json } = request;
      return { ...entry, method, path, headers, json, status: reply.status, reply };
    });
  }

  /**
   * Fails unless such requests were sent, at least once or exactly `times`, each with the fields of `body`. The error
   * has the nearest request, with each field that differs.
   */
  async assertCalled(expected: ExpectedCalls = {}): Promise<void> {
    await this.#check({ called: expected });
  }

  /** Fails unless requests whose last messages contain these strings came in this order; others may come between. */
  async assertOrder(...parts: string[]): Promise<void> {
    await this.#check({ order: parts });
  }

  /**
   * Fails unless the client ran the function `name`: it sent the result of a call that the mock had answered with. With
   * `arguments`, the call had exactly these; with `result`, the result contains it.
   */
  async assertToolCalled(name: string, expected: { arguments?: unknown; result?: string } = {}): Promise<void> {
    await this.#check({ tool_called: { name, ...expected } });
  }

  /** Fails if all replies together used more than `maxTokens`, or if a stream reports no usage. */
  async assertUsage(maxTokens: number): Promise<void> {
    await this.#check({ usage: { max_tokens: maxTokens } });
  }

  /** Returns the requests of the test as text: verdicts, and for each refusal clause, reason, value and remedy. */
  async explanation(): Promise<string> {
    return (await this.#control("GET", "/explanation")).trimEnd();
  }

  /** Accepts that requests are refused because of `clause`, by default any; `verify` fails if none is. */
  expectRejection(clause = ""): void {
    this.#expected.push(clause);
  }

  /** Fails if a request broke the contract and the test did not expect it, or if an expected rejection is missing. */
  async verify(): Promise<void> {
    await Promise.all(this.#pending); // the test may have forgotten an await
    const refused = (await this.calls()).filter((call) => call.status >= 400 && call.violations.length);
    const fits = (call: Call, clause: string) => !clause || call.clauses.includes(clause);
    const problems = [
      ...refused
        .filter((call) => !this.#expected.some((clause) => fits(call, clause)))
        .map((call) => `${call.method} ${call.path} broke the contract: ${call.clauses.join(", ") || call.status}`),
      ...this.#expected
        .filter((clause) => !refused.some((call) => fits(call, clause)))
        .map((clause) => `No request was refused because of ${clause || "any clause"}, which the test expects.`),
    ];
    const hint = "If the test means to break it, call mock.expectRejection(clause) first.";
    if (problems.length) throw new Error([...problems, hint, "", await this.explanation()].join("\n"));
    const unused = this.strictRules ? await this.#unusedRules() : [];
    if (unused.length) throw new Error(unused.join("\n"));
  }

  /** Deletes everything in the scope. */
  async close(): Promise<void> {
    await this.#control("POST", "/reset");
  }

  async #unusedRules(): Promise<string[]> {
    const listed = JSON.parse(await this.#control("GET", "/rules")) as { rules: StoredRule[] };
    const own = listed.rules.filter((one) => !one.id.startsWith("started-"));
    return own.filter((one) => !one.uses).map((one) => `The rule ${one.rule.name ?? one.id} was never used.`);
  }

  async #check(expected: object): Promise<void> {
    const { problem } = JSON.parse(await this.#control("POST", "/check", expected)) as { problem: string | null };
    if (problem) throw new AssertionError({ message: `${problem}\n${await this.explanation()}` });
  }

  #control(method: string, path: string, body?: unknown): Promise<string> {
    return this.#ask(method, CONTROL + path, this.server.controlToken, body);
  }

  async #ask(method: string, path: string, token: string | undefined, body?: unknown): Promise<string> {
    const answer = this.#send(method, path, token, body);
    this.#pending.add(answer);
    try {
      return await answer;
    } finally {
      this.#pending.delete(answer);
    }
  }

  async #send(method: string, path: string, token: string | undefined, body: unknown): Promise<string> {
    const headers: Record<string, string> = {
      ...this.headers,
      "Content-Type": "application/json",
      "User-Agent": USER_AGENT,
    };
    if (token) headers.Authorization = `Bearer ${token}`;
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await send(this.server.url + path, { method, headers, ...content });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} failed with ${response.status}: ${detailOf(text)}`);
    return text;
  }
}

const withParameters = (fault: NonNullable<Scenario["faults"]>[number]) =>
  typeof fault === "object" ? fault : { fault };

function detailOf(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { detail: unknown };
    return typeof detail === "string" ? detail : JSON.stringify(detail);
  } catch {
    return text.slice(0, 1000);
  }
}
