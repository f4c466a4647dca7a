"""The reference server as a value, with a hook for everything that a variant or a mutant changes."""

import json
import random
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from agent_contract.messages import Headers, Reply, Request
from server_defects.forms import form
from server_defects.hooks import (
    CHECKS,
    ROLES,
    ChatCall,
    Check,
    Memory,
    Message,
    Payload,
    Refusal,
    ToolCall,
    admit,
    finish,
    new_session,
    recall,
    remember,
)

Fields: TypeAlias = dict[str, tuple[Any, Any]]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

WORDS = (
    "the quiet river turned past an old mill where lamps burned late , and nobody asked why . "
    "later a wind came up \n over the hills and carried their song toward some harbour"
).split(" ")


def generate(call: ChatCall, index: int, random_: random.Random) -> list[str]:
    """Return the pieces of one answer, before `stop` and `max_tokens` are applied."""
    return [random_.choice(WORDS) + " " for _ in range(random_.randint(20, 40))]


def count(messages: Sequence[Message]) -> int:
    """Return the prompt tokens of messages: words, those of calls too, and three for each message's frame."""
    return sum(3 + len(re.findall(r"\w+|[^\w\s]", spelled(message))) for message in messages)


def spelled(message: Message) -> str:
    """Return the content of a message, and its calls."""
    calls = [call.get("function") for call in message.get("tool_calls") or ()]
    return " ".join([str(message.get("content")), *(json.dumps(call) for call in calls)])


def same(value: Any, call: ChatCall) -> Any:
    """Return the value as it is: a hook without a change."""
    return value


def reference_registry(agent_id: str, model: str) -> Any:
    """Return the agents and models of a deployment that conforms."""
    from benchmarks.detection.registry import Registry

    return Registry(agent_id, model)


def reference_knowledge(registry: Any) -> Any:
    """Return the knowledge bases of a deployment that conforms."""
    from benchmarks.detection.knowledge import Knowledge

    return Knowledge(registry)


@dataclass(frozen=True, slots=True)
class ServerHooks:
    """What a deployment is, and how it behaves at each hook; the defaults conform to the contract.

    In the order in which a request meets them: `wrap` surrounds the application, `arrive` may answer a request
    before anything else, `admit` asks for the token, `fields` are the request's, `describe` words each fault,
    `checks` refuse a valid payload, `recall` gives the context, `call_tools` changes the calls of tools, else
    `generate`, `form` and `finish` speak, `remember` stores, `answer` and `chunks` change the answer's JSON, `frames`
    the bytes of its events, `respond` the response to a valid call, `refuse` every refusal, `leave` gives every
    response its headers.
    """

    agent_id: str = "3f0e1a52-6c55-4b8e-9a57-0d2f6f7b9c11"
    model: str = "mixtral-8x7b-instruct"
    roles: frozenset[str] = ROLES
    token: str | None = None
    seed: int = 0
    extra: Literal["allow", "ignore", "forbid"] = "ignore"
    pause: float = 0.0
    #: granian speaks TLS, and HTTP/2 with clients that can; `dated` is whether the server sends a `Date` of its own.
    server: Literal["uvicorn", "granian"] = "uvicorn"
    dated: bool = True
    wrap: Callable[[Asgi], Asgi] = lambda app: app
    arrive: Callable[[Request, bytes, int], Reply | None] = lambda request, body, number: None
    admit: Callable[[Request, str], None] = admit
    fields: Callable[[Fields], Fields] = lambda fields: fields
    describe: Callable[[Mapping[str, Any]], Any] = lambda error: {key: error[key] for key in ("type", "loc", "msg")}
    checks: tuple[Check, ...] = CHECKS
    recall: Callable[[Memory, str | None, Payload], list[Message]] = recall
    new_session: Callable[[Payload], str] = new_session
    generate: Callable[[ChatCall, int, random.Random], list[str]] = generate
    call_tools: Callable[[Payload, Sequence[ToolCall]], Sequence[ToolCall]] = lambda payload, calls: calls
    form: Callable[[list[str], ChatCall], list[str]] = form
    finish: Callable[[list[str], ChatCall, int], tuple[list[str], str | None]] = finish
    count: Callable[[Sequence[Message]], int] = count
    remember: Callable[[Memory, str, list[Message], ChatCall], None] = remember
    answer: Callable[[dict[str, Any], ChatCall], Any] = same
    chunks: Callable[[list[dict[str, Any]], ChatCall], list[Any]] = same
    frames: Callable[[list[bytes], ChatCall], list[bytes]] = same
    respond: Callable[[Reply, ChatCall], Reply] = same
    #: Beside the chat: what agents and models there are, the fields of each kind of request, and each answer by the
    #: operation's name with its status.
    registry: Callable[[str, str], Any] = reference_registry
    knowledge: Callable[[Any], Any] = reference_knowledge
    resource_fields: Callable[[str, Fields], Fields] = lambda kind, fields: fields
    resource: Callable[[str, int, Any], tuple[int, Any]] = lambda operation, status, value: (status, value)
    refuse: Callable[[Refusal], Refusal | Reply] = lambda refusal: refusal
    leave: Callable[[int, Headers, Request], Headers] = lambda status, headers, request: headers
