"""Sessions: created, used, extended, kept apart."""

from __future__ import annotations

import json

import pytest

from agent_contract.messages import JSON
from contract_tests.assertions import expect, session_leaks
from contract_tests.assertions.session_leaks import HI
from contract_tests.assertions.sessions import (
    SLACK,
    ObservedSession,
    PromptSizes,
    at_once,
    created,
    extended,
    prompt,
    replayed,
    session_id,
    size,
    talk,
    text_of,
)
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.payloads import NEXT, STORY, plain, turn
from contract_tests.suite.constants import UUID
from contract_tests.verdict import NotPassed, failed, no_further_finding, not_tested
from contract_tests.wire import stream_rules
from contract_tests.wire.exchange import Exchange

NARRATOR: list[JSON] = [{"role": "narrator", "content": text_of(STORY)}]


def _counts(session: ObservedSession) -> list[int]:
    return [prompt(exchange) for exchange in session.turns]


@pytest.mark.clause("chat.session-created")
def test_a_new_session_has_an_id(deployment: Deployment) -> None:
    """The id is a uuid."""
    exchange = deployment.chat(turn(STORY, create_session=True))
    expect.status(exchange, expect.OK)
    id = session_id(exchange)
    if not UUID.fullmatch(id):
        raise failed("a session_id that is a uuid", json.dumps(id or None), exchange)


@pytest.mark.clause("chat.session-fresh")
def test_each_new_session_has_an_id_of_its_own(deployment: Deployment) -> None:
    """Though the requests are the same."""
    sessions = [created(deployment), created(deployment, 1), created(deployment, 2, HI)]
    ids = [session.id for session in sessions]
    if len(set(ids)) < len(ids):
        raise failed(f"{len(ids)} ids", json.dumps(ids), *(session.last for session in sessions))


@pytest.mark.clause("chat.session-used")
def test_a_turn_in_a_session_is_accepted(deployment: Deployment) -> None:
    """The session exists: it was just created."""
    session = created(deployment)
    expect.status(deployment.chat(turn(NEXT, session.id), again=1), expect.OK, after=session.turns)


@pytest.mark.clause("chat.session-used")
def test_a_session_is_context(deployment: Deployment) -> None:
    """The same message counts more in a session than without one."""
    if (alone := _size_unless_recalled(deployment, 0)) is None:
        return
    session = talk(deployment)
    counts = _counts(session)[1:]
    if max(counts) <= alone.short:
        expected = f"prompt_tokens over {alone.short}, what the message alone counts"
        raise failed(expected, f"{counts}", *alone.exchanges, *session.turns)
    # Without its first turn, which has a clause of its own: are the others there, and is what was said in them?
    _compare_with_replay(deployment, session, session.turns[1:])


@pytest.mark.clause("chat.session-first-turn")
def test_the_first_turn_is_context(deployment: Deployment) -> None:
    """It is the longest: all later turns count more than it alone."""
    if (alone := _size_unless_recalled(deployment, 0)) is None:
        return
    session = talk(deployment)
    counts = _counts(session)[1:]
    if max(counts) <= alone.short:
        raise not_tested("the session does not add context")
    if min(counts) <= alone.long:
        expected = f"prompt_tokens over {alone.long}, what the first turn counts, in all later ones"
        raise failed(expected, f"{counts}", *alone.exchanges, *session.turns)
    _compare_with_replay(deployment, session, session.turns[:2])


@pytest.mark.clause("chat.session-extended")
def test_each_turn_is_context_for_the_next(deployment: Deployment) -> None:
    """The same message counts more from turn to turn."""
    if (alone := _size_unless_recalled(deployment, 1)) is None:
        return
    session = talk(deployment)
    counts = _counts(session)[1:]
    if max(counts) <= alone.short:
        raise not_tested("the session does not add context")
    if sorted(set(counts)) != counts:
        raise failed("prompt_tokens that grow from turn to turn", f"{counts}", *alone.exchanges, *session.turns)
    _compare_with_replay(deployment, session, session.turns)


def _size_unless_recalled(deployment: Deployment, *turns: int, stream: bool = False) -> PromptSizes | None:
    """Return what messages count alone; None if counts decide nothing and the model recalls the words of these turns.

    With `stream`, the turns and the question are streamed.
    """
    try:
        return size(deployment)
    except NotPassed as undecided:
        recalled = session_leaks.recalled(deployment, stream) if undecided.finding.word == "warning" else frozenset()
        words = session_leaks.code_words(deployment)
        if not recalled.issuperset(words[turn] for turn in turns):
            raise
        return None


