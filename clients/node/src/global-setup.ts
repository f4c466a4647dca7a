import { startMock } from "./server.js";

/**
 * Global setup of Vitest, Jest and Playwright: starts one mock for all processes of a run, which read its address from
 * AGENT_MOCK_URL. Returns the teardown.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const server = await startMock();
  process.env.AGENT_MOCK_URL = server.url;
  return () => server.stop();
}
