import type { MockServer } from "./server.js";
import type { Answer, Call, CallFilter, FaultParameters, RuleOptions, Scenario, Violation } from "./types.js";

const API = "/api/v1/compatibility/openai/v1";
const CONTROL = "/__mock__";
/** Marks requests that prepare a test. */
const USER_AGENT = "agent-contract-kit";
// A test may replace fetch, and must still reach the mock.
const send = globalThis.fetch;

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

/** The mock of one test. It has agents, sessions, rules, faults and requests of its own. */
export class AgentMock {
  /** The URL of the mock for this test, without a path at its end. */
  readonly url: string;
  /** For requests to the server's own URL, such as `extraHTTPHeaders` of Playwright. */
  readonly headers: Readonly<Record<string, string>>;
  readonly #expected: string[] = [];
  readonly #pending = new Set<Promise<string>>();

  constructor(
    readonly server: MockServer,
    readonly scope: string,
  ) {
    this.url = `${server.url}${CONTROL}/scope/${scope}`;
    this.headers = { "X-Mock-Scope": scope };
  }

  /** Returns the base URL for an OpenAI client that uses `agent`, a name or an id. */
  baseURL(agent = "demo"): string {
    return `${this.url}${API}/assistants/${agent}`;
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
    return (JSON.parse(await this.#ask("POST", `${API}/agents`, this.server.token, body)) as { id: string }).id;
  }

  /** Returns the requests of the test, the first one first. */
  async calls(filter: CallFilter = {}): Promise<Call[]> {
    const found: Entry[] = [];
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(filter)) query.set(name, String(value));
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
    if (!problems.length) return;
    const hint = "If the test means to break it, call mock.expectRejection(clause) first.";
    throw new Error([...problems, hint, "", await this.explanation()].join("\n"));
  }

  /** Deletes everything in the scope. */
  async close(): Promise<void> {
    await this.#control("POST", "/reset");
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
