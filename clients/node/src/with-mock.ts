import type { AgentMock } from "./mock.js";
import { startMock, type MockServer, type StartOptions } from "./server.js";

export interface MockOptions extends StartOptions {
  /** What a request that breaks the contract does to its test: it fails it (the default), or nothing. */
  rejections?: "strict" | "off";
  /** Whether a rule that was never used fails its test. */
  strictRules?: boolean;
}

const servers = new Map<string, Promise<MockServer>>();

/** Returns the mock of this process, which is started at the first use, once for equal options. */
export function sharedMock(options: StartOptions = {}): Promise<MockServer> {
  const key = JSON.stringify([options.url, options.command, options.options, options.token, options.controlToken]);
  const found = servers.get(key) ?? startMock(options);
  servers.set(key, found);
  return found;
}

/**
 * Returns a test function that runs `body` with a mock of its own: `test("name", withMock(async (mock) => { … }))`.
 * If the test fails, the requests of the mock are printed.
 */
export function withMock(body: (mock: AgentMock) => unknown, options: MockOptions = {}): () => Promise<void> {
  return async () => {
    const mock = (await sharedMock(options)).open();
    mock.strictRules = options.strictRules ?? false;
    try {
      await body(mock);
    } catch (error) {
      await report(mock);
      await mock.close().catch(() => {});
      throw error;
    }
    await finish(mock, options);
  };
}

/** Prints the requests of a mock; runners show what the console prints together with its test. */
async function report(mock: AgentMock): Promise<void> {
  const text = await mock.explanation().catch((error: unknown) => `The mock does not answer: ${String(error)}`);
  console.error(`--- agent mock ---\n${text}`);
}

async function finish(mock: AgentMock, options: MockOptions): Promise<void> {
  try {
    if (options.rejections !== "off") await mock.verify();
  } finally {
    await mock.close();
  }
}

type Use<Value> = (value: Value) => Promise<void>;

/** Fixtures for `test.extend` of Playwright: `mock`, whose scope is in all requests of pages and of `request`. */
export const playwrightFixtures = {
  // Playwright reads the names of the fixtures that a fixture needs from its source.
  mock: async ({}: object, use: Use<AgentMock>, info: { title: string; errors: unknown[] }): Promise<void> => {
    const mock = (await sharedMock()).open(info.title);
    await use(mock);
    if (!info.errors.length) return finish(mock, {});
    await report(mock);
    await mock.close();
  },
  extraHTTPHeaders: async (
    { mock, extraHTTPHeaders }: { mock: AgentMock; extraHTTPHeaders?: Record<string, string> | undefined },
    use: Use<Record<string, string>>,
  ): Promise<void> => use({ ...extraHTTPHeaders, ...mock.headers }),
};
