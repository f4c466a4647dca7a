"""The bodies of requests: short, and cheap to answer on a real model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_contract.messages import JSON

#: No answer that may really be generated has more tokens than this.
MAX_TOKENS = 16
#: Enough tokens for a tool call or for structured content; a model that reasons first may need more.
FORM_TOKENS = 64
#: Fewer tokens in a session, whose turns must stay short.
SESSION_TOKENS = 4

HELLO: list[JSON] = [{"role": "user", "content": "Hello!"}]
COUNT: list[JSON] = [{"role": "user", "content": "Count from one to one hundred in words."}]
NEXT: list[JSON] = [{"role": "user", "content": "Go on."}]
#: Values out of the range of each of these fields, all in one request.
OUTSIDE: dict[str, JSON] = {"top_p": 1.1, "top_k": -2, "frequency_penalty": 2.1, "presence_penalty": -2.1}
#: A field that no version lists.
UNLISTED: dict[str, JSON] = {"user": "client-42"}
#: What makes a stream carry its usage.
USAGE: dict[str, JSON] = {"stream_options": {"include_usage": True}}
#: Hardly any text does without both of these letters.
STOPS: list[JSON] = ["e", "a"]
#: Some 60 tokens: whether a server still has them shows in what it counts.
STORY: list[JSON] = [
    {
        "role": "user",
        "content": "Remember this list: amber, birch, cedar, delta, ember, flint, grove, heron, indigo, juniper, "
        "kelp, lilac, maple, nettle, olive, pine, quartz, reed, sage, thistle, umber, violet, willow, yarrow.",
    }
]


def plain(**fields: JSON) -> dict[str, JSON]:
    """Return a body that asks for a short answer, with these fields besides or in place."""
    return {"messages": HELLO, "max_tokens": MAX_TOKENS, **fields}


def turn(messages: list[JSON] = NEXT, session: str = "", /, **fields: JSON) -> dict[str, JSON]:
    """Return a body for one turn of a conversation, in a session if one is named."""
    named: dict[str, JSON] = {"store_in_session": session} if session else {}
    return {"messages": messages, "max_tokens": SESSION_TOKENS, **named, **fields}
