"""Sessions: what they keep, what they forget, and which requests see them."""

import hashlib
import itertools
import json
import random
import uuid
from typing import Any

from server_defects.defect import planting
from server_defects.hooks import CHECKS, ChatCall, CheckedAgent, Memory, Message, Payload, Refusal, recall, remember
from server_defects.mutators import refusing
from server_defects.replies import json_reply

plant = planting("sessions")
ONE = "7d7b9d0e-3b0c-4e39-8a3a-2f3d1f6f0a11"
TURNS = itertools.cycle((ONE, "7d7b9d0e-3b0c-4e39-8a3a-2f3d1f6f0a12"))


def without_id(answer: dict[str, Any], call: ChatCall) -> dict[str, Any]:
    """Return an answer without the id of the session."""
    return {**answer, "session_id": None}


def of_content(payload: Payload) -> str:
    """Return a session's id that is made of what was said."""
    digest = hashlib.sha256(json.dumps(payload["messages"], sort_keys=True).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def of_few(payload: Payload) -> str:
    """Return one of two ids, in turn."""
    return next(TURNS)


def if_turn(condition: Any) -> Any:
    """Return a `remember` that stores turns under a condition; every session is known all the same."""

    def remembered(memory: Memory, session: str, turn: list[Message], call: ChatCall) -> None:
        memory.setdefault(session, [])
        if condition(call):
            remember(memory, session, turn, call)

    return remembered


def part_of_turn(part: Any) -> Any:
    """Return a `remember` that stores a part of each turn: a function of the turn and the call."""
    return lambda memory, session, turn, call: remember(memory, session, part(turn, call), call)


def replaced(memory: Memory, session: str, turn: list[Message], call: ChatCall) -> None:
    """Keep the last turn alone."""
    memory[session] = turn


def of_tools(message: Message) -> bool:
    """Whether a message is a call's result, or carries calls."""
    return message["role"] == "tool" or bool(message.get("tool_calls"))


def result_without_call(served: CheckedAgent, agent_id: str, payload: Payload) -> None:
    """Refuse the result of a call that is not in the same request."""
    if payload["messages"][0]["role"] == "tool":
        raise Refusal("tool", 400, "A tool's result must follow its call")


def window(size: int) -> Any:
    """Return a `remember` that keeps the last messages alone."""

    def remembered(memory: Memory, session: str, turn: list[Message], call: ChatCall) -> None:
        memory[session] = [*memory.get(session, []), *turn][-size:]

    return remembered


def everywhere(memory: Memory, session: str, turn: list[Message], call: ChatCall) -> None:
    """Append a turn to every session there is."""
    memory.setdefault(session, [])
    for messages in memory.values():
        messages.extend(turn)


def context(choose: Any) -> Any:
    """Return a `recall` that changes what a known session remembers, by the payload."""
    return lambda memory, session, payload: choose(recall(memory, session, payload), payload)


def leaking(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
    """Return the context of the last session if none is named."""
    if session is None:
        return list(memory[list(memory)[-1]]) if memory else []
    return recall(memory, session, payload)


def all_of_them(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
    """Return the context of all sessions if one is named."""
    recall(memory, session, payload)
    return [message for turns in memory.values() for message in turns] if session else []


def into_new(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
    """Return the context of all sessions if one is created."""
    if session is None and payload.get("create_session"):
        return [message for turns in memory.values() for message in turns]
    return recall(memory, session, payload)


def created_if_unknown(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
    """Return no context for an unknown session, which is created on the way."""
    return list(memory.get(session or "", ()))


def only_when_streaming(turns: list[Message], payload: Payload) -> list[Message]:
    """Return the context for streams alone."""
    return turns if payload.get("stream") else []


def streams_without_id(chunks: list[Any], call: ChatCall) -> list[Any]:
    """Return the chunks without the id of a session that the stream created."""
    return [{key: value for key, value in chunk.items() if key != "session_id"} for chunk in chunks]


CREATED = (
    plant("session-id-missing", "session-created", "Creates a session and keeps its id to itself.", answer=without_id),
    plant(
        "session-id-given-for-streams-alone",
        "session-created",
        "Gives the id of a new session in streams alone.",
        answer=lambda answer, call: {k: v for k, v in answer.items() if k != "session_id"},
    ),
    plant(
        "session-id-a-counter",
        "session-created",
        "Counts its sessions: the id is not a uuid.",
        new_session=lambda payload: f"session-{random.randrange(10**6)}",
    ),
    plant(
        "session-id-elsewhere",
        "session-created",
        "Calls the session's id `sessionId`.",
        answer=lambda answer, call: {("sessionId" if k == "session_id" else k): v for k, v in answer.items()},
    ),
    plant(
        "session-always-the-same",
        "session-fresh",
        "Opens the same session every time.",
        new_session=lambda payload: ONE,
    ),
    plant("session-of-content", "session-fresh", "Makes a session's id of what was said.", new_session=of_content),
    plant("session-of-few", "session-fresh", "Has two sessions and gives them out in turn.", new_session=of_few),
)
KEPT = (
    plant(
        "first-turn-forgotten",
        "session-first-turn",
        "Does not store the turn that opens a session.",
        remember=if_turn(lambda call: not call.created_session),
    ),
    plant(
        "first-answer-alone",
        "session-first-turn",
        "Stores of the first turn the answer alone.",
        remember=part_of_turn(lambda turn, call: turn[-1:] if call.created_session else turn),
    ),
    plant("first-turn-drops-out", "session-first-turn", "Drops the first turn with the third.", remember=window(4)),
    plant(
        "first-answer-forgotten",
        "session-first-turn",
        "Stores of the first turn the user's part alone.",
        remember=part_of_turn(lambda turn, call: turn[:-1] if call.created_session else turn),
    ),
    plant(
        "session-ignored",
        "session-used",
        "Answers as if no session were named.",
        recall=context(lambda turns, payload: []),
    ),
    plant(
        "session-ignored-in-plain-calls",
        "session-used",
        "Uses a session in streams alone.",
        recall=context(only_when_streaming),
    ),
    plant(
        "session-roles-alone",
        "session-first-turn",
        "Loses the content of what it stored.",
        recall=context(lambda turns, payload: [{**turn, "content": ""} for turn in turns]),
    ),
    plant(
        "session-not-extended",
        "session-extended",
        "Stores the first turn and no later one.",
        remember=if_turn(lambda call: call.created_session),
    ),
    plant(
        "session-last-turn-alone",
        "session-extended",
        "Puts each turn in the place of the one before.",
        remember=replaced,
    ),
    plant(
        "session-user-turns-alone",
        "session-extended",
        "Stores the user's messages and no answers.",
        remember=part_of_turn(lambda turn, call: turn[:-1]),
    ),
    plant(
        "session-answers-alone",
        "session-extended",
        "Stores of later turns the answers alone.",
        remember=part_of_turn(lambda turn, call: turn if call.created_session else turn[-1:]),
    ),
    plant(
        "session-without-tool-turns",
        "session-tool-turns",
        "Stores neither calls nor their results.",
        remember=part_of_turn(lambda turn, call: [message for message in turn if not of_tools(message)]),
    ),
    plant(
        "session-without-results",
        "session-tool-turns",
        "Stores calls, and no results.",
        remember=part_of_turn(lambda turn, call: [message for message in turn if message["role"] != "tool"]),
    ),
    plant(
        "session-without-calls",
        "session-tool-turns",
        "Stores of a message with calls the content alone.",
        remember=part_of_turn(lambda turn, call: [{**message, "tool_calls": None} for message in turn]),
    ),
    plant(
        "session-result-refused",
        "session-tool-turns",
        "Refuses the result of a call that its session has, unless the call is sent with it.",
        checks=(*CHECKS, result_without_call),
    ),
    plant(
        "session-extended-by-chance",
        "session-extended",
        "Extends a session only if it is created again.",
        remember=if_turn(lambda call: bool(call.payload.get("create_session"))),
    ),
)
APART = (
    plant(
        "session-leaks-into-plain-calls",
        "session-isolated",
        "Answers without a session from the last one.",
        recall=leaking,
    ),
    plant(
        "session-shared", "session-isolated", "Keeps what is said in one session in every other.", remember=everywhere
    ),
    plant("session-of-all", "session-isolated", "Answers in a session from all of them.", recall=all_of_them),
    plant(
        "session-new-knows-all", "session-isolated", "Opens a session with all that was said before.", recall=into_new
    ),
)
UNKNOWN = (
    plant(
        "session-unknown-created", "session-unknown", "Creates a session that is not known.", recall=created_if_unknown
    ),
    plant(
        "session-unknown-crash",
        "session-unknown",
        "Crashes on a session that is not known.",
        refuse=refusing("session", 500),
    ),
    plant(
        "session-unknown-200",
        "session-unknown",
        "Answers an unknown session with 200 and an error in it.",
        refuse=lambda refusal: json_reply({"detail": refusal.detail}) if refusal.kind == "session" else refusal,
    ),
    plant(
        "session-unknown-503",
        "session-unknown",
        "Answers 503 to an unknown session.",
        refuse=refusing("session", 503),
    ),
)
STREAMED = (
    plant(
        "stream-session-id-missing",
        "session-streamed",
        "Does not give the id of a session that a stream created.",
        chunks=streams_without_id,
    ),
    plant(
        "stream-not-stored",
        "session-streamed",
        "Stores no streamed turn.",
        remember=if_turn(lambda call: not call.streams),
    ),
    plant(
        "stream-session-unused",
        "session-streamed",
        "Uses no session in streams.",
        recall=context(lambda turns, payload: [] if payload.get("stream") else turns),
    ),
    plant(
        "stream-session-lost",
        "session-streamed",
        "Does not know a session that a stream created.",
        remember=lambda memory, session, turn, call: (
            None if call.streams and call.created_session else remember(memory, session, turn, call)
        ),
    ),
    plant(
        "stream-question-lost",
        "session-streamed",
        "Stores of a streamed turn an empty answer and no question.",
        remember=part_of_turn(lambda turn, call: [{"role": "assistant", "content": ""}] if call.streams else turn),
    ),
)
DEFECTS = (*CREATED, *KEPT, *APART, *UNKNOWN, *STREAMED)
