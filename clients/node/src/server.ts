import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";

import { AgentMock } from "./mock.js";

export interface StartOptions {
  /** The URL of a mock that runs already. Default: the variable AGENT_MOCK_URL; without it, a mock is started. */
  url?: string | undefined;
  /** The command that starts the mock. Default: the words of AGENT_MOCK_COMMAND, or `agent-contract`. */
  command?: readonly string[];
  /** More options of `agent-contract serve`, such as `["--config", "agents.yaml"]`. */
  options?: readonly string[];
  /** The token of the mock, if it requires one. Default: AGENT_CONTRACT_TOKEN. */
  token?: string | undefined;
  /** The token of its control API, if that is another one. Default: AGENT_CONTRACT_CONTROL_TOKEN, or the token. */
  controlToken?: string | undefined;
}

/** A running mock that tests share. Each test opens a scope of its own. */
export class MockServer {
  constructor(
    readonly url: string,
    readonly token: string | undefined,
    readonly controlToken: string | undefined,
    private readonly process?: ChildProcess,
  ) {}

  /** Opens a scope with agents, sessions, rules, faults and requests of its own. Close it at the end of the test. */
  open(name = "test"): AgentMock {
    const readable = name.replace(/[^A-Za-z0-9_.-]+/g, "-").slice(0, 60);
    return new AgentMock(this, `${readable}-${randomUUID()}`);
  }

  /** Stops the mock if `startMock` has started it. */
  async stop(): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    await new Promise((resolve) => child.once("exit", resolve).stdin?.end());
  }
}

/**
 * Starts a mock on a free port, or connects to the one at `url`. The mock stops with this process, in any case: its
 * standard input ends then. It doesn't keep the process alive.
 */
export async function startMock(options: StartOptions = {}): Promise<MockServer> {
  const environment = process.env;
  const token = options.token ?? environment.AGENT_CONTRACT_TOKEN;
  const controlToken = options.controlToken ?? environment.AGENT_CONTRACT_CONTROL_TOKEN ?? token;
  const running = options.url ?? environment.AGENT_MOCK_URL;
  if (running) return new MockServer(running.replace(/\/+$/, ""), token, controlToken);
  const command = options.command ?? environment.AGENT_MOCK_COMMAND?.split(" ") ?? ["agent-contract"];
  const serve = ["serve", "--port", "0", "--log-level", "error", "--stop-with-stdin", ...(options.options ?? [])];
  const child = spawn(command[0] ?? "", [...command.slice(1), ...serve], { stdio: "pipe" });
  const url = await addressOf(child, command.join(" "));
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as unknown as Socket).unref();
  return new MockServer(url, token, controlToken, child);
}

/** Returns the URL that the mock prints; goes on reading, so that a mock that logs never waits for a full pipe. */
function addressOf(child: ReturnType<typeof spawn>, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = "";
    let errors = "";
    child.stdin?.on("error", () => {}); // the mock has ended
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed = (printed + text).slice(-4000);
      const found = /is served at (\S+)/.exec(printed);
      if (found?.[1]) resolve(found[1]);
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-4000);
    });
    child.once("error", (error: NodeJS.ErrnoException) => {
      const missing = "Install the mock (pip install agent-contract-kit), or name the command in AGENT_MOCK_COMMAND.";
      reject(new Error(`${command} can't be run: ${error.message}. ${error.code === "ENOENT" ? missing : ""}`.trim()));
    });
    child.once("close", (status) => reject(new Error(`${command} serve ended with ${status}: ${errors || printed}`)));
  });
}
