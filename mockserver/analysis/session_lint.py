"""Finds misuse of sessions that a server answers with 200: context that is doubled, lost or shared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.analysis.observation import Observation
from mockserver.generation.tokenizer import count_tokens
from mockserver.resources.sessions import texts_of

#: The operations that have sessions.
_OPERATIONS = frozenset({"createAssistantChatCompletion", "createAgentChatCompletion"})
#: Names that clients use for a session, and that this API ignores.
_OTHER_NAMES = frozenset(
    {"session_id", "session", "sessionId", "conversation", "conversation_id", "thread_id", "previous_response_id"}
)
_QUERY_NAMES = _OTHER_NAMES | {"store_in_session"}
_OTHER_HEADERS = frozenset({"x-session-id", "session-id", "x-conversation-id"})
#: Fields and headers that identify the person who asks.
_USER_FIELDS = ("user", "safety_identifier")
_USER_HEADERS = ("x-user", "x-user-id", "x-forwarded-user", "x-forwarded-email")
#: Sessions that a client creates one after another before it is clear that it uses none of them.
_CREATED_IN_VAIN = 3
#: Seconds by which recorded times may be wrong.
_TOLERANCE = 0.05
#: Characters of a message that are compared: an answer may be recorded incompletely.
_COMPARED = 500


@dataclass(frozen=True, slots=True)
class Misuse:
    """One misuse: its rule, the number of the request, the session with its turn, what is wrong, and what to do.

    `wasted_tokens` are those of the prompt or of the answer that were paid for nothing.
    """

    rule: str
    request: int
    session: str
    turn: int
    wasted_tokens: int
    problem: str
    remedy: str


@dataclass(slots=True)
class _Session:
    """What is known of a session: its turns, the messages that it contains, and who uses it."""

    id: str
    agent: str
    created: Observation | None
    user: str
    turns: int = 0
    contents: list[tuple[str, str]] = field(default_factory=list)
    answer: Mapping[str, Any] = field(default_factory=dict)
    latest: Observation | None = None
    refused: int = 0


@dataclass(slots=True)
class _Conversations:
    """What the client has done so far."""

    sessions: dict[str, _Session] = field(default_factory=dict)
    #: Sessions of each client that were created and not used yet, in order.
    unused: dict[tuple[str, str], list[_Session]] = field(default_factory=dict)


def lint_sessions(observations: Iterable[Observation]) -> list[Misuse]:
    """Return every misuse in the exchanges of one scope, which are in the order of the requests."""
    state = _Conversations()
    return [finding for seen in observations if seen.operation in _OPERATIONS for finding in _check(seen, state)]


def _check(seen: Observation, state: _Conversations) -> Iterator[Misuse]:
    """Yield the findings of one request, and remember what it did."""
    named = _named(seen)
    session = state.sessions.get(named) if named else None
    for rule in _RULES:
        yield from rule(seen, session, state)
    if seen.status == 200:
        _remember(seen, named, state)
    elif seen.status == 404 and named:
        found = state.sessions.setdefault(named, _Session(named, seen.agent, None, _user(seen)))
        found.refused += 1


def _remember(seen: Observation, named: str, state: _Conversations) -> None:
    id = named or (seen.session_id if seen.sent.get("create_session") is True else "")
    if not id:
        return
    session = state.sessions.get(id)
    if session is None:
        session = state.sessions[id] = _Session(id, seen.agent, None if named else seen, _user(seen))
        if not named:
            state.unused.setdefault(_client(seen), []).append(session)
    if named:
        for waiting in state.unused.values():
            waiting[:] = [one for one in waiting if one is not session]
        if session.created is not None:
            state.unused.pop(_client(seen), None)  # the client knows how to use sessions
    session.turns += 1
    session.refused = 0
    session.user = session.user or _user(seen)
    session.answer = _answer(seen)
    session.contents += [*map(_content, seen.messages), _content(session.answer)]
    session.latest = seen


# The rules: each gets a request, the session that it names, if any, and what happened before.


def _history_resent(seen: Observation, session: _Session | None, _: _Conversations) -> Iterator[Misuse]:
    """The session contains the earlier turns already, so the model reads them twice."""
    if session is None or seen.status != 200:
        return
    again = [one for one in seen.messages[:-1] if one.get("role") != "system" and _is_in(one, session.contents)]
    if any(message.get("role") == "assistant" for message in again):
        tokens = count_tokens(*texts_of([*map(_readable, again)]))
        problem = f"the request repeats {len(again)} messages that the session contains"
        yield _finding("history-resent", seen, session, tokens, problem, "send only the new messages")


def _instructions_resent(seen: Observation, session: _Session | None, _: _Conversations) -> Iterator[Misuse]:
    if session is None or seen.status != 200:
        return
    again = [one for one in seen.messages if one.get("role") == "system" and _is_in(one, session.contents)]
    if again:
        tokens = count_tokens(*texts_of([*map(_readable, again)]))
        problem = "the request repeats a system message that the session contains"
        yield _finding("instructions-resent", seen, session, tokens, problem, "send it in the first turn only")


def _session_per_turn(seen: Observation, _: _Session | None, state: _Conversations) -> Iterator[Misuse]:
    if not _creates(seen):
        return
    unused = state.unused.get(_client(seen), [])
    earlier = next((one for one in reversed(unused) if _continues(seen, one)), None)
    remedy = "create a session once, then send its id as `store_in_session`"
    if earlier is not None:
        tokens = count_tokens(*texts_of([*map(_readable, seen.messages[:-1])]))
        problem = f"the request continues session {earlier.id} and creates another one"
        yield _finding("session-per-turn", seen, earlier, tokens, problem, remedy)
    elif len(unused) + 1 >= _CREATED_IN_VAIN and all(one.created is not None for one in unused):
        problem = f"the client created {len(unused) + 1} sessions in a row and used none of them"
        yield _finding("session-per-turn", seen, unused[-1], 0, problem, remedy)


def _id_dropped(seen: Observation, _: _Session | None, state: _Conversations) -> Iterator[Misuse]:
    """The client got the id of a session, and continues without it."""
    if seen.status != 200 or seen.sent.get("create_session") is True or _named(seen):
        return
    unused = state.unused.get(_client(seen), [])
    if not unused or _other_name(seen)[0] or "store_in_session" in seen.sent:
        return
    last = unused[-1]
    assert last.created is not None
    is_streamed = last.created.is_stream
    if is_streamed or _continues(seen, last):
        tokens = count_tokens(*texts_of([*map(_readable, seen.messages[:-1])]))
        after = "the stream" if is_streamed else "the answer"
        problem = f"{after} of request {last.created.number} contained the id of a session, and this request lacks it"
        remedy = "read `session_id` from any chunk and send it as `store_in_session`"
        yield _finding("id-dropped", seen, last, tokens, problem, remedy)
        unused.remove(last)


def _other_field(seen: Observation, _: _Session | None, state: _Conversations) -> Iterator[Misuse]:
    name, id = _other_name(seen)
    if name and not _named(seen) and seen.status == 200:
        problem = f"{name} is ignored, so the answer knows no earlier turn"
        tokens = count_tokens(*texts_of([*map(_readable, seen.messages[:-1])]))
        yield _finding(
            "other-field", seen, state.sessions.get(id.lower()), tokens, problem, "send the id as `store_in_session`"
        )


def _null_id(seen: Observation, _: _Session | None, state: _Conversations) -> Iterator[Misuse]:
    is_null = "store_in_session" in seen.sent and seen.sent["store_in_session"] is None
    if is_null and seen.status == 200 and not _creates(seen):
        unused = state.unused.get(_client(seen), [])
        if unused:
            problem = "`store_in_session` is null, which means no session, although the client has one"
            yield _finding("null-id", seen, unused[-1], 0, problem, "send the id of the session")


def _create_and_store(seen: Observation, session: _Session | None, _: _Conversations) -> Iterator[Misuse]:
    if seen.sent.get("create_session") is True and _named(seen) and seen.status == 200:
        problem = "`create_session` has no effect next to `store_in_session`"
        yield _finding("create-and-store", seen, session, 0, problem, "send one of the two")


def _two_users(seen: Observation, session: _Session | None, _: _Conversations) -> Iterator[Misuse]:
    user = _user(seen)
    if session is not None and user and session.user and user != session.user and seen.status == 200:
        problem = f"user {user!r} reads and extends the session of user {session.user!r}"
        yield _finding("two-users", seen, session, 0, problem, "give each user a session of their own")


def _parallel_turns(seen: Observation, session: _Session | None, _: _Conversations) -> Iterator[Misuse]:
    latest = session.latest if session is not None else None
    if latest is not None and seen.status == 200 and seen.time < latest.time + latest.seconds - _TOLERANCE:
        problem = f"the request was sent before the answer to request {latest.number} of this session was complete"
        yield _finding("parallel-turns", seen, session, 0, problem, "send a turn after the answer to the one before")


def _expired(seen: Observation, session: _Session | None, _: _Conversations) -> Iterator[Misuse]:
    if seen.status == 404 and session is not None and session.refused:
        problem = "the session was refused as unknown before, and the client sends its id again"
        yield _finding("expired-not-recreated", seen, session, 0, problem, "create a new session after a 404")


def _lost_choices(seen: Observation, session: _Session | None, _: _Conversations) -> Iterator[Misuse]:
    number = seen.sent.get("n")
    uses = bool(_named(seen)) or seen.sent.get("create_session") is True
    if uses and isinstance(number, int) and number > 1 and seen.status == 200:
        lost = dict[int, str]()
        for index, part in _indexed_parts(seen):
            if index:
                lost[index] = lost.get(index, "") + str(part.get("content") or "")
        problem = f"the session stores the first of {number} choices; the others are not part of it"
        yield _finding(
            "lost-choices", seen, session, count_tokens(*lost.values()), problem, "send `n` without a session"
        )


def _call_unanswered(seen: Observation, session: _Session | None, _: _Conversations) -> Iterator[Misuse]:
    if session is None or seen.status != 200 or not session.answer.get("tool_calls"):
        return
    if not any(message.get("role") in ("tool", "function") for message in seen.messages):
        problem = "the answer before called a tool, and this turn has no result of it"
        remedy = "send the result as a message of role `tool`"
        yield _finding("call-unanswered", seen, session, 0, problem, remedy)


def _turn_repeated(seen: Observation, session: _Session | None, _: _Conversations) -> Iterator[Misuse]:
    """A client that retries does not know that its turn was stored."""
    latest = session.latest if session is not None else None
    if latest is None or seen.status != 200 or latest.body != seen.body:
        return
    if latest.faults or seen.headers.get("x-stainless-retry-count", "0") != "0":
        tokens = count_tokens(*texts_of([*map(_readable, seen.messages)]))
        problem = f"the turn of request {latest.number} was stored before its answer was lost, and is stored again"
        yield _finding("turn-repeated", seen, session, tokens, problem, "don't retry a turn of a session by itself")


_Rule = Callable[[Observation, "_Session | None", _Conversations], Iterator[Misuse]]
_RULES: tuple[_Rule, ...] = (
    *(_history_resent, _instructions_resent, _session_per_turn, _id_dropped, _other_field, _null_id),
    *(_create_and_store, _two_users, _parallel_turns, _expired, _lost_choices, _call_unanswered, _turn_repeated),
)


def _finding(rule: str, seen: Observation, session: _Session | None, tokens: int, problem: str, remedy: str) -> Misuse:
    id, turn = (session.id, session.turns + 1) if session else ("", 1)
    return Misuse(rule, seen.number, id, turn, tokens, problem, remedy)


def _named(seen: Observation) -> str:
    value = seen.sent.get("store_in_session")
    return value.lower() if isinstance(value, str) else ""


def _creates(seen: Observation) -> bool:
    return seen.sent.get("create_session") is True and not _named(seen) and seen.status == 200


def _other_name(seen: Observation) -> tuple[str, str]:
    """Return the place and the value of a session under a name that the API ignores, empty without one."""
    places = (
        *((f"the field `{name}`", seen.sent.get(name)) for name in sorted(_OTHER_NAMES)),
        *((f"the query parameter `{name}`", value) for name, value in seen.query if name in _QUERY_NAMES),
        *((f"the header `{name}`", seen.headers.get(name)) for name in sorted(_OTHER_HEADERS)),
    )
    return next(((place, str(value)) for place, value in places if value), ("", ""))


def _user(seen: Observation) -> str:
    fields = (seen.sent.get(name) for name in _USER_FIELDS)
    headers = (seen.headers.get(name) for name in _USER_HEADERS)
    return next((str(value) for value in (*fields, *headers) if value), "")


def _client(seen: Observation) -> tuple[str, str]:
    return seen.agent, _user(seen)


def _answer(seen: Observation) -> Mapping[str, Any]:
    """Return the message of choice 0, put together from its deltas."""
    content, calls = "", list[Any]()
    for index, part in _indexed_parts(seen):
        if index == 0:
            content += str(part.get("content") or "")
            found = part.get("tool_calls")
            calls += found if isinstance(found, list) else ()
    return {"role": "assistant", "content": content, "tool_calls": calls}


def _indexed_parts(seen: Observation) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the message of each choice, or its delta in each chunk, with the index of the choice."""
    for choice in seen.choices:
        part, index = choice.get("message", choice.get("delta")), choice.get("index", 0)
        if isinstance(part, dict) and isinstance(index, int):
            yield index, part


def _readable(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message whose text can be read: what the schema doesn't allow was refused, but may be recorded."""
    content = message.get("content")
    if isinstance(content, list):
        parts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
        content = " ".join(parts)
    return {**message, "content": content if isinstance(content, str) else ""}


def _content(message: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a message is compared by: its role, and the beginning of its text or the ids of its calls."""
    calls = message.get("tool_calls")
    ids = [str(call.get("id")) for call in calls if isinstance(call, dict) and call.get("id")] if calls else []
    return str(message.get("role")), _readable(message)["content"][:_COMPARED].strip() or " ".join(ids)


def _is_in(message: Mapping[str, Any], contents: Iterable[tuple[str, str]]) -> bool:
    role, text = _content(message)
    return bool(text) and any(
        role == one and (text == other or (role == "assistant" and len(other) > 20 and text.startswith(other)))
        for one, other in contents
    )


def _continues(seen: Observation, session: _Session) -> bool:
    """Return whether the request repeats the answer of a session as an earlier turn."""
    return any(one.get("role") == "assistant" and _is_in(one, session.contents) for one in seen.messages[:-1])