def _compare_with_replay(deployment: Deployment, session: ObservedSession, turns: tuple[Exchange, ...]) -> None:
    """Want that the last of these turns of a session counts what it counts when all of them are sent with it.

    Nothing is said of a conversation that can't be sent so: one with an empty answer, or with a refused role.
    """
    messages = replayed(turns)
    exchange = deployment.chat(turn(messages)) if messages else None
    if exchange is None or exchange.status != expect.OK:
        return
    if prompt(turns[-1]) < prompt(exchange) - SLACK:
        expected = f"prompt_tokens {prompt(exchange)}, as when the whole conversation is sent with the message"
        raise failed(expected, f"{prompt(turns[-1])}", exchange, *session.turns[: session.turns.index(turns[-1]) + 1])


@pytest.mark.clause("chat.session-isolated")
def test_a_session_is_not_context_without_it(deployment: Deployment) -> None:
    """A message without a session counts after a conversation what it counted before.

    The conversation is a new one: what was said in the last of all is the likeliest to be taken along.
    """
    if (alone := _size_unless_recalled(deployment, 0, 1)) is None:
        return  # the next test decides it by what the model recalls
    session = extended(deployment, created(deployment, 8))
    exchange = deployment.chat(turn(), again=2)
    if prompt(exchange) != alone.short:
        expected = f"prompt_tokens {alone.short}, as before"
        raise failed(expected, f"{prompt(exchange)}", *alone.exchanges, *session.turns, exchange)


@pytest.mark.clause("chat.session-isolated")
def test_a_session_is_not_context_for_another(deployment: Deployment) -> None:
    """By what its turns count; if counts vary from call to call, by their trend; and by what the model recalls."""
    try:
        session_leaks.want_no_growth(deployment, size(deployment))
    except NotPassed as undecided:
        if undecided.finding.word != "warning":
            raise
        session_leaks.want_no_trend(deployment)
        if not session_leaks.want_no_recall(deployment):
            raise
    session_leaks.want_no_recall(deployment)


@pytest.mark.clause("chat.session-streamed")
def test_a_stream_opens_a_session(deployment: Deployment) -> None:
    """Any of its chunks may name it; what was said is context for a plain turn."""
    alone, session = _size_unless_recalled(deployment, 0, stream=True), _streamed(deployment)
    expect.status(deployment.chat(turn(NEXT, session.id), again=1), expect.OK, after=session.turns)
    if alone is None:
        return
    session = extended(deployment, session)
    if prompt(session.last) <= alone.long:
        expected = f"prompt_tokens over {alone.long}, what the streamed turn counts"
        raise failed(expected, f"{prompt(session.last)}", *alone.exchanges, *session.turns)


@pytest.mark.clause("chat.session-streamed")
def test_a_stream_extends_a_session(deployment: Deployment) -> None:
    """What was streamed into it is context for the plain turn after it."""
    if (alone := _size_unless_recalled(deployment, 0, 1, stream=True)) is None:
        return
    session = extended(deployment, created(deployment, 3, HI))
    before = prompt(session.last)
    session = extended(deployment, session, STORY, stream=True)
    session = extended(deployment, session)
    if prompt(session.last) < before + alone.story:
        expected = f"prompt_tokens of at least {before} + {alone.story}, for the turn that was streamed"
        raise failed(expected, f"{prompt(session.last)}", *alone.exchanges, *session.turns)


@pytest.mark.clause("chat.session-streamed")
def test_a_streamed_turn_uses_its_session(deployment: Deployment) -> None:
    """By the usage that the stream carries when it is asked for; a server that has none is judged by the others."""
    if (alone := _size_unless_recalled(deployment, 0, 1, stream=True)) is None:
        return
    session = created(deployment, 7)
    if "stream_options" in deployment.newer_fields():
        raise no_further_finding("this version has no usage in streams")
    exchange = deployment.chat(turn(NEXT, session.id, stream=True, stream_options={"include_usage": True}))
    given = stream_rules.usages(exchange.events)
    count = given[-1][1].get("prompt_tokens") if given else None
    if exchange.status != expect.OK or not isinstance(count, int):
        raise no_further_finding(f"no usage to look at: {exchange.described()}")
    if count <= alone.long:
        expected = f"prompt_tokens over {alone.long}, what the first turn counts"
        raise failed(expected, f"{count}", *alone.exchanges, *session.turns, exchange)


