"""What OpenAI's SDK for Python does at each fault; `python -m tests.clients.support.fault_table` writes it to the docs.

`test_faults_openai.py` compares every row with the SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mockserver.faults.catalogue import KINDS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "faults.md"
BEGIN, END = "<!-- table of faults -->\n", "<!-- end of the table -->\n"
_ANSWERS, _RETRIED = "answers", ", after retries"
_LOST = "APIConnectionError"


class Row(NamedTuple):
    """The outcome of a chat, whole and streamed; empty if the fault does not apply. `options` are for the test."""

    whole: str
    stream: str
    options: str = ""


def _both(outcome: str, options: str = "") -> Row:
    return Row(outcome, outcome, options)


ROWS: Mapping[str, Row] = {
    "status-401": _both("AuthenticationError"),
    "status-403": _both("PermissionDeniedError"),
    "status-404": _both("NotFoundError"),
    "status-408": _both("APIStatusError" + _RETRIED),
    "status-409": _both("ConflictError" + _RETRIED),
    "status-429": _both("RateLimitError" + _RETRIED),
    "status-500": _both("InternalServerError" + _RETRIED),
    "status-502": _both("InternalServerError" + _RETRIED),
    "status-503": _both("InternalServerError" + _RETRIED),
    "gateway-html": _both("InternalServerError" + _RETRIED),
    "session-forgotten": _both("NotFoundError"),
    "cold-start-502": _both("InternalServerError" + _RETRIED),
    "cold-start-empty": _both("answers, content empty"),
    "gpt-oss-502": _both("InternalServerError" + _RETRIED),
    "agent-creation-500": Row("", ""),
    "latency": _both("APITimeoutError" + _RETRIED, "seconds=30"),
    "slow-drip": _both(_ANSWERS, "seconds=0.001"),
    "reset-before-headers": _both(_LOST + _RETRIED),
    "reset-midway": Row(_LOST + _RETRIED, _LOST),
    "cut": Row("", _LOST),
    "stall": Row("APITimeoutError" + _RETRIED, "APITimeoutError", "seconds=30"),
    "truncated-body": Row(_LOST + _RETRIED, _LOST),
    "malformed-json": Row("JSONDecodeError", ""),
    "broken-gzip": Row(_LOST + _RETRIED, _LOST),
    "wrong-content-type": _both(_ANSWERS),
    "malformed-sse": Row("", "JSONDecodeError"),
    "error-event": Row("", "APIError"),
    "no-done": Row("", _ANSWERS),
    "comments": Row("", _ANSWERS),
    "crlf": Row("", _ANSWERS),
    "in-pieces": _both(_ANSWERS),
    "usage-without-choices": Row("", "answers, a chunk without choices"),
    "null-content": Row("answers, content None", "answers, content empty"),
    "tool-calls-without-index": Row("", "answers, index None"),
    "tool-calls-cut": _both("answers, arguments incomplete"),
}


def table() -> str:
    """Return the table of the page."""
    lines = ["| fault | what the mock does | a chat with the SDK | the same, streamed |", "| --- | --- | --- | --- |"]
    for kind in KINDS.values():
        row = ROWS[kind.name]
        lines.append(f"| `{kind.name}` | {kind.does} | {_cell(row.whole)} | {_cell(row.stream)} |")
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
