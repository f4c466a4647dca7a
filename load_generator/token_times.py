"""When the tokens of a stream arrived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

_DATA = b"data:"
_END = b"[DONE]"


@dataclass(slots=True)
class TokenTimes:
    """The time of the first token and the gaps between tokens, in seconds. `is_complete` after `[DONE]`.

    `error` is the message of an error event, empty without one; `size` the bytes of the stream.
    """

    first: float | None = None
    gaps: list[float] = field(default_factory=list)
    is_complete: bool = False
    error: str = ""
    size: int = 0

    @property
    def problem(self) -> str:
        """Why the stream is a failure, empty if it is not."""
        if self.error:
            return f"the stream contains an error: {self.error}"
        if not self.is_complete:
            return "the stream ended without [DONE]"
        return "" if self.first is not None else "the stream contains no token"


def read_token_times(lines: Iterable[tuple[float, bytes]]) -> TokenTimes:
    """Return the times of a stream's tokens from its lines, each with the seconds since the request was sent.

    A token is a chunk with content, or with a part of a tool call.
    """
    times, latest = TokenTimes(), 0.0
    for seconds, line in lines:
        times.size += len(line)
        data = line.removeprefix(_DATA).strip() if line.startswith(_DATA) else b""
        if data == _END:
            times.is_complete = True
        elif data and _has_token(data, times):
            if times.first is None:
                times.first = seconds
            else:
                times.gaps.append(seconds - latest)
            latest = seconds
    return times


def _has_token(data: bytes, times: TokenTimes) -> bool:
    try:
        chunk = orjson.loads(data)
    except ValueError:
        times.error = "an event is not JSON"
        return False
    if not isinstance(chunk, dict):
        times.error = "an event is not an object"
        return False
    if chunk.get("error") is not None:
        times.error = str(chunk["error"])[:100]
        return False
    deltas = [choice.get("delta") or {} for choice in chunk.get("choices") or () if isinstance(choice, dict)]
    return any(delta.get("content") or delta.get("tool_calls") for delta in deltas)
