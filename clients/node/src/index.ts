/** Tests of clients of an agent API. Each test has a mock of its own, and controls it over HTTP. */

export { AgentMock, Clock } from "./mock.js";
export { MockServer, startMock, type StartOptions } from "./server.js";
export type * from "./types.js";
export { playwrightFixtures, sharedMock, withMock, type MockOptions } from "./with-mock.js";
