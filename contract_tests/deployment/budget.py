"""What a run may cost a deployment: requests, tokens, time, and sessions that remain."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from contract_tests.deployment.payloads import MAX_TOKENS
from contract_tests.deployment.rate_limit import RateLimiter
from contract_tests.verdict import Finding, NotPassed, not_tested
from contract_tests.wire import stream_rules

if TYPE_CHECKING:
    from contract_tests.wire.exchange import Exchange

#: The reason of a clause that an option of the user skips.
NO_SESSIONS = "it takes a session, and --no-sessions creates none"
#: The reason of a clause that needs an object created by the run: an agent, or a knowledge base.
NOT_MANAGED = "it takes an object of its own, and --manage creates some"
BY_CHOICE = (NO_SESSIONS, NOT_MANAGED)
#: What a chat template adds to each message, generously, and what a session holds at most: it is kept short.
A_MESSAGE = 16
A_SESSION = 600
#: Requests of a run that are kept for the operations around the chat, if more are left than the chat needs.
AROUND = 300
FOR_CHAT = 200
#: A server is not expected to grant more choices than this.
MOST_CHOICES = 128


@dataclass(slots=True)
class Budget:
    """What a run may spend, and has spent; `most_tokens` 0 is without limit.

    `tokens` also counts requests under way and answers without a count.
    """

    most: int
    most_tokens: int = 0
    no_sessions: bool = False
    limiter: RateLimiter = field(default_factory=RateLimiter)
    sent: int = 0
    tokens: int = 0
    counted: int = 0  #: the tokens that answers counted
    _added: int = 0  #: tokens that the agent itself added to a request, its instructions for example: the most seen
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def left(self) -> int:
        """How many requests may still be sent; none after the deadline."""
        return self.most - self.sent if self.limiter.left > 0 else 0

    def spend(self) -> None:
        """Count one request when its turn has come; raises the verdict `not tested` if none may be sent."""
        self.limiter.wait_for_turn()
        with self._lock:
            if self.most <= self.sent:
                raise not_tested(f"request budget: all {self.most} requests were used")
            self.sent += 1

    def reserve(self, content: bytes) -> int:
        """Set tokens aside for a request's body and return how many.

        Raises the verdict `not tested` if the budget has too few left, and `skipped` if the request would create
        a session and `--no-sessions` was given.
        """
        body = _parsed(content)
        if self.no_sessions and names_a_session(body):
            raise NotPassed(Finding("skipped", NO_SESSIONS))
        with self._lock:
            bound = tokens_at_most(body) + self._added
            if self.most_tokens and self.tokens + bound > self.most_tokens:
                raise not_tested(f"token budget: {self.tokens} of {self.most_tokens} were used, this may take {bound}")
            self.tokens += bound
        return bound

    def settle(self, reserved: int, exchange: Exchange) -> None:
        """Replace the tokens that were set aside by those that the answer counted."""
        counted = tokens_counted(exchange)
        with self._lock:
            self.tokens += (reserved if counted is None else counted) - reserved
            if counted is not None:
                self.counted += counted
                self._added = max(self._added, counted - reserved + self._added)


def chat_share(most: int, breadth: str) -> int:
    """Return how many of a run's requests generated chat requests may use.

    With breadth `deep` they may use all.
    """
    return most if breadth == "deep" else max(most - AROUND, min(most, FOR_CHAT))


def tokens_at_most(body: Any) -> int:
    """Return the most tokens that a request can cost, its prompt and its answers: a token has at least one byte.

    What the agent adds of its own, instructions and knowledge, can't be known.
    """
    if not isinstance(body, dict):
        return 0
    messages = next((body[name] for name in ("messages", "prompt", "input") if body.get(name)), None)
    if not isinstance(messages, list | str):
        return 0
    messages = [messages] if isinstance(messages, str) else messages
    prompt = len(json.dumps(messages, ensure_ascii=False, default=str).encode(errors="replace"))
    context = A_SESSION if isinstance(body.get("store_in_session"), str) else 0
    answers = min(_count(body.get("n"), 1), MOST_CHOICES) * _count(body.get("max_tokens"), MAX_TOKENS)
    return prompt + A_MESSAGE * len(messages) + context + answers


def tokens_counted(exchange: Exchange) -> int | None:
    """Return the tokens that an answer counts, 0 for a refusal, None without a count."""
    if exchange.status and exchange.status != 200:
        return 0
    if exchange.media_type == "text/event-stream":
        found = stream_rules.usages(exchange.events)
        usage: object = found[-1][1] if found else None
    else:
        value = exchange.json()
        usage = value.get("usage") if isinstance(value, dict) else None
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) and total >= 0 else None


def names_a_session(body: Any) -> bool:
    """Return whether a request may create a session: it asks for one, or names one that a server may then create."""
    return bool(session_of(body)) or (isinstance(body, dict) and body.get("create_session") is True)


def session_of(body: Any) -> str:
    """Return the session that a request names; empty if it names none."""
    named = body.get("store_in_session") if isinstance(body, dict) else None
    return named if isinstance(named, str) and _is_uuid(named) else ""


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


def _count(value: object, otherwise: int) -> int:
    return int(value) if isinstance(value, int | float) and 1 <= value < 1e9 else otherwise


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
