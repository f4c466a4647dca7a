"""Witnesses of a leak between sessions, for servers whose token counts are steady and for those whose counts vary.

| witness | what it compares | it decides if |
| --- | --- | --- |
| growth | the same short turn of a session, before and after a long turn of another session | counts are steady |
| trend | groups of the same request, with long turns of other sessions in between | counts vary from call to call |
| recall | whether a code word of one session is known in another one, or without a session | the model repeats it |

Each witness measures what other sessions add. What a server adds by itself (knowledge, instructions, a preamble, a
summary) is in both sides of each comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from contract_tests.assertions import expect
from contract_tests.assertions.sessions import ObservedSession, PromptSizes, created, extended, prompt, text_of
from contract_tests.deployment.payloads import FORM_TOKENS, NEXT, SESSION_TOKENS, STORY, turn
from contract_tests.verdict import failed
from contract_tests.wire import stream_rules

if TYPE_CHECKING:
    from agent_contract.messages import JSON
    from contract_tests.deployment.deployment import Deployment
    from contract_tests.wire.exchange import Exchange

HI: list[JSON] = [{"role": "user", "content": "Hi."}]
QUESTION: list[JSON] = [{"role": "user", "content": "Which code words do you know? Repeat them."}]
#: Requests in a group, and long turns of other sessions between two groups.
GROUP = 3
BETWEEN = 2
#: Labels of the sessions that are opened here; the tests of sessions use smaller ones.
FIRST_LABEL = 20


def want_no_growth(deployment: Deployment, alone: PromptSizes) -> None:
    """Require that long turns of other sessions, plain or streamed, don't raise the counts of a session.

    The session has six turns in the end: some servers mix sessions up only when a session is long. Another session is
    opened before and after the long turns, and the message is sent without a session, plain and streamed.
    """
    session = created(deployment, 2, HI)
    before = created(deployment, FIRST_LABEL, HI)
    session = extended(deployment, extended(deployment, session))
    usual = prompt(session.last) - prompt(session.turns[-2])
    seen: list[Exchange] = list(session.turns)
    for label, fields in ((7, {}), (0, {"stream": True}), (FIRST_LABEL + 1, {})):
        other = deployment.chat(turn(STORY, create_session=True, **fields), again=label)
        session = extended(deployment, session)
        seen += [other, session.last]
        _want_usual(usual, alone, prompt(session.turns[-2]), prompt(session.last), seen)
    if (streamed := _streamed(deployment, session.id)) is not None:
        exchange, count = streamed
        _want_usual(usual, alone, prompt(session.last), count, [*seen, exchange])
    after = created(deployment, FIRST_LABEL + 2, HI)
    _want_usual(0, alone, prompt(before.last), prompt(after.last), [before.last, *seen, after.last])
    bare = deployment.chat(turn(), again=3)
    _want_usual(0, alone, alone.short, prompt(bare), [*alone.exchanges, *seen, bare])
    if (streamed := _streamed(deployment)) is not None:
        exchange, count = streamed
        _want_usual(0, alone, alone.short, count, [*alone.exchanges, *seen, exchange])


def _want_usual(usual: int, alone: PromptSizes, before: int, after: int, seen: Sequence[Exchange]) -> None:
    """Require that a count has grown as usual, not by a long turn; answers may differ by a few tokens."""
    most = before + usual + alone.story - 2 * SESSION_TOKENS
    if after > most:
        raise failed(
            f"prompt_tokens of at most {most}: a long turn of another session is not context", f"{after}", *seen
        )


def _streamed(deployment: Deployment, session: str = "") -> tuple[Exchange, int] | None:
    """Return a streamed turn and its prompt tokens, None if this version or this server has no usage in streams."""
    if "stream_options" in deployment.newer_fields():
        return None
    exchange = deployment.chat(turn(NEXT, session, stream=True, stream_options={"include_usage": True}))
    given = stream_rules.usages(exchange.events) if exchange.status == expect.OK else []
    count = given[-1][1].get("prompt_tokens") if given else None
    return (exchange, count) if isinstance(count, int) and not isinstance(count, bool) else None


def want_no_trend(deployment: Deployment) -> None:
    """Require that counts which vary from call to call don't rise with long turns of other sessions.

    A rise between two groups counts if the smallest count after it exceeds the largest before it by what the long
    turns hold at least, one token for each word; by chance that happens twice in a row once in 1,680 runs at most.
    """
    least = BETWEEN * len(text_of(STORY).split())
    session = created(deployment, FIRST_LABEL + 3, HI)
    plain: list[list[Exchange]] = []
    within: list[list[Exchange]] = []
    for group in range(3):
        for number in range(BETWEEN if group else 0):
            created(deployment, FIRST_LABEL + 10 * group + number)
        plain.append([deployment.chat(turn(), again=10 * (group + 1) + number) for number in range(GROUP)])
        held = len(session.turns)
        for _ in range(GROUP):
            session = extended(deployment, session)
        within.append(list(session.turns[held:]))
    for groups in (plain, within):
        if all(_lowest(later) - _highest(earlier) >= least for earlier, later in pairwise(groups)):
            counts = "; ".join(", ".join(str(prompt(exchange)) for exchange in group) for group in groups)
            expected = f"prompt_tokens that don't rise by {least} or more whenever other sessions have long turns"
            raise failed(expected, counts, *(exchange for group in groups for exchange in group))


def _lowest(group: Sequence[Exchange]) -> int:
    return min(map(prompt, group))


def _highest(group: Sequence[Exchange]) -> int:
    return max(map(prompt, group))


def want_no_recall(deployment: Deployment) -> bool:
    """Require that no code word of one session is known in another one, or without a session.

    Return whether this could be decided, which needs a model that repeats the words in their own session.
    """
    if not recalled(deployment):
        return False
    own = _taught(deployment)
    other = created(deployment, FIRST_LABEL + 4, HI)
    for exchange in (_questioned(deployment, other), _questioned(deployment)):
        if known := sorted(_known(exchange, code_words(deployment))):
            expected = "an answer without the code words of another session"
            raise failed(expected, f"an answer with {', '.join(known)}", *own.turns, *other.turns, exchange)
    return True


def recalled(deployment: Deployment, stream: bool = False) -> frozenset[str]:
    """Return the code words that the model repeats in the session that contains them.

    With `stream`, the turns are streamed, and a word counts if it is repeated both plainly and in a stream.
    """
    session = _taught(deployment, stream)
    words = _known(_questioned(deployment, session), code_words(deployment))
    return words & _known(_questioned(deployment, session, stream), words) if stream and words else words


def code_words(deployment: Deployment) -> tuple[str, str]:
    """Return the words of a session's first and second turn; a model does not produce them by itself."""
    return deployment.unknown_id("first code word")[:8], deployment.unknown_id("second code word")[:8]


def _taught(deployment: Deployment, stream: bool = False) -> ObservedSession:
    """Return a session with a code word in each of its two turns."""
    first, second = code_words(deployment)
    fields: dict[str, JSON] = {"stream": True} if stream else {}
    label = FIRST_LABEL + (6 if stream else 5)
    return extended(deployment, created(deployment, label, _code_word(first), **fields), _code_word(second), **fields)


def _code_word(word: str) -> list[JSON]:
    return [{"role": "user", "content": f"Remember the code word {word}."}]


def _questioned(deployment: Deployment, session: ObservedSession | None = None, stream: bool = False) -> Exchange:
    fields: dict[str, JSON] = {"stream": True} if stream else {}
    return deployment.chat(turn(QUESTION, session.id if session else "", **{"max_tokens": FORM_TOKENS, **fields}))


def _known(exchange: Exchange, words: Iterable[str]) -> frozenset[str]:
    if exchange.status != expect.OK:
        return frozenset()
    streamed = exchange.media_type == "text/event-stream"
    choices = () if streamed else expect.choices(exchange)
    said = stream_rules.spoken(exchange.events) if streamed else " ".join(map(expect.content, choices))
    return frozenset(word for word in words if word in said.lower())
