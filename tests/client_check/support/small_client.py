"""A small client that copes with everything the contract permits, and 40 that each have one bug.

The bugs are of kinds that public reports describe: each is one method of the client, written as people write it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

Chunk = dict[str, Any]
HELLO = [{"role": "user", "content": "Grüße aus Köln!"}]
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


class SmallClient:
    """Chats with an agent, whole and streamed, calls a tool, and reports a refusal."""

    timeout = 20.0

    def __init__(self, base_url: str) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=self.timeout)

    def use(self) -> None:
        """Do all that the client can, and check the results against each other."""
        with self.http:
            whole = self.chat()
            assert whole, "no text"
            streamed = self.stream()
            assert streamed == {0: whole}, f"{streamed} is not {whole!r}"
            assert len(self.stream(n=2)) == 2
            assert isinstance(self.call()["city"], str)
            assert self.refused() == 404

    def chat(self) -> str:
        """Return the text of an answer."""
        reply = self.send(messages=HELLO)
        self.check_type(reply.headers["content-type"])
        return self.text(self.decode(reply))

    def call(self) -> dict[str, Any]:
        """Return the arguments of a tool call."""
        reply = self.send(messages=HELLO, tools=[TOOL], tool_choice="required")
        return self.arguments(self.decode(reply)["choices"][0]["message"])

    def stream(self, n: int = 1) -> dict[int, str]:
        """Return the text of each choice of a stream."""
        body = {"messages": HELLO, "stream": True, "n": n}
        with self.http.stream("POST", "/chat/completions", json=body) as reply:
            return self.joined(json.loads(data) for data in self.events(reply.iter_bytes()) if data != "[DONE]")

    def refused(self) -> int:
        """Return the status of a refusal, and read its reason."""
        reply = self.http.post("/chat/completions", json={"messages": HELLO, "store_in_session": str(UUID(int=7))})
        self.reason(reply)
        return reply.status_code

    def send(self, **body: Any) -> httpx.Response:
        """Send a chat, a second time if that may help."""
        try:
            reply = self.http.post("/chat/completions", json=body)
        except httpx.TransportError:
            if not self.tries_again_after_reset():
                raise
            reply = self.http.post("/chat/completions", json=body)
        if reply.status_code in self.tried_again():
            reply = self.http.post("/chat/completions", json=body)
        return reply.raise_for_status()

    def tried_again(self) -> tuple[int, ...]:
        """Return the statuses after which a chat is sent again."""
        return (429, 502, 503)

    def tries_again_after_reset(self) -> bool:
        """Whether a chat is sent again if the connection was lost."""
        return True

    def decode(self, reply: httpx.Response) -> dict[str, Any]:
        """Return the JSON of a reply."""
        value: dict[str, Any] = reply.json()
        return value

    def check_type(self, content_type: str) -> None:
        """Refuse what is not JSON."""
        assert content_type.partition(";")[0] == "application/json"

    def text(self, answer: dict[str, Any]) -> str:
        """Return the text of an answer."""
        return str(answer["choices"][0]["message"]["content"])

    def arguments(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the first tool call of a message."""
        arguments: dict[str, Any] = json.loads(message["tool_calls"][0]["function"]["arguments"])
        return arguments

    def reason(self, reply: httpx.Response) -> str:
        """Return the reason of a refusal."""
        try:
            return str(reply.json()["detail"])
        except (ValueError, LookupError, TypeError):
            return reply.text

    def events(self, pieces: Iterable[bytes]) -> Iterator[str]:
        """Yield the data of each event, as WHATWG's algorithm does."""
        text = b"".join(pieces).decode("utf-8-sig")
        data: list[str] = []
        for line in re.split(r"\r\n|\n|\r", text):
            if not line and data:
                yield "\n".join(data)
                data = []
            elif line.startswith("data:"):
                data.append(line.removeprefix("data:").removeprefix(" "))

    def joined(self, chunks: Iterable[Chunk]) -> dict[int, str]:
        """Return the text of each choice."""
        found: dict[int, str] = {}
        for chunk in chunks:
            for choice in chunk["choices"]:
                found.setdefault(choice["index"], "")
                found[choice["index"]] += choice["delta"].get("content") or ""
        return found


@dataclass(frozen=True)
class Bug:
    """A client with one bug, and the variants in which it shows."""

    client: type[SmallClient]
    found_in: tuple[str, ...]


def _bug(name: str, *found_in: str, **methods: Any) -> tuple[str, Bug]:
    return name, Bug(type("BuggyClient", (SmallClient,), methods), found_in)


def _lines(pieces: Iterable[bytes]) -> list[str]:
    return b"".join(pieces).decode().split("\n")


def _of_blocks(pieces: Iterable[bytes]) -> Iterator[str]:
    for block in b"".join(pieces).decode().strip().split("\n\n"):
        yield "\n".join(line.removeprefix("data: ") for line in block.split("\n") if line.startswith("data: "))


