"""A mock that plays planted defects."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from agent_contract.messages import Exchange, Reply, Request
from mockserver import Engine
from mockserver.build import create_engine
from mockserver.core.scopes import SCOPE_HEADER
from mockserver.gateway.gateway import EarlyReply
from mockserver.resources.agents import unique
from mockserver.server.served import Served, ServedWrapper
from server_defects import answers
from server_defects.catalogue import DEFECTS, Defect
from server_defects.forms import form
from server_defects.hooks import (
    CHECKS,
    ROLES,
    ChatCall,
    Memory,
    Payload,
    Refusal,
    finish,
    new_session,
    recall,
    refuse_other_roles,
    remember,
    roles_accepted,
)
from server_defects.leniency import repaired
from server_defects.refusals import added_to, refusal_of, repairs_of, with_payload
from server_defects.replies import json_reply

API = "/api/"
#: Hooks of sessions, and those of what an answer consists of.
_SESSIONS = frozenset({"recall", "remember", "new_session"})
_SPEECH = frozenset({"finish", "form"})
#: The hooks that a mock can play. What `generate` says is the mock's own text.
PLAYED = frozenset(
    {
        *_SESSIONS,
        *_SPEECH,
        *("arrive", "checks", "roles", "call_tools", "generate"),
        *("answer", "chunks", "frames", "respond", "resource", "refuse", "leave"),
    }
)
_EDITS = frozenset({"answer", "chunks", "frames", "respond", "resource", "refuse", "leave"})
_CHAT = re.compile(r"(?:agents|assistants)/([^/]+)/(chat/)?completions$")
#: The operation of an exchange -> its name for the hook `resource`.
_NAMES: Mapping[str, str] = {
    "createAssistantChatCompletion": "chat",
    "createAgentChatCompletion": "chat",
    "createChatCompletion": "model-chat",
    "createAssistantCompletion": "completion",
    "createAgentCompletion": "completion",
    "listModels": "models",
    "createEmbedding": "embed",
    **{f"{verb}{twin}": verb for verb in ("create", "get", "update", "delete") for twin in ("Agent", "Assistant")},
    **{f"list{twin}s": "list" for twin in ("Agent", "Assistant")},
}
#: The operations whose refusals the hook `resource` changes too.
_RESOURCES = frozenset({"model-chat", "embed", "get", "update", "delete", "create", "list"})
_BAD_REQUEST = 400
#: Fields of a request that decide how long an answer is and which form it has.
_SHAPING = ("stop", "max_tokens", "max_completion_tokens", "response_format")
#: What a hook raises for a reply to which it does not apply, such as one that another defect has changed.
_UNLIKE = (LookupError, TypeError, ValueError, AttributeError)
#: How often a request is repaired.
_REPAIRS = 5
_STORING = ("create_session", "store_in_session")


#: The planted defects that a mock can play.
PLAYABLE: tuple[Defect, ...] = tuple(defect for defect in DEFECTS if set(defect.changes) <= PLAYED)


@dataclass(frozen=True, slots=True)
class _Agent:
    """What the checks of a payload know of a server."""

    agent_id: str
    model: str
    roles: frozenset[str]


@dataclass
class DefectiveEngine(ServedWrapper):
    """An engine with a planted defect. Replies of the control interface stay as they are.

    `changes` are the hooks that play the defect. The sessions of a defect that changes them live here.
    """

    engine: Served
    changes: Mapping[str, Any]
    base: Engine
    _numbers: Iterable[int] = field(default_factory=lambda: itertools.count(1))
    _memories: dict[tuple[str, str], Memory] = field(default_factory=dict)
    _others: list[Engine] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request, after calling the listener."""
        exchange = self.handle(request)
        if self.base.listener:
            self.base.listener(exchange)
        return exchange.reply

    def replies(self, requests: Sequence[Request]) -> Sequence[Reply]:
        """Return the replies to several requests."""
        return [self.reply(request) for request in requests]

    def handle(self, request: Request) -> Exchange:
        """Return the exchange with its defect; the usual one if the defect can't be played on it."""
        if not request.path.startswith(API):
            return self.engine.handle(request)
        with self._lock:
            number = next(iter(self._numbers))
        early = self.changes["arrive"](request, request.body, number) if "arrive" in self.changes else None
        if early is not None:
            exchange = Exchange(request, early)
            self.record(exchange)
        else:
            exchange = self._answered(request, number)
        reply = exchange.reply
        if "leave" in self.changes:
            reply = replace(reply, headers=self.changes["leave"](reply.status, reply.headers, request))
        return replace(exchange, request=request, reply=reply)

    def _answered(self, request: Request, number: int) -> Exchange:
        if "accept" in self.changes:
            return self._lenient(request)
        payload = _payload(request)
        found = _CHAT.search(request.path)
        refused = payload is not None and found is not None and isinstance(self.base.api.admit(request), EarlyReply)
        if payload is None or found is None or refused or request.method != "POST":
            return self._changed(self.engine.handle(request), ChatCall(payload or {}, number, (), None, False))
        call = ChatCall(payload if found[2] else _as_chat(payload), number, (), None, False)
        with self._lock if _SESSIONS & set(self.changes) else nullcontext():
            exchange, call, refusal = self._chat(request, payload, found[1], call)
            if refusal is None:
                return self._changed(exchange, call)
            refusal.payload = call.payload
            return replace(exchange, reply=self._refused(refusal))

    def _chat(
        self, request: Request, payload: Payload, agent: str, call: ChatCall
    ) -> tuple[Exchange, ChatCall, Refusal | None]:
        """Return the exchange with the engine, the call, and why this server refuses what the engine accepts."""
        sent = payload
        memory: Memory = {}
        if _SESSIONS & set(self.changes):
            memory = self._memories.setdefault((request.headers.get(SCOPE_HEADER, ""), agent), {})
            id = payload.get("store_in_session")
            try:
                context = self._hook("recall", recall)(memory, id, call.payload)
            except Refusal:  # the engine does not know the session either
                return self.engine.handle(request), call, None
            creates = bool(payload.get("create_session")) and not id
            session = id or (self._hook("new_session", new_session)(call.payload) if creates else None)
            call = replace(call, context=context, session=session, created_session=creates)
            sent = _in_context(sent, context)
        received = request if sent is payload else with_payload(request, sent)
        exchange = self._accepted(received, sent)
        if exchange.reply.status != 200:
            return exchange, call, None
        refusal = self._refusal(call.payload, agent)
        if refusal is not None:
            return exchange, call, refusal
        reply = exchange.reply
        with suppress(*_UNLIKE):
            if "messages" in payload:
                reply = self._spoken(received, sent, reply, call)
            if call.session is not None:
                turn = [*call.payload["messages"], answers.message_of(reply)]
                self._hook("remember", remember)(memory, call.session, turn, call)
                reply = answers.edited(reply, call, *answers.with_session(call.session))
        return replace(exchange, reply=reply), call, None

    def _accepted(self, request: Request, payload: Payload) -> Exchange:
        """Return the exchange with the engine, whose request is repaired if this server would not refuse it."""
        exchange = self.engine.handle(request)
        repairs = dict(repairs_of(self._hook("checks", CHECKS)))
        if "roles" in self.changes:
            repairs |= repairs_of(tuple(check for check in CHECKS if check is not roles_accepted))
        for _ in repairs:
            refusal = refusal_of(exchange, payload)
            if refusal is None or refusal.kind not in repairs:
                break
            known = next(iter(unique(self.base.config.agents))).id
            request = repairs[refusal.kind](request, payload, known)
            exchange = self.engine.handle(request)
        return exchange

    def _lenient(self, request: Request) -> Exchange:
        """Return the exchange of the request without what this server does not look at."""
        exchange = self.engine.handle(request)
        known = next(iter(unique(self.base.config.agents))).id
        for _ in range(_REPAIRS):
            refusal = refusal_of(exchange, None)
            if refusal is None or not self.changes["accept"](refusal):
                break
            changed = repaired(request, refusal, known)
            if changed is None:
                break
            request = changed
            exchange = self.engine.handle(request)
        return exchange

    def _refusal(self, payload: Payload, agent: str) -> Refusal | None:
        """Return why this server refuses a payload that the engine accepts, or None."""
        known = self.base.config.agents.get(agent) or next(iter(unique(self.base.config.agents)))
        served = _Agent(agent, known.model, self._hook("roles", ROLES))
        try:
            if "roles" in self.changes:
                refuse_other_roles(served.roles, payload)
            for check in added_to(self._hook("checks", CHECKS)):
                check(served, agent, payload)
        except Refusal as refusal:
            return refusal
        return None

    def _spoken(self, request: Request, sent: Payload, reply: Reply, call: ChatCall) -> Reply:
        """Return the reply with the content, or the calls of tools, that this server makes of it."""
        made = answers.message_of(reply).get("tool_calls") or []
        calls = list(self._hook("call_tools", _as_made)(call.payload, made)) if call.payload.get("tools") else made
        if calls != made and calls:
            return answers.edited(reply, call, *answers.calling(calls))
        if calls or (calls == made and not _SPEECH & set(self.changes)):
            return reply
        raw = self._raw_pieces(request, _without(sent, "tools", "tool_choice"), call)
        usual = [finish(form(pieces, call), call, index) for index, pieces in enumerate(raw)]
        own = self._hook("form", form), self._hook("finish", finish)
        spoken = [own[1](own[0](pieces, call), call, index) for index, pieces in enumerate(raw)]
        if calls == made and spoken == usual:
            return reply
        return answers.edited(reply, call, *answers.speaking(spoken))

    def _raw_pieces(self, request: Request, payload: Payload, call: ChatCall) -> list[list[str]]:
        """Return the tokens of each choice that the mock would send if nothing limited or formed them.

        Another engine is asked, so that the journal and the sessions of this one stay as they are.
        """
        with self._lock:
            if not self._others:
                self._others.append(create_engine(self.base.contract, self.base.config, seed=self.base.ids.seed))
        unlimited = {**_without(payload, *_SHAPING, *_STORING), "stream": True}
        return answers.pieces_of(self._others[0].handle(with_payload(request, unlimited)).reply, call)

    def _changed(self, exchange: Exchange, call: ChatCall) -> Exchange:
        """Return the exchange with the changes of its reply as such."""
        name = _NAMES.get(exchange.operation, "")
        reply = exchange.reply
        refusal = refusal_of(exchange, call.payload)
        if refusal is not None:
            reply = self._refused(refusal, reply)
            if name in _RESOURCES and refusal.kind != "shape":
                reply = self._resource("model-chat-kind" if name == "model-chat" else name, reply)
        elif reply.status == _BAD_REQUEST and name in _RESOURCES:  # a cursor of a list
            reply = self._resource(name, reply)
        elif reply.status < 300 and name:
            with suppress(*_UNLIKE):
                reply = self._good(name, reply, call)
        return exchange if reply is exchange.reply else replace(exchange, reply=reply)

    def _good(self, name: str, reply: Reply, call: ChatCall) -> Reply:
        chats = name in ("chat", "model-chat")
        if chats:
            reply = answers.edited(reply, call, self.changes.get("answer"), self.changes.get("chunks"))
        if not isinstance(reply.body, bytes):
            frames = [event.encode() for event in reply.body]
            changed = self.changes["frames"](frames, call) if chats and "frames" in self.changes else frames
            if "resource" in self.changes:
                changed = self.changes["resource"](f"{name}-stream", 200, changed)[1]
            reply = reply if changed == frames else answers.with_frames(reply, changed)
        else:
            reply = self._resource(name, reply)
        return self.changes["respond"](reply, call) if chats and "respond" in self.changes else reply

    def _resource(self, name: str, reply: Reply) -> Reply:
        value = answers.value_of(reply)
        if "resource" not in self.changes or value is None:
            return reply
        status, changed = self.changes["resource"](name, reply.status, value)
        return reply if (status, changed) == (reply.status, value) else answers.with_value(reply, changed, status)

    def _refused(self, refusal: Refusal, reply: Reply | None = None) -> Reply:
        """Return the reply of a refusal: `reply` if nothing changes it."""
        final = self.changes["refuse"](refusal) if "refuse" in self.changes else refusal
        if isinstance(final, Reply):
            return final
        if reply is not None and final is refusal:
            return reply
        return json_reply({"detail": final.detail}, final.status, final.headers)

    def _hook(self, name: str, usual: Any) -> Any:
        return self.changes.get(name, usual)


