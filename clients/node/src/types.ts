/**
 * Values of the control API. `docs/reference/scenarios.md` and `faults.md` describe them; the mock checks them, and its
 * message names the key that was probably meant. So keys that are not listed here are passed on.
 */

export interface ToolCall {
  name: string;
  arguments?: Record<string, unknown>;
  id?: string;
  [key: string]: unknown;
}

/** What the mock answers: text, or one of tool_calls, data, refusal, raw and fault. */
export type Answer =
  | string
  | {
      text?: string;
      tool_calls?: ToolCall[];
      data?: unknown;
      refusal?: string;
      raw?: { status?: number; headers?: Record<string, string>; body?: unknown };
      fault?: Fault;
      finish_reason?: string;
      usage?: Record<string, number>;
      delay?: number;
      [key: string]: unknown;
    };

/** The name of a fault, a status, or a fault with its parameters. */
export type Fault = string | number | ({ fault: string | number } & FaultParameters);

export interface FaultParameters {
  times?: number;
  probability?: number;
  agent?: string;
  operation?: string;
  ttl?: number;
  [key: string]: unknown;
}

/** When a rule answers; all conditions must hold. */
export interface Conditions {
  agent?: string;
  /** The operationId, or the method and the path. */
  operation?: string;
  user?: string;
  user_contains?: string;
  user_matches?: string;
  any_contains?: string;
  turn?: number;
  tool_result?: boolean | { name?: string; contains?: string };
  model?: string;
  headers?: Record<string, string>;
  stream?: boolean;
  [key: string]: unknown;
}

export interface RuleOptions {
  when?: Conditions;
  name?: string;
  times?: number;
  then?: "last" | "repeat" | "fail";
  off_contract?: boolean;
  [key: string]: unknown;
}

export interface Scenario {
  rules?: (RuleOptions & { answer?: Answer; answers?: Answer[] })[];
  faults?: Fault[];
  strict?: boolean;
}

/** Which requests `calls` returns. `agent` is a name or an id, `status` a status or a class such as "4xx". */
export interface CallFilter {
  agent?: string;
  session?: string;
  contains?: string;
  status?: number | string;
  clause?: string;
}

/** Which requests `assertCalled` expects. `times` is their number, `body` has fields that the body of each must have. */
export interface ExpectedCalls {
  agent?: string;
  session?: string;
  contains?: string;
  times?: number;
  body?: Record<string, unknown>;
}

/** A message of a session. */
export interface Message {
  role: "system" | "user" | "assistant" | "tool";
  content?: string | null;
  tool_call_id?: string;
  tool_calls?: readonly { id: string; type: "function"; function: { name: string; arguments: string } }[];
}

/** `now` is in seconds since 1970. */
export interface ClockState {
  now: number;
  mode: "running" | "frozen" | "skipping";
}

export interface Violation {
  place: string;
  rule: string;
  expected: string;
  got: string;
  pointer: string;
}

/** A request with its reply, from the journal. The journal keeps 8 KiB of a body; of a longer one `json` is undefined. */
export interface Call {
  number: number;
  method: string;
  path: string;
  headers: Record<string, string>;
  json: any;
  status: number;
  /** The reply: `json`, or the `events` of a stream. */
  reply: { status: number; headers: Record<string, string>; json?: any; text?: string; events?: { event?: string; data: any }[] };
  /** The id of the agent, null if there is none. */
  agent: string | null;
  session: string | null;
  /** The clauses of the contract that the request broke. */
  clauses: string[];
  violations: Violation[];
  /** The rule that answered, null if the answer was computed. */
  rule: string | null;
  faults: string[];
}
