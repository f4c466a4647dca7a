"""Variants of sessions, and of the tokens counted in them, that the contract allows."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.detection.conforming_variants.models import informed_counts
from benchmarks.detection.conforming_variants.variant import SESSIONS, Variant
from benchmarks.detection.hooks import ServerHooks, count
from server_defects.hooks import ChatCall, Memory, Message, Payload, recall

PLAIN = ServerHooks()
PREAMBLE: Message = {"role": "user", "content": "What follows was said in this conversation before. " * 12}


def repeating(call: ChatCall, index: int, random_: random.Random) -> list[str]:
    """Return the code words of the conversation."""
    said = " ".join(str(message["content"]) for message in (*call.context, *call.payload["messages"]))
    words: Sequence[str] = re.findall(r"code word ([0-9a-f]+)", said)
    return [f"{word} " for word in words] or ["I know none."]


def with_preamble(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
    """Return the context of a session, with words of the server's own before it."""
    own = recall(memory, session, payload)
    return [PREAMBLE, *own] if session else own


def uncached(seen: set[str] | None = None) -> Callable[[Sequence[Message]], int]:
    """Return a count that leaves out what was counted before, as a cache of prefixes does."""
    known: set[str] = set() if seen is None else seen

    def counted(messages: Sequence[Message]) -> int:
        fresh = [message for message in messages if str(message["content"]) not in known]
        known.update(str(message["content"]) for message in messages)
        return 1 + count(fresh)

    return counted


def quantized(messages: Sequence[Message]) -> int:
    """Return a count that a batch pads by up to seven tokens."""
    return count(messages) + random.randint(0, 7)


KNOWING: dict[str, Any] = {"count": informed_counts, "generate": repeating}
VARIANTS = (
    Variant(
        "knowledge-recalled",
        "Its knowledge makes prompt_tokens vary, and its model recalls what was said in a session.",
        replace(PLAIN, **KNOWING),
    ),
    Variant("session-recalled", "Its model recalls what was said in a session.", replace(PLAIN, generate=repeating)),
    Variant(
        "session-preamble",
        "Puts words of its own before what was said in a session.",
        replace(PLAIN, recall=with_preamble),
    ),
    Variant(
        "counts-uncached",
        "Counts what its cache of prompts does not have.",
        replace(PLAIN, count=uncached()),
        undecided=SESSIONS,
    ),
    Variant(
        "counts-padded", "Counts what its batches add to a prompt.", replace(PLAIN, count=quantized), undecided=SESSIONS
    ),
)