def _data(line: str) -> str:
    assert line.startswith("data:"), line
    return line.removeprefix("data:").strip()


def _each_line(pieces: Iterable[bytes]) -> Iterator[str]:
    return (line.removeprefix("data:").strip() for line in _lines(pieces) if line.startswith("data:"))


def _each_piece(pieces: Iterable[bytes]) -> Iterator[str]:
    return (data for piece in pieces for data in SmallClient.events(_NOBODY, [piece]))


_NOBODY = object.__new__(SmallClient)


def _with_deltas(use: Any) -> Any:
    """Return a `joined` that calls `use` with the text so far and each delta of the first choice."""

    def joined(self: SmallClient, chunks: Iterable[Chunk]) -> dict[int, str]:
        kept = list(chunks)
        for chunk in kept:
            for choice in chunk["choices"]:
                use(choice["delta"])
        return SmallClient.joined(self, kept)

    return joined


def _without(use: Any) -> Any:
    """Return a `joined` that reads the chunks that `use` leaves."""
    return lambda self, chunks: SmallClient.joined(self, use(list(chunks)))


def _checked(use: Any) -> Any:
    """Return a `text` that calls `use` with the answer before it is read."""

    def text(self: SmallClient, answer: dict[str, Any]) -> str:
        use(answer)
        return SmallClient.text(self, answer)

    return text


def _alternating(chunks: list[Chunk]) -> list[Chunk]:
    """Return the chunks if two choices begin in turns."""
    indexes = [choice["index"] for chunk in chunks[:4] for choice in chunk["choices"]]
    assert len({choice["index"] for chunk in chunks for choice in chunk["choices"]}) < 2 or indexes == [0, 1, 0, 1]
    return chunks


def _finish_alone(chunks: list[Chunk]) -> list[Chunk]:
    return [chunk for chunk in chunks if not any(choice["finish_reason"] for choice in chunk["choices"])]


def _until_usage(chunks: list[Chunk]) -> Iterator[Chunk]:
    for chunk in chunks:
        if "usage" in chunk:
            return
        yield chunk


def _typed(value: Mapping[str, Any], *fields: str) -> None:
    assert set(value) <= set(fields), f"unexpected fields: {set(value) - set(fields)}"


def _refuse(*fields: str) -> None:
    assert "refusal" not in fields


def _raw(pattern: str) -> Any:
    """Return a `decode` that finds the text by a regular expression."""

    def decode(self: SmallClient, reply: httpx.Response) -> dict[str, Any]:
        assert re.search(pattern, reply.text), reply.text[:200]
        return SmallClient.decode(self, reply)

    return decode


def _own_gzip(self: SmallClient, **body: Any) -> httpx.Response:
    """Ask for gzip, and read the bytes as they come."""
    with self.http.stream("POST", "/chat/completions", json=body) as reply:
        raw = b"".join(reply.iter_raw())
    json.loads(raw)
    return httpx.Response(reply.status_code, headers={"content-type": reply.headers["content-type"]}, content=raw)


def _one_event_a_piece(pieces: Iterable[bytes]) -> Iterator[str]:
    for piece in pieces:
        found = list(SmallClient.events(_NOBODY, [piece]))
        assert len(found) <= 3, "several events at once"
        yield from found


