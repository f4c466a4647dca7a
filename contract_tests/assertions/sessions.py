"""Sessions observed through prompt tokens: the count shows what a server remembers.

The same short message is sent with and without a session. A first turn is long and the others short, so that what
was forgotten shows; all of a session stays under five hundred characters, so that nothing needs summarizing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from contract_tests.assertions import expect
from contract_tests.deployment.payloads import NEXT, STORY, turn
from contract_tests.verdict import not_tested, warning
from contract_tests.wire import stream_rules
from contract_tests.wire.exchange import Exchange

if TYPE_CHECKING:
    from agent_contract.messages import JSON
    from contract_tests.deployment.deployment import Deployment

#: A conversation that is kept may be cut into tokens a little differently than one that is sent.
SLACK = 2
#: Labels of the requests whose counts must agree: counts that vary in eight steps agree by chance once in 512 runs.
STEADY = (0, 1, 4, 5)


@dataclass(frozen=True, slots=True)
class PromptSizes:
    """Prompt tokens of the short and the long message without a session; `exchanges` are the two exchanges."""

    short: int
    long: int
    exchanges: tuple[Exchange, Exchange]

    @property
    def story(self) -> int:
        """The additional tokens if the context contains the long message too."""
        return self.long - self.short


@dataclass(frozen=True, slots=True)
class ObservedSession:
    """A session's id and its exchanges, in order; `label` distinguishes sessions."""

    id: str
    label: int
    turns: tuple[Exchange, ...]

    @property
    def last(self) -> Exchange:
        """The last turn."""
        return self.turns[-1]


def session_id(exchange: Exchange) -> str:
    """Return the session that a plain answer or a stream names; empty if it names none."""
    if exchange.media_type == "text/event-stream":
        named = [chunk.value.get("session_id") for chunk in stream_rules.chunks(exchange.events)]
        return next((id for id in named if isinstance(id, str)), "")
    value = exchange.json()
    id = value.get("session_id") if isinstance(value, dict) else None
    return id if isinstance(id, str) else ""


def created(deployment: Deployment, label: int = 0, messages: list[JSON] = STORY, **fields: JSON) -> ObservedSession:
    """Return a new session that was opened with these messages."""
    exchange = deployment.chat(turn(messages, create_session=True, **fields), again=label)
    id = session_id(exchange)
    if exchange.status != expect.OK or not id:
        raise not_tested(f"no session was created: {exchange.described()}")
    return ObservedSession(id, label, (exchange,))


def extended(
    deployment: Deployment, session: ObservedSession, messages: list[JSON] = NEXT, **fields: JSON
) -> ObservedSession:
    """Return the session after one more turn; raises the verdict `not tested` if the turn is refused."""
    exchange = deployment.chat(turn(messages, session.id, **fields), again=len(session.turns))
    if exchange.status != expect.OK:
        raise not_tested(f"a turn in a session is not answered: {exchange.described()}")
    return ObservedSession(session.id, session.label, (*session.turns, exchange))


def talk(deployment: Deployment, turns: int = 4) -> ObservedSession:
    """Return a session with this number of turns, the first of them long."""
    session = created(deployment)
    for _ in range(turns - 1):
        session = extended(deployment, session)
    return session


def size(deployment: Deployment) -> PromptSizes:
    """Return the prompt tokens of the two messages without a session.

    Raises the verdict `warning` if the counts vary from call to call or with the agent's knowledge, because then they
    prove nothing.
    """
    shorts = [deployment.chat(turn(), again=label) for label in STEADY]
    long = deployment.chat(turn(STORY))
    if all(expect.usage(exchange).get("prompt_tokens") is None for exchange in (*shorts, long)):
        raise warning("undecidable: the server does not count tokens", *shorts, long)
    counts = [prompt(exchange) for exchange in shorts]
    if any(expect.answer(exchange).get("index_context_info") for exchange in (*shorts, long)):
        raise warning("undecidable: the agent's knowledge changes prompt_tokens", *shorts, long)
    if len(set(counts)) > 1:
        varying = ", ".join(map(str, counts))
        raise warning(f"undecidable: prompt_tokens vary from call to call ({varying})", *shorts)
    if prompt(long) <= counts[0]:
        reason = f"undecidable: prompt_tokens don't grow with the prompt ({counts[0]}, {prompt(long)})"
        raise warning(reason, shorts[0], long)
    return PromptSizes(counts[0], prompt(long), (shorts[0], long))


def replayed(turns: Sequence[Exchange]) -> list[JSON]:
    """Return a conversation up to its last message, as the messages of one request; none if it can't be.

    An empty answer can't be sent: a server may refuse it.
    """
    messages: list[JSON] = []
    for exchange in turns[:-1]:
        said = expect.content(expect.choices(exchange)[0])
        if not said.strip():
            return []
        messages += [*json.loads(exchange.request.body)["messages"], {"role": "assistant", "content": said}]
    return [*messages, *json.loads(turns[-1].request.body)["messages"]]


def at_once(deployment: Deployment, session: ObservedSession) -> list[Exchange]:
    """Send two long turns into the session at the same time and return what they got."""
    story = text_of(STORY)
    bodies = [turn([{"role": "user", "content": f"{number}. {story}"}], session.id) for number in (1, 2)]
    return together([partial(deployment.chat, body) for body in bodies])


def together(calls: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
    """Make the calls at the same time and return their results; an exception of the first of them is raised.

    An interruption ends it at once, without waiting for threads.
    """
    done: SimpleQueue[tuple[int, Exchange | Exception]] = SimpleQueue()

    def make(place: int) -> None:
        try:
            done.put((place, calls[place]()))
        except Exception as error:
            done.put((place, error))

    for place in range(len(calls)):
        Thread(target=make, args=(place,), daemon=True).start()
    found = dict(done.get() for _ in calls)
    for place in range(len(calls)):
        if isinstance(error := found[place], Exception):
            raise error
    return [exchange for _, exchange in sorted(found.items()) if isinstance(exchange, Exchange)]


def text_of(messages: Sequence[JSON]) -> str:
    """Return the content of the first message."""
    first = messages[0]
    return str(first["content"]) if isinstance(first, dict) else ""


def prompt(exchange: Exchange) -> int:
    """Return the prompt tokens of an answer."""
    return expect.tokens(exchange, "prompt_tokens")
