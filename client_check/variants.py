"""The variants of a client check: what the server does differently in each, and the clause that permits it.

The mutants of a client check are the planted defects that a mock can play, each with the clause that it breaks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from client_check import variations
from client_check.variations import Variation, on_answer, on_chunks, on_events, on_json, on_refusal
from server_defects.defect import Defect
from server_defects.player import PLAYABLE

#: What stands for the clause of a temporary failure, which no sentence of the contract permits.
TEMPORARY = "temporary failure: a client tries again"


@dataclass(frozen=True, slots=True)
class ServerVariant:
    """What the server does, and either the clause that permits it with the variation, or a temporary fault.

    A client must give the same results in each. A mutant has a defect, which breaks the clause: the client's tests must
    notice it.
    """

    name: str
    does: str
    clause: str = ""
    variation: Variation | None = None
    fault: str = ""
    defect: Defect | None = None


def _stream(name: str, does: str, clause: str, variation: Variation) -> ServerVariant:
    return ServerVariant(f"stream-{name}", does, f"chat.stream-{clause}", variation)


VARIANTS: tuple[ServerVariant, ...] = (
    _stream("no-role", "sends no role in a stream", "role", on_chunks(variations.without_role)),
    _stream("role-late", "sends the role with the first content", "role", on_chunks(variations.role_with_content)),
    _stream("finish-early", "ends a choice with its last content", "finish", on_chunks(variations.finish_with_content)),
    _stream("usage-null", "sends `usage: null` in each chunk", "usage", on_chunks(variations.null_usage)),
    _stream("usage-last", "ends a stream with usage and no choices", "usage", on_chunks(variations.usage_at_end)),
    _stream("nulls", "sends null for fields that a delta lacks", "chunk", on_chunks(variations.null_deltas)),
    _stream("unlisted", "adds unlisted fields to chunks", "chunk", on_chunks(variations.unlisted_in_chunks)),
    _stream("successive", "sends one choice after the other", "index", on_chunks(variations.successive)),
    _stream(
        "crlf",
        "ends lines with CR LF",
        "framing",
        on_events(lambda events: [event.replace(b"\n", b"\r\n") for event in events]),
    ),
    _stream(
        "no-space",
        "sends no space after `data:`",
        "framing",
        on_events(lambda events: [event.replace(b"data: ", b"data:") for event in events]),
    ),
    _stream(
        "comments",
        "sends comments between events",
        "framing",
        on_events(lambda events: [part for event in events for part in (b": keep-alive\n\n", event)]),
    ),
    _stream(
        "blank-lines",
        "sends blank lines between events",
        "framing",
        on_events(lambda events: [b"\n\n" + event for event in events]),
    ),
    _stream("named", "sends `event`, `id` and `retry` with its data", "framing", on_events(variations.named)),
    _stream("over-lines", "sends JSON on several lines of data", "framing", on_events(variations.over_lines)),
    _stream(
        "divided",
        "divides events and lines between pieces",
        "framing",
        on_events(variations.divided, variations.PAUSE),
    ),
    _stream("one-piece", "sends a stream at once", "incremental", on_events(lambda events: [b"".join(events)])),
    ServerVariant("answer-unlisted", "adds unlisted fields", "chat.reply-conforms", on_json(variations.unlisted)),
    ServerVariant(
        "answer-order", "sends keys in another order", "chat.reply-conforms", on_json(variations.reversed_keys)
    ),
    ServerVariant(
        "answer-spaced",
        "sends JSON over several lines, in ASCII",
        "chat.reply-conforms",
        on_json(lambda _: None, variations.escaped),
    ),
    ServerVariant(
        "answer-nulls", "sends null for optional fields", "chat.reply-message", on_answer(variations.null_fields)
    ),
    ServerVariant("answer-id", "sends ids of another form", "chat.reply-id", on_answer(variations.other_id)),
    ServerVariant("answer-usage", "details the usage", "chat.reply-usage", on_answer(variations.detailed_usage)),
    ServerVariant(
        "answer-arguments",
        "sends arguments of tool calls on several lines",
        "chat.tool-arguments",
        on_answer(variations.spaced_arguments),
    ),
    ServerVariant("answer-charset", "names the charset", "chat.reply-content-type", variations.with_charset),
    ServerVariant("answer-gzip", "compresses its replies", "chat.reply-content-type", variations.compressed),
    ServerVariant("answer-slow", "answers half a second later", "chat.no-server-error", variations.slow),
    ServerVariant(
        "refusal-html",
        "refuses with an HTML page",
        "chat.error-detail",
        on_refusal("text/html", lambda status: b"<html><body><h1>%d</h1></body></html>" % status),
    ),
    ServerVariant(
        "refusal-empty", "refuses without a body", "chat.error-detail", on_refusal("text/plain", lambda _: b"")
    ),
    ServerVariant(
        "refusal-words",
        "words its refusals differently",
        "chat.error-detail",
        on_refusal("application/json", lambda status: b'{"detail":"Anfrage abgelehnt (%d)."}' % status),
    ),
    ServerVariant("failure-429", "answers 429 once, with `Retry-After`", fault="status-429:times=1,retry_after=0"),
    ServerVariant("failure-503", "answers 503 once, with `Retry-After`", fault="status-503:times=1,retry_after=0"),
    ServerVariant("failure-502", "answers 502 to the first chat", fault="cold-start-502:times=1"),
    ServerVariant("failure-reset", "resets a connection once", fault="reset-before-headers:times=1"),
)


#: A mock with a planted defect each.
MUTANTS: tuple[ServerVariant, ...] = tuple(
    ServerVariant(one.name, one.sentence[0].lower() + one.sentence[1:].rstrip("."), one.clause, defect=one)
    for one in PLAYABLE
)


def chosen(globs: Iterable[str], variants: tuple[ServerVariant, ...] = VARIANTS) -> tuple[ServerVariant, ...]:
    """Return the variants whose name or clause matches a glob, all if there is none; LookupError if unknown."""
    wanted = tuple(globs)
    unknown = [glob for glob in wanted if not any(_matches(one, glob) for one in variants)]
    if unknown:
        raise LookupError(unknown[0])
    return tuple(one for one in variants if not wanted or any(_matches(one, glob) for glob in wanted))


def _matches(variant: ServerVariant, glob: str) -> bool:
    return fnmatchcase(variant.name, glob) or fnmatchcase(variant.clause, glob)
