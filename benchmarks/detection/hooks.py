"""The reference server as a value, with a hook for everything that a variant or a mutant changes."""

import json
import random
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from fastapi import Request, Response

from benchmarks.detection.forms import call_tools, form

Message: TypeAlias = dict[str, Any]
ToolCall: TypeAlias = dict[str, Any]
Fields: TypeAlias = dict[str, tuple[Any, Any]]
Memory: TypeAlias = dict[str, list[Message]]
Payload: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

WORDS = (
    "the quiet river turned past an old mill where lamps burned late , and nobody asked why . "
    "later a wind came up \n over the hills and carried their song toward some harbour"
).split(" ")
#: More choices than this are refused: two thousand million of them would be an outage.
MOST_CHOICES = 64


@dataclass(frozen=True, slots=True)
class ChatCall:
    """One request that passed validation, as the hooks see it; `number` counts the requests of a deployment."""

    payload: Payload
    number: int
    context: Sequence[Message]
    session: str | None
    created_session: bool
    calls: Sequence[ToolCall] = ()

    @property
    def streams(self) -> bool:
        """Whether the answer is a stream."""
        return bool(self.payload.get("stream"))

    @property
    def choices(self) -> int:
        """How many choices were asked for."""
        return int(self.payload.get("n") or 1)

    @property
    def limit(self) -> int | None:
        """How many tokens each choice may have at most."""
        return self.payload.get("max_completion_tokens") or self.payload.get("max_tokens")


@dataclass
class Refusal(Exception):
    """An answer that refuses: `kind` names the reason, so that a mutant can change just one.

    The kinds: shape, agent, model, role, bound, tool, form, session, token. `payload` is the body as far as it was
    read.
    """

    kind: str
    status: int
    detail: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    payload: Any = None


def remember(memory: Memory, session: str, turn: list[Message], call: ChatCall) -> None:
    """Append a turn to a session."""
    memory.setdefault(session, []).extend(turn)


