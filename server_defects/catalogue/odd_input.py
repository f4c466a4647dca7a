"""What odd, and yet legitimate, input brings to light."""

import re
from typing import Any

from agent_contract.messages import Reply, Request
from server_defects.defect import planting
from server_defects.mutators import crashing
from server_defects.replies import text_reply

plant = planting("odd input")


def texts(sent: dict[str, Any]) -> str:
    """Return the content of the messages of a body, as far as it is text."""
    messages = sent.get("messages")
    said = [item.get("content") for item in messages if isinstance(item, dict)] if isinstance(messages, list) else []
    return "\n".join(text for text in said if isinstance(text, str))


def saying(pattern: str) -> Any:
    """Return an arrival that crashes if the messages match a pattern."""
    return crashing(lambda sent: re.search(pattern, texts(sent)))


def traceback_on_emoji(request: Request, body: bytes, number: int) -> Reply | None:
    """Answer a traceback to content beyond UCS-2."""
    trace = "Traceback (most recent call last):\n  ...\nUnicodeEncodeError: 'charmap' codec can't encode character"
    found = saying("[\U00010000-\U0010ffff]")(request, body, number)
    return None if found is None else text_reply(trace, 500)


def integral(name: str) -> Any:
    """Return a condition: a field is a number such as 1.0."""
    return lambda sent: isinstance(sent.get(name), float) and sent[name].is_integer()


def at_least(name: str, bound: int) -> Any:
    """Return a condition: a field is an integer of at least so much, either way."""
    return lambda sent: type(sent.get(name)) is int and abs(sent[name]) >= bound


def content_of(kind: type) -> Any:
    """Return a condition: the content of a message is of a type."""
    return lambda sent: (
        isinstance(sent.get("messages"), list)
        and any(isinstance(item, dict) and isinstance(item.get("content", 0), kind) for item in sent["messages"])
    )


def on_header(name: str, value: str) -> Any:
    """Return an arrival that crashes on a header's value."""

    def arrive(request: Request, body: bytes, number: int) -> Reply | None:
        wrong = value in request.headers.get(name, "") and request.method == "POST"
        return text_reply("Internal Server Error", 500) if wrong else None

    return arrive


KNOWN = {
    "messages",
    "create_session",
    "seed",
    "temperature",
    "n",
    "stop",
    "max_tokens",
    "stream",
    "model",
    "store_in_session",
    "stream_options",
    "tools",
    "tool_choice",
    "top_p",
    "top_k",
    "frequency_penalty",
    "presence_penalty",
    "max_completion_tokens",
    "response_format",
}
TEXTS = (
    plant("emoji-traceback", "text-unusual", "Answers a traceback to an emoji.", arrive=traceback_on_emoji),
    plant("nul-crash", "text-unusual", "Crashes on a NUL, which its database refuses.", arrive=saying("\x00")),
    plant(
        "control-crash",
        "text-unusual",
        "Crashes on control characters other than line ends.",
        arrive=saying("[\x01-\x08\x0e-\x1f\x7f]"),
    ),
    plant("latin-1-crash", "text-unusual", "Crashes on what is not Latin-1.", arrive=saying("[^\x00-\xff]")),
    plant(
        "right-to-left-crash", "text-unusual", "Crashes on right-to-left text.", arrive=saying("[\u0590-\u08ff\u202e]")
    ),
)
SERVER_ERRORS = (
    plant(
        "unlisted-crash",
        "no-server-error",
        "Crashes on a field that is not listed.",
        arrive=crashing(lambda sent: set(sent) - KNOWN),
    ),
    plant("integral-n-crash", "no-server-error", "Crashes on 1.0 for `n`.", arrive=crashing(integral("n"))),
    plant(
        "integral-max-tokens-crash",
        "no-server-error",
        "Crashes on 16.0 for `max_tokens`.",
        arrive=crashing(integral("max_tokens")),
    ),
    plant(
        "null-crash",
        "no-server-error",
        "Crashes on null for `stop`.",
        arrive=crashing(lambda sent: "stop" in sent and sent["stop"] is None),
    ),
    plant(
        "null-options-crash",
        "no-server-error",
        "Crashes on null for `stream_options`.",
        arrive=crashing(lambda sent: "stream_options" in sent and sent["stream_options"] is None),
    ),
    plant(
        "parts-crash",
        "no-server-error",
        "Crashes on content that is a list of parts.",
        arrive=crashing(content_of(list)),
    ),
    plant(
        "content-null-crash",
        "no-server-error",
        "Crashes on content that is null.",
        arrive=crashing(content_of(type(None))),
    ),
    plant(
        "content-empty-crash",
        "no-server-error",
        "Crashes on empty content.",
        arrive=crashing(lambda sent: content_of(str)(sent) and not texts(sent).strip("\n")),
    ),
    plant(
        "content-number-crash",
        "no-server-error",
        "Crashes on content that is a number.",
        arrive=crashing(content_of(int)),
    ),
    plant(
        "seed-of-64-bits-crash",
        "no-server-error",
        "Crashes on a seed over 64 bits.",
        arrive=crashing(at_least("seed", 2**63)),
    ),
    plant(
        "role-empty-crash",
        "no-server-error",
        "Crashes on an empty role.",
        arrive=crashing(
            lambda sent: (
                isinstance(sent.get("messages"), list)
                and any(isinstance(item, dict) and item.get("role") == "" for item in sent["messages"])
            )
        ),
    ),
    plant(
        "tools-crash",
        "no-server-error",
        "Crashes on an empty list of tools.",
        arrive=crashing(lambda sent: sent.get("tools") == []),
    ),
    plant(
        "create-and-store-crash",
        "no-server-error",
        "Crashes if a session is created and named at once.",
        arrive=crashing(lambda sent: sent.get("create_session") and sent.get("store_in_session")),
    ),
    plant(
        "stop-of-empty-text-crash",
        "no-server-error",
        "Crashes on an empty stop sequence.",
        arrive=crashing(lambda sent: isinstance(sent.get("stop"), list) and "" in sent["stop"]),
    ),
    plant(
        "charset-crash",
        "no-server-error",
        "Crashes if the content type names a charset.",
        arrive=on_header("content-type", "charset"),
    ),
    plant(
        "negative-n-crash",
        "no-server-error",
        "Crashes on an `n` far below 0.",
        arrive=crashing(lambda sent: type(sent.get("n")) is int and sent["n"] < -1),
    ),
)
DEFECTS = (*TEXTS, *SERVER_ERRORS)