BUGS: Mapping[str, Bug] = dict(
    (
        _bug("splits blocks at LF LF", "stream-crlf", events=lambda self, pieces: _of_blocks(pieces)),
        _bug(
            "splits lines at LF alone",
            "stream-crlf",
            events=lambda self, pieces: (line.removeprefix("data: ") for line in _lines(pieces) if line),
        ),
        _bug(
            "wants a space after the colon",
            "stream-no-space",
            events=lambda self, pieces: [line[6:] for line in _lines(pieces) if line.startswith("data: ")],
            joined=lambda self, chunks: SmallClient.joined(self, chunks) or {0: "nothing"},
        ),
        _bug(
            "takes six characters off each line",
            "stream-no-space",
            events=lambda self, pieces: [line[6:] for line in _lines(pieces) if line.startswith("data")],
        ),
        _bug(
            "takes every line for data",
            "stream-comments",
            events=lambda self, pieces: map(_data, filter(None, _lines(pieces))),
        ),
        _bug(
            "fails at a comment",
            "stream-comments",
            events=lambda self, pieces: [_data(line) for line in _lines(pieces) if line.strip()],
        ),
        _bug(
            "wants one blank line between events",
            "stream-blank-lines",
            events=lambda self, pieces: [_data(block) for block in b"".join(pieces).decode()[:-2].split("\n\n")],
        ),
        _bug(
            "does not know the field event",
            "stream-named",
            events=lambda self, pieces: map(_data, filter(None, _lines(pieces))),
        ),
        _bug("takes each line for a whole event", "stream-over-lines", events=lambda self, pieces: _each_line(pieces)),
        _bug("takes each piece for whole events", "stream-divided", events=lambda self, pieces: _each_piece(pieces)),
        _bug(
            "decodes each piece as UTF-8",
            "stream-divided",
            events=lambda self, pieces: SmallClient.events(self, [piece.decode().encode() for piece in pieces]),
        ),
        _bug(
            "wants an event in each piece", "stream-one-piece", events=lambda self, pieces: _one_event_a_piece(pieces)
        ),
        _bug(
            "wants a role in the first chunk",
            "stream-no-role",
            joined=_without(lambda chunks: chunks if chunks[0]["choices"][0]["delta"]["role"] else []),
        ),
        _bug("skips the first chunk", "stream-role-late", joined=_without(lambda chunks: chunks[1:])),
        _bug("skips the chunk that finishes", "stream-finish-early", joined=_without(_finish_alone)),
        _bug(
            "ends at the first usage", "stream-usage-null", joined=_without(lambda chunks: list(_until_usage(chunks)))
        ),
        _bug(
            "reads the total of each usage",
            "stream-usage-null",
            joined=_without(
                lambda chunks: [chunk for chunk in chunks if "usage" not in chunk or chunk["usage"]["total_tokens"]]
            ),
        ),
        _bug(
            "reads the first choice of each chunk",
            "stream-usage-last",
            joined=_without(lambda chunks: [chunk for chunk in chunks if chunk["choices"][0]]),
        ),
        _bug("adds null to a text", "stream-nulls", joined=_with_deltas(lambda delta: "" + delta.get("content", ""))),
        _bug(
            "iterates over null", "stream-nulls", joined=_with_deltas(lambda delta: list(delta.get("tool_calls", [])))
        ),
        _bug(
            "refuses unlisted fields of a chunk",
            "stream-unlisted",
            joined=_with_deltas(lambda delta: _typed(delta, "role", "content", "tool_calls", "refusal")),
        ),
        _bug("reads the choices in turns", "stream-successive", joined=_without(_alternating)),
        _bug(
            "refuses unlisted fields of an answer",
            "answer-unlisted",
            text=_checked(
                lambda answer: _typed(answer, "id", "object", "created", "model", "choices", "usage", "session_id")
            ),
        ),
        _bug("searches the text of the body", "answer-spaced", decode=_raw('"choices":\\[')),
        _bug("searches for a reason without spaces", "answer-spaced", decode=_raw('"finish_reason":"')),
        _bug("wants the id first", "answer-order", text=_checked(lambda answer: next(iter(answer.values())).split)),
        _bug(
            "iterates over the calls of a message",
            "answer-nulls",
            text=_checked(lambda answer: list(answer["choices"][0]["message"].get("tool_calls", []))),
        ),
        _bug(
            "takes a refusal that is null for one",
            "answer-nulls",
            text=_checked(lambda answer: _refuse(*answer["choices"][0]["message"])),
        ),
        _bug(
            "wants ids that are uuids",
            "answer-id",
            text=_checked(lambda answer: UUID(answer["id"].removeprefix("chatcmpl-"))),
        ),
        _bug("adds up the usage", "answer-usage", text=_checked(lambda answer: sum(answer["usage"].values()))),
        _bug(
            "refuses details of the usage",
            "answer-usage",
            text=_checked(lambda answer: _typed(answer["usage"], "prompt_tokens", "completion_tokens", "total_tokens")),
        ),
        _bug(
            "reads arguments by their first characters",
            "answer-arguments",
            arguments=lambda self, message: {
                "city": re.fullmatch('{"city":"(.*)"}', message["tool_calls"][0]["function"]["arguments"])[1]  # type: ignore[index]
            },
        ),
        _bug(
            "compares the whole content type",
            "answer-charset",
            check_type=lambda self, content_type: [0][content_type != "application/json"],
        ),
        _bug("asks for gzip and can't read it", "answer-gzip", send=_own_gzip),
        _bug("waits a tenth of a second", "answer-slow", timeout=0.3),
        _bug("takes each refusal for JSON", "refusal-html", reason=lambda self, reply: reply.json()),
        _bug("wants a reason in each refusal", "refusal-empty", reason=lambda self, reply: reply.text[0]),
        _bug("looks for words in a refusal", "refusal-words", reason=lambda self, reply: reply.text.index("ession")),
        _bug("never tries again", "failure-429", "failure-503", "failure-502", tried_again=lambda self: ()),
        _bug("tries again after 429 alone", "failure-503", "failure-502", tried_again=lambda self: (429,)),
        _bug("gives up after a reset", "failure-reset", tries_again_after_reset=lambda self: False),
    )
)