def recall(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
    """Return the context of a known session, and none without a session; refuse an unknown one with 404."""
    if session is None:
        return []
    if session not in memory:
        raise Refusal("session", 404, "No session found with the specified ID")
    return list(memory[session])


def new_session(payload: Payload) -> str:
    """Return a fresh session id."""
    return str(uuid.uuid4())


def generate(call: ChatCall, index: int, random_: random.Random) -> list[str]:
    """Return the pieces of one answer, before `stop` and `max_tokens` are applied."""
    return [random_.choice(WORDS) + " " for _ in range(random_.randint(20, 40))]


def finish(pieces: list[str], call: ChatCall, index: int) -> tuple[list[str], str | None]:
    """Return the pieces that `stop` and `max_tokens` leave, and why the answer ended."""
    for at in range(len(pieces)):
        joined = "".join(pieces[: at + 1])
        ends = [joined.index(stop) for stop in call.payload.get("stop") or () if stop in joined]
        if ends:
            kept = joined[: min(ends)]
            return ([kept] if kept else []), "stop"
        if call.limit is not None and at + 1 >= call.limit:
            return pieces[: at + 1], "length" if at + 1 < len(pieces) else "stop"
    return pieces, "stop"


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


def admit(request: Request, token: str) -> None:
    """Refuse a request that does not carry the token."""
    if request.headers.get("authorization") != f"Bearer {token}":
        raise Refusal("token", 401, "Not authenticated", {"WWW-Authenticate": "Bearer"})


def agent_exists(hooks: "ServerHooks", agent_id: str, payload: Payload) -> None:
    """Refuse an unknown agent."""
    if agent_id != hooks.agent_id:
        raise Refusal("agent", 404, "No agent found with the specified ID")


def model_matches(hooks: "ServerHooks", agent_id: str, payload: Payload) -> None:
    """Refuse a model that is not the agent's."""
    if payload.get("model") not in (None, "", hooks.model):
        raise Refusal("model", 400, "Unexpected model in chat completions message")


def roles_accepted(hooks: "ServerHooks", agent_id: str, payload: Payload) -> None:
    """Refuse a role that the agent does not accept."""
    for message in payload["messages"]:
        if message["role"] not in hooks.roles:
            raise Refusal("role", 400, f"Unsupported role {message['role']!r} in chat completions message")


def choices_bounded(hooks: "ServerHooks", agent_id: str, payload: Payload) -> None:
    """Refuse more choices than can be made."""
    if (payload.get("n") or 1) > MOST_CHOICES:
        raise Refusal("bound", 400, f"n may be {MOST_CHOICES} at most")


def tools_known(hooks: "ServerHooks", agent_id: str, payload: Payload) -> None:
    """Refuse a choice of an undeclared tool, and a required call without tools."""
    names = [tool["function"]["name"] for tool in payload.get("tools") or ()]
    choice = payload.get("tool_choice")
    wanted = choice["function"]["name"] if isinstance(choice, dict) else None
    if (wanted is not None and wanted not in names) or (choice == "required" and not names):
        raise Refusal("tool", 400, "tool_choice names no tool that was declared")


def form_known(hooks: "ServerHooks", agent_id: str, payload: Payload) -> None:
    """Refuse an unknown format of content."""
    if (payload.get("response_format") or {}).get("type", "text") not in ("text", "json_object", "json_schema"):
        raise Refusal("form", 400, "Unknown response_format")


Check: TypeAlias = Callable[["ServerHooks", str, Payload], None]


@dataclass(frozen=True, slots=True)
class ServerHooks:
    """What a deployment is, and how it behaves at each hook; the defaults conform to the contract.

    In the order in which a request meets them: `wrap` surrounds the application, `arrive` may answer a request
    before anything else, `admit` asks for the token, `fields` are the request's, `describe` words each fault,
    `checks` refuse a valid payload, `recall` gives the context, `call_tools` selects which tools are called, else
    `generate`, `form` and `finish` speak, `remember` stores,
    `answer` and `chunks` change the answer's JSON, `frames` the bytes of its events, `respond` the response to a
    valid call, `refuse` every refusal, `leave` looks at every response.
    """

    agent_id: str = "3f0e1a52-6c55-4b8e-9a57-0d2f6f7b9c11"
    model: str = "mixtral-8x7b-instruct"
    roles: frozenset[str] = frozenset({"user", "assistant", "tool"})
    token: str | None = None
    seed: int = 0
    extra: Literal["allow", "ignore", "forbid"] = "ignore"
    pause: float = 0.0
    #: granian speaks TLS, and HTTP/2 with clients that can; `dated` is whether the server sends a `Date` of its own.
    server: Literal["uvicorn", "granian"] = "uvicorn"
    dated: bool = True
    wrap: Callable[[Asgi], Asgi] = lambda app: app
    arrive: Callable[[Request, bytes, int], Response | None] = lambda request, body, number: None
    admit: Callable[[Request, str], None] = admit
    fields: Callable[[Fields], Fields] = lambda fields: fields
    describe: Callable[[Mapping[str, Any]], Any] = lambda error: {key: error[key] for key in ("type", "loc", "msg")}
    checks: tuple[Check, ...] = (
        agent_exists,
        model_matches,
        roles_accepted,
        choices_bounded,
        tools_known,
        form_known,
    )
    recall: Callable[[Memory, str | None, Payload], list[Message]] = recall
    new_session: Callable[[Payload], str] = new_session
    generate: Callable[[ChatCall, int, random.Random], list[str]] = generate
    call_tools: Callable[[Payload], Sequence[ToolCall]] = call_tools
    form: Callable[[list[str], ChatCall], list[str]] = form
    finish: Callable[[list[str], ChatCall, int], tuple[list[str], str | None]] = finish
    count: Callable[[Sequence[Message]], int] = count
    remember: Callable[[Memory, str, list[Message], ChatCall], None] = remember
    answer: Callable[[dict[str, Any], ChatCall], Any] = same
    chunks: Callable[[list[dict[str, Any]], ChatCall], list[Any]] = same
    frames: Callable[[list[bytes], ChatCall], list[bytes]] = same
    respond: Callable[[Response, ChatCall], Response] = same
    #: Beside the chat: what agents and models there are, the fields of each kind of request, and each answer by the
    #: operation's name with its status.
    registry: Callable[[str, str], Any] = reference_registry
    resource_fields: Callable[[str, Fields], Fields] = lambda kind, fields: fields
    resource: Callable[[str, int, Any], tuple[int, Any]] = lambda operation, status, value: (status, value)
    refuse: Callable[[Refusal], Refusal | Response] = lambda refusal: refusal
    leave: Callable[[Response, Request], Response] = lambda response, request: response
