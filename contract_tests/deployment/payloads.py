"""The bodies of requests: short, and cheap to answer on a real model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_contract.messages import JSON

#: The most tokens that a request lets a real model generate, unless it is about longer answers.
MAX_TOKENS = 16
#: Enough tokens for a tool call or for structured content; a model that reasons first may need more.
FORM_TOKENS = 64
#: Enough tokens for a short answer to end by itself, of a model that reasons first as well.
COMPLETE_TOKENS = 256
#: The limit in a session, whose turns must stay short.
SESSION_TOKENS = 4

HELLO: list[JSON] = [{"role": "user", "content": "Hello!"}]
SHORT: list[JSON] = [{"role": "user", "content": "Reply with the word yes, and nothing else."}]
COUNT: list[JSON] = [{"role": "user", "content": "Count from one to one hundred in words."}]
NEXT: list[JSON] = [{"role": "user", "content": "Go on."}]
#: One request whose fields all have values outside their range.
OUTSIDE: dict[str, JSON] = {"top_p": 1.1, "top_k": -2, "frequency_penalty": 2.1, "presence_penalty": -2.1}
#: A field that no version lists.
UNLISTED: dict[str, JSON] = {"user": "client-42"}
#: What makes a stream carry its usage.
USAGE: dict[str, JSON] = {"stream_options": {"include_usage": True}}
#: Almost every text contains one of these letters.
STOPS: list[JSON] = ["e", "a"]
#: About 60 tokens, enough that a server's counts show whether it still has them.
STORY: list[JSON] = [
    {
        "role": "user",
        "content": "Remember this list: amber, birch, cedar, delta, ember, flint, grove, heron, indigo, juniper, "
        "kelp, lilac, maple, nettle, olive, pine, quartz, reed, sage, thistle, umber, violet, willow, yarrow.",
    }
]


def plain(**fields: JSON) -> dict[str, JSON]:
    """Return a body that asks for a short answer, with these additional or changed fields."""
    return {"messages": HELLO, "max_tokens": MAX_TOKENS, **fields}


def turn(messages: list[JSON] = NEXT, session: str = "", /, **fields: JSON) -> dict[str, JSON]:
    """Return a body for one turn of a conversation, in a session if one is named."""
    named: dict[str, JSON] = {"store_in_session": session} if session else {}
    return {"messages": messages, "max_tokens": SESSION_TOKENS, **named, **fields}
