"""What OpenAI's SDKs do at each fault; `python -m tests.clients.support.fault_table` writes it to the docs.

`test_faults_openai.py` compares every row with the SDKs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mockserver.faults.catalogue import KINDS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "faults.md"
BEGIN, END = "<!-- table of faults -->\n", "<!-- end of the table -->\n"
_ANSWERS, _RETRIED = "answers", ", after retries"
_LOST = "APIConnectionError"
_LATE, _LATE_IN_NODE = "APITimeoutError", "APIConnectionTimeoutError"
_NOT_JSON, _EMPTY = "answers, arguments not JSON", "answers, content empty"
_TYPE_ERRORS = "TypeError", "TypeError"

_TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "required": ["x"]}}}]
_UNKNOWN = "00000000-0000-4000-8000-0000000000ff"
#: Seconds that a client waits; faults that last longer are meant to exceed it.
_PATIENCE = 0.7


class Row(NamedTuple):
    """The outcome of a chat, whole and streamed; empty if the fault does not apply. `options` are for the test.

    `node` is the same for Node, if it differs.
    """

    whole: str
    stream: str
    options: str = ""
    node: tuple[str, str] | None = None

    @property
    def node_outcomes(self) -> tuple[str, str]:
        """The outcomes of the SDK for Node, whole and streamed."""
        return self.node or (self.whole, self.stream)


def _both(outcome: str, options: str = "", node: str = "") -> Row:
    return Row(outcome, outcome, options, (node, node) if node else None)


ROWS: Mapping[str, Row] = {
    "status-401": _both("AuthenticationError"),
    "status-403": _both("PermissionDeniedError"),
    "status-404": _both("NotFoundError"),
    "status-408": _both("APIStatusError" + _RETRIED, node="APIError" + _RETRIED),
    "status-409": _both("ConflictError" + _RETRIED),
    "status-429": _both("RateLimitError" + _RETRIED),
    "status-500": _both("InternalServerError" + _RETRIED),
    "status-502": _both("InternalServerError" + _RETRIED),
    "status-503": _both("InternalServerError" + _RETRIED),
    "gateway-html": _both("InternalServerError" + _RETRIED),
    "session-forgotten": _both("NotFoundError"),
    "session-ignored": _both(_ANSWERS),
    "token-expired": _both("AuthenticationError", "requests=0"),
    "quota": _both("RateLimitError" + _RETRIED, "requests=0,window=0.1"),
    "queue": _both(_LATE + _RETRIED, "seconds=30", _LATE_IN_NODE + _RETRIED),
    "cold-start-502": _both("InternalServerError" + _RETRIED),
    "cold-start-empty": _both(_EMPTY),
    "gpt-oss-502": _both("InternalServerError" + _RETRIED),
    "agent-creation-500": Row("InternalServerError" + _RETRIED, ""),
    "deletion-409": Row("ConflictError" + _RETRIED, ""),
    "large-prompt-empty": _both(_EMPTY),
    "latency": _both(_LATE + _RETRIED, "seconds=30", _LATE_IN_NODE + _RETRIED),
    "slow-drip": _both(_ANSWERS, "seconds=0.001"),
    "connection-refused": _both(_LOST + _RETRIED),
    "reset-before-headers": _both(_LOST + _RETRIED),
    "reset-midway": Row(_LOST + _RETRIED, _LOST, node=_TYPE_ERRORS),
    "cut": Row("", _LOST, node=("", "TypeError")),
    "stall": Row(_LATE + _RETRIED, _LATE, "seconds=30", _TYPE_ERRORS),
    "truncated-body": Row(_LOST + _RETRIED, _LOST, node=_TYPE_ERRORS),
    "malformed-json": Row("JSONDecodeError", "", node=("SyntaxError", "")),
    "broken-gzip": Row(_LOST + _RETRIED, _LOST, node=_TYPE_ERRORS),
    "wrong-content-type": Row(_ANSWERS, _ANSWERS, node=("TypeError", _ANSWERS)),
    "malformed-sse": Row("", "JSONDecodeError", node=("", "SyntaxError")),
    "error-event": Row("", "APIError"),
    "no-done": Row("", _ANSWERS),
    "comments": Row("", _ANSWERS),
    "crlf": Row("", _ANSWERS),
    "in-pieces": _both(_ANSWERS),
    "usage-without-choices": Row("", "answers, a chunk without choices"),
    "null-content": Row("answers, content None", _EMPTY, node=("answers, content null", _EMPTY)),
    "tool-calls-without-index": Row("", "answers, index None", node=("", "answers, index undefined")),
    "tool-calls-id-once": Row("", _ANSWERS),
    "tool-calls-repeat-id": Row("", _ANSWERS),
    "tool-calls-not-json": _both(_NOT_JSON),
    "tool-calls-cut": _both(_NOT_JSON),
}


#: The requests of faults that concern no chat: method, path and body.
_OTHER_REQUESTS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "agent-creation-500": ("post", "/agents", {"name": "a", "model": "", "index_id": _UNKNOWN, "tools": []}),
    "deletion-409": ("delete", f"/agents/{_UNKNOWN}", {}),
}


def case(fault: str, stream: bool, in_node: bool = False) -> dict[str, Any]:
    """Return how a fault is tested: its options, the agent, the messages, further fields, and the client's timeout.

    `other` is a request that is sent instead of a chat, by the SDK's methods for any path. In Node a timeout ends with
    the headers of the reply, so a stall must end by itself.
    """
    options = "seconds=0.2" if in_node and fault == "stall" else ROWS[fault].options
    fields: dict[str, Any] = {"tools": _TOOLS} if fault.startswith("tool-") else {}
    if fault.startswith("session-"):
        fields = {"store_in_session": _UNKNOWN}
    return {
        "fault": fault,
        "options": options,
        "stream": stream,
        "timeout": _PATIENCE if options == "seconds=30" else 20,
        "agent": "demo-tools" if fault.startswith("tool-") else "demo",
        "fields": fields,
        "other": _OTHER_REQUESTS.get(fault),
        "messages": [{"role": "user", "content": "Hello! " * (12_000 if fault == "large-prompt-empty" else 1)}],
    }


def table() -> str:
    """Return the table of the page."""
    lines = [
        "| fault | what the mock does | Python | Python: streamed | Node | Node: streamed |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for kind in KINDS.values():
        row = ROWS[kind.name]
        cells = map(_cell, (row.whole, row.stream, *row.node_outcomes))
        lines.append(f"| `{kind.name}` | {kind.does} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(outcome: str) -> str:
    name, comma, rest = outcome.partition(",")
    return f"`{name}`{comma}{rest}" if name.endswith("Error") else outcome or "—"


def main() -> None:
    """Write the table."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}{table()}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
