"""The users of a load test. Locust imports this module; nothing else does."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import orjson
from locust import FastHttpUser, events, task
from locust.argument_parser import LocustArgumentParser
from locust.contrib.fasthttp import FAILURE_EXCEPTIONS, ResponseContextManager
from locust.env import Environment

from agent_contract import load_contract
from load_generator.chats import Body, chat_operation, chats_of, with_other_words
from load_generator.options import OPTIONS, TOKEN_VARIABLE
from load_generator.token_times import read_token_times

_CONTRACT = load_contract()
_PATH = chat_operation(_CONTRACT).path
_CHATS = chats_of(_CONTRACT)
#: Ids and numbers in messages, which would make each failure one of its own.
_VARYING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")


@events.init_command_line_parser.add_listener
def _add_options(parser: LocustArgumentParser) -> None:
    """Add the options of the users to Locust's own. A master sends them to its workers."""
    for option in OPTIONS:
        parser.add_argument(option.name, type=option.type, default=option.default, help=option.help)
    parser.add_argument(
        "--token", env_var=TOKEN_VARIABLE, default="", include_in_web_ui=False, is_secret=True, help="Access token."
    )


class _ChatUser(FastHttpUser):
    """Sends chats to one agent. Each user has words of its own."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        options: Any = environment.parsed_options
        self.turns, self.max_tokens, self.pause = options.turns, options.max_tokens, options.pause
        self.path = _PATH.format(agent_id=quote(options.agent, safe=""))
        self.sent_headers = {"authorization": f"Bearer {options.token}"} if options.token else {}
        who = uuid4().hex[:8]
        self.plain = with_other_words(_CHATS.plain, who)
        self.streamed = with_other_words(_CHATS.streamed, who)

    def wait_time(self) -> float:
        """Return the seconds between two requests of a user."""
        return float(self.pause)

    def send(self, name: str, body: Body, **more: Any) -> ResponseContextManager:
        """Send a chat. The answer is a context manager, which reports the request at its end."""
        if self.max_tokens:
            body = {**body, "max_tokens": self.max_tokens}
        return self.client.post(self.path, json=body, name=name, headers=self.sent_headers, catch_response=True, **more)


class ChatUser(_ChatUser):
    """A user who asks, and gets each answer as a whole."""

    @task
    def chat(self) -> None:
        """Send one chat."""
        with self.send("chat", next(self.plain)) as response:
            _answer(response)


class StreamUser(_ChatUser):
    """A user who reads answers as a stream of tokens."""

    @task
    def stream(self) -> None:
        """Send one chat and measure when its tokens arrive."""
        sent = time.perf_counter()
        with self.send("stream", next(self.streamed), stream=True) as response:
            if response.status_code != 200:
                _answer(response)
                return
            times = read_token_times(_lines(response, sent))
            response.request_meta["response_time"] = (time.perf_counter() - sent) * 1000
            response.request_meta["response_length"] = times.size
            if times.problem:
                response.failure(times.problem)
        stats = self.environment.stats
        if times.first is not None:
            # Entries of their own: they are not requests, so the totals don't count them.
            stats.get("stream", "TTFT").log(times.first * 1000, 0)
        for gap in times.gaps:
            stats.get("stream", "gap").log(gap * 1000, 0)


class SessionUser(_ChatUser):
    """A user who talks in sessions: the server keeps what was said before."""

    @task
    def session(self) -> None:
        """Create a session and extend it, one turn after the other."""
        with self.send("session, first turn", {**next(self.plain), "create_session": True}) as response:
            session = (_answer(response) or {}).get("session_id")
            if response.status_code == 200 and not session:
                response.failure("the answer has no session_id")
        for _ in range(self.turns - 1 if session else 0):
            self.wait()
            with self.send("session, next turn", {**next(self.plain), "store_in_session": session}) as response:
                if _answer(response) is None:
                    return


def _lines(response: ResponseContextManager, sent: float) -> Iterator[tuple[float, bytes]]:
    """Yield the lines of a stream as they arrive, each with the seconds since the request was sent."""
    try:
        while line := response.stream.readline(b"\n"):
            yield time.perf_counter() - sent, line
    except FAILURE_EXCEPTIONS:  # the stream is reported as incomplete
        return


def _answer(response: ResponseContextManager) -> dict[str, Any] | None:
    """Return the answer of a chat, None after reporting why it is a failure."""
    if not response.status_code:
        return None  # Locust reports the error of the connection
    try:
        value = orjson.loads(response.content or b"")
    except ValueError:
        value = None
    if response.status_code == 200 and isinstance(value, dict) and value.get("choices"):
        return value
    reason = value.get("detail") if isinstance(value, dict) else "the answer is not JSON"
    response.failure(f"{response.status_code}: {_VARYING.sub('…', str(reason))[:200]}")
    return None