@pytest.mark.clause("chat.stream-session-id")
def test_each_chunk_names_the_session(deployment: Deployment) -> None:
    """Which of them do is not documented."""
    session = _streamed(deployment)
    named = [chunk.value.get("session_id") for chunk in stream_rules.chunks(session.last.events)]
    without = sum(id != session.id for id in named)
    if without or not named:
        raise failed("the session's id in each chunk", f"{without} of {len(named)} chunks without it", session.last)


@pytest.mark.clause("chat.session-id-echoed")
def test_a_turn_names_its_session(deployment: Deployment) -> None:
    """The answer repeats the id."""
    session = extended(deployment, created(deployment))
    if session_id(session.last) != session.id:
        raise failed(f"session_id {session.id}", json.dumps(session_id(session.last) or None), *session.turns)


@pytest.mark.clause("chat.session-create-and-store")
def test_a_named_session_is_extended_rather_than_one_created(deployment: Deployment) -> None:
    """The request asks for both."""
    session = created(deployment, 4, HI)
    exchange = deployment.chat(turn(NEXT, session.id, create_session=True))
    expect.status(exchange, expect.OK, after=session.turns)
    if session_id(exchange) not in (session.id, ""):
        raise failed(f"session_id {session.id}, the one that was named", session_id(exchange), *session.turns, exchange)


@pytest.mark.clause("chat.session-unknown")
def test_an_unknown_session_is_refused(deployment: Deployment) -> None:
    """The id is a fresh uuid."""
    expect.refused(deployment.chat(plain(store_in_session=deployment.unknown_id("session"))))


@pytest.mark.clause("chat.session-unknown-status")
def test_an_unknown_session_is_not_found(deployment: Deployment) -> None:
    """As an unknown agent is."""
    exchange = deployment.chat(plain(store_in_session=deployment.unknown_id("session")))
    expect.status(exchange, expect.NOT_FOUND)


@pytest.mark.clause("chat.session-refused-turn")
def test_a_refused_turn_is_not_stored(deployment: Deployment) -> None:
    """It would have been a long one."""
    alone = size(deployment)
    session = extended(deployment, created(deployment, 5, HI))
    before = prompt(session.last)
    refused = deployment.chat(turn(NARRATOR, session.id))
    if refused.status not in range(400, 500):
        raise not_tested(f"the turn is not refused: {refused.described()}")
    session = extended(deployment, session)
    if prompt(session.last) >= before + alone.story:
        expected = f"prompt_tokens under {before} + {alone.story}, what the refused turn would add"
        evidence = (*alone.exchanges, *session.turns[:-1], refused, session.last)
        raise failed(expected, f"{prompt(session.last)}", *evidence)


@pytest.mark.clause("chat.session-concurrent")
def test_two_turns_at_once_are_both_stored(deployment: Deployment) -> None:
    """Both are long."""
    alone = size(deployment)
    session = extended(deployment, created(deployment, 6, HI))
    before = prompt(session.last)
    both = at_once(deployment, session)
    for exchange in both:
        expect.status(exchange, expect.OK, after=session.turns)
    session = extended(deployment, session)
    if prompt(session.last) < before + 2 * alone.story:
        expected = f"prompt_tokens of at least {before} + 2 * {alone.story}, for two turns"
        evidence = (*alone.exchanges, *session.turns[:-1], *both, session.last)
        raise failed(expected, f"{prompt(session.last)}", *evidence)


def _streamed(deployment: Deployment) -> ObservedSession:
    """Return a session that a streamed request opened; a stream that names none has opened none."""
    exchange = deployment.chat(turn(STORY, create_session=True, stream=True))
    id = session_id(exchange)
    if exchange.status != expect.OK or exchange.media_type != "text/event-stream":
        raise not_tested(f"no stream to look at: {exchange.described()}")
    if not id:
        raise failed("a session_id in one of the chunks", "none", exchange)
    return ObservedSession(id, 0, (exchange,))