def play(engine: Engine, defects: Iterable[Defect]) -> Engine | DefectiveEngine:
    """Return an engine that has all these defects; those that only edit a reply come last."""
    playing: Engine | DefectiveEngine = engine
    for defect in sorted(defects, key=lambda one: set(one.changes) <= _EDITS):
        playing = DefectiveEngine(playing, defect.changes, engine)
    return playing


def _payload(request: Request) -> dict[str, Any] | None:
    """Return the object that a request has as its body, or None."""
    try:
        value = orjson.loads(request.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _as_chat(payload: Payload) -> Payload:
    """Return a prompt as the hooks see it: a chat of one message."""
    prompt = payload.get("prompt")
    prompts = [prompt] if isinstance(prompt, str) else prompt or ()
    return {**payload, "messages": [{"role": "user", "content": "\n".join(map(str, prompts))}]}


def _without(payload: Payload, *names: str) -> Payload:
    return {name: value for name, value in payload.items() if name not in names}


def _as_made(_: Payload, calls: list[Any]) -> list[Any]:
    return calls


def _in_context(payload: Payload, context: Iterable[Mapping[str, Any]]) -> Payload:
    """Return the payload with the context of its session instead of the session."""
    apart = _without(payload, *_STORING)
    if "messages" in payload:
        return {**apart, "messages": [*context, *payload["messages"]]}
    before = [str(message.get("content")) for message in context]
    prompt = payload.get("prompt")
    prompts = [prompt] if isinstance(prompt, str) else list(prompt or ())
    return {**apart, "prompt": [*before, *prompts]} if before else apart
