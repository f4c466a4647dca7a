"""The exchanges of a saved report, and the same requests sent to an engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from agent_contract.messages import Reply, Request
from mockserver.faults.broken_reply import BrokenReply
from server_defects.closeness import SeenReply, seen_reply

if TYPE_CHECKING:
    from contract_tests.report.model import ClauseResult
    from contract_tests.report.transcript import ShownReply, Transcript
    from mockserver.server.served import Served

#: Keys of a reply whose values later requests name.
_NAMED = ("session_id", "id")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A clause that a deployment does not keep, and the exchanges that show it, the decisive one last."""

    clause: str
    requests: tuple[Request, ...]
    replies: tuple[SeenReply, ...]
    last: Reply


def evidence_of(result: ClauseResult) -> Evidence | None:
    """Return the evidence of a clause; None without exchanges, and if one of them was shortened."""
    if result.transcript is None:
        return None
    shown = (*result.earlier, result.transcript)
    if any(len(one.request.body.encode()) != one.request.bytes for one in shown):
        return None
    requests = tuple(map(_request, shown))
    return Evidence(result.id, requests, tuple(map(_seen, shown)), _reply(result.transcript.reply))


def sent_to(engine: Served, evidence: Evidence) -> Iterator[tuple[Request, Reply]]:
    """Yield the requests of the evidence with an engine's replies; ids that it gave are in the later requests."""
    names: dict[str, str] = {}
    for request, recorded in zip(evidence.requests, evidence.replies, strict=True):
        asked = _renamed(request, names)
        reply = engine.handle(asked).reply
        yield asked, reply
        old, new = recorded.value, seen_of(reply).value
        if isinstance(old, dict) and isinstance(new, dict):
            for key in _NAMED:
                if isinstance(old.get(key), str) and isinstance(new.get(key), str):
                    names[old[key]] = new[key]


def seen_of(reply: Reply) -> SeenReply:
    """Return an engine's reply in the form in which recorded ones are compared."""
    headers = dict(reply.headers)
    complete = not isinstance(reply, BrokenReply)
    if isinstance(reply.body, bytes):
        return seen_reply(reply.status, headers, reply.body.decode(errors="replace"), is_complete=complete)
    text = reply.content().decode(errors="replace")
    events = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")]
    return seen_reply(reply.status, headers, "" if events else text, events, is_complete=complete)


def _request(shown: Transcript) -> Request:
    parts = urlsplit(shown.request.url)
    headers = {name.lower(): value for name, value in shown.request.headers}
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return Request(shown.request.method, unquote(parts.path), query, headers, shown.request.body.encode())


def _seen(shown: Transcript) -> SeenReply:
    reply = shown.reply
    headers = {name.lower(): value for name, value in reply.headers}
    events = [event.data for event in reply.events]
    return seen_reply(reply.status, headers, reply.body, events, is_complete=not reply.failure)


def _reply(shown: ShownReply) -> Reply:
    """Return a recorded reply, to be sent again."""
    kept = {
        name.lower(): value
        for name, value in shown.headers
        if name.lower() in ("content-type", "allow", "www-authenticate", "location", "retry-after")
    }
    body = shown.body.encode()
    return Reply(shown.status, {**kept, "content-length": str(len(body))}, body)


def _renamed(request: Request, names: Mapping[str, str]) -> Request:
    path, body = request.path, request.body
    for old, new in names.items():
        path, body = path.replace(old, new), body.replace(old.encode(), new.encode())
    return Request(request.method, path, request.query, request.headers, body)


def model_of(evidence: Sequence[Evidence]) -> str:
    """Return the model that a deployment names in most of its good replies, empty if it names none."""
    names = [
        reply.value["model"]
        for one in evidence
        for reply in one.replies
        if reply.status == 200 and isinstance(reply.value, dict) and isinstance(reply.value.get("model"), str)
    ]
    return max(set(names), key=names.count, default="")
