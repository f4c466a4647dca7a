"""A mock for one test: a scope of a server that many tests share."""

from __future__ import annotations

import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from agent_contract.document.checked_file import Source
from agent_contract.document.errors import ContractError
from agent_contract.document.reader import parse_text, read_text
from agent_contract.messages import JSON_TYPE, Exchange, Reply, Request
from mockserver.adapters.threaded_server import API, MockServer
from mockserver.analysis.lint_report import describe
from mockserver.analysis.observation import from_entry
from mockserver.analysis.session_lint import Misuse, lint_sessions
from mockserver.build import create_engine, load_engine, own_contract
from mockserver.config import Config, read_config
from mockserver.core.outcome import Outcome
from mockserver.core.scopes import SCOPE_HEADER
from mockserver.core.transaction import Transaction
from mockserver.engine import Engine
from mockserver.operations.agent_store import look_up
from mockserver.operations.session_store import save_session
from mockserver.recording.expectations import Wanted, call_problem, order_problem, tool_problem, usage_problem
from mockserver.recording.explanation import MOST_EXPLAINED, explain
from mockserver.recording.journal import Subject, encode_entry
from mockserver.recording.recorded_request import RecordedRequest
from mockserver.resources.agents import find_configured
from mockserver.resources.sessions import EMPTY
from mockserver.scenarios.rule import Then
from mockserver.testing.clock import Clock

if TYPE_CHECKING:
    import openai

    from mockserver.adapters.httpx2_transport import Httpx2Transport
    from mockserver.adapters.httpx_transport import MockTransport

#: What to do about a refused request.
HINT = "If the test means to break the contract, call agent_mock.expect_rejection(clause) first."
_MOST_REQUESTS = 10_000
_PYTHON = Source("agent_mock")
#: The key of requests that came without the scope of a test.
_UNSCOPED = ""
_UNNAMED = re.compile(r"[^A-Za-z0-9_.-]+")


#: Each is called with every mock at the end of its test.
OBSERVERS: list[Callable[[AgentMock], None]] = []


def _observe(mock: AgentMock) -> None:
    for observer in OBSERVERS:
        observer(mock)


@dataclass
class SharedServer:
    """A running server, and the latest requests of each of its scopes."""

    engine: Engine
    server: MockServer
    requests: dict[str, deque[Exchange]]
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @contextmanager
    def open(self, name: str = "test") -> Iterator[AgentMock]:
        """Open a scope of its own, which is deleted at the end."""
        scope = f"{next(self._numbers)}-{_UNNAMED.sub('-', name)[-80:]}"
        with ExitStack() as opened:
            opened.callback(self._delete, scope)
            mock = AgentMock(self, scope, opened)
            opened.callback(_observe, mock)
            yield mock

    def _delete(self, scope: str) -> None:
        self.engine.reset(scope)
        self.requests.pop(scope, None)


@contextmanager
def serve_mock(
    config: Config | Mapping[str, Any] | Path | str | None = None, error_format: str | None = None
) -> Iterator[SharedServer]:
    """Run a server that tests share. `config` is a configuration, its content as values, or its file."""
    requests: dict[str, deque[Exchange]] = defaultdict(lambda: deque(maxlen=_MOST_REQUESTS))
    lock = threading.Lock()

    def record(exchange: Exchange) -> None:
        if not exchange.request.path.startswith("/__mock__/"):
            with lock:
                requests[exchange.request.headers.get(SCOPE_HEADER, _UNSCOPED)].append(exchange)

    if isinstance(config, (Path, str)):
        engine = load_engine(config=config, journal=record, error_format=error_format)
    else:
        if isinstance(config, Mapping):
            config = read_config(dict(config), Source("agent_mock_config"), Path.cwd())
        config = config or Config()
        config = replace(config, error_format=error_format or config.error_format)
        engine = create_engine(own_contract(), config, listener=record)
    with MockServer(engine) as server:
        yield SharedServer(engine, server, requests)


@contextmanager
def open_mock(config: Config | Mapping[str, Any] | Path | str | None = None) -> Iterator[AgentMock]:
    """Run a server with one mock, for tests without pytest: `with open_mock() as mock:`."""
    with serve_mock(config) as shared, shared.open() as mock:
        yield mock


class AgentMock:
    """The mock of one test. It has its own agents, sessions, rules, faults and requests.

    A client uses it through `base_url`, `client`, `url` or one of the transports.
    """

    def __init__(self, shared: SharedServer, scope: str, opened: ExitStack) -> None:
        self.scope = scope
        #: The URL of the mock for this test, without a path at its end.
        self.url = f"{shared.server.url}/__mock__/scope/{scope}"
        self.engine = shared.engine
        self._server = shared.server
        self._requests = shared.requests[scope]
        self._unscoped = shared.requests[_UNSCOPED]
        self._unscoped.clear()
        #: The clock of this test; `clock.advance(3600)` moves it on.
        self.clock = Clock(shared.engine.scripts, scope, opened)
        #: Whether a rule of this test that was never used fails it.
        self.strict_rules = False
        self._opened = opened
        self._created: dict[str, str] = {}
        self._expected: list[str] = []

    def base_url(self, agent: str = "demo") -> str:
        """Return the base URL for an OpenAI client that uses `agent`: a name, an id, or one that `agent` created."""
        return f"{self.url}{API}/assistants/{self._created.get(agent, agent)}"

    def client(self, agent: str = "demo", **options: Any) -> openai.OpenAI:
        """Return an OpenAI client that uses `agent`; it is closed at the end of the test."""
        made = _openai().OpenAI(**self._client_options(agent, options, is_async=False))
        return self._opened.enter_context(made)  # type: ignore[no-any-return]

    def async_client(self, agent: str = "demo", **options: Any) -> openai.AsyncOpenAI:
        """Return an asynchronous OpenAI client that uses `agent`."""
        return _openai().AsyncOpenAI(**self._client_options(agent, options, is_async=True))  # type: ignore[no-any-return]

    @property
    def transport(self) -> MockTransport:
        """A transport for httpx that answers without a port."""
        from mockserver.adapters.httpx_transport import MockTransport

        return MockTransport(self.engine, scope=self.scope)

    @property
    def httpx2_transport(self) -> Httpx2Transport:
        """A transport for httpx2 that answers without a port."""
        from mockserver.adapters.httpx2_transport import Httpx2Transport

        return Httpx2Transport(self.engine, scope=self.scope)

    # What the mock answers

    def reply(
        self,
        *answers: str | Mapping[str, Any],
        tool_calls: Sequence[Mapping[str, Any]] | None = None,
        name: str | None = None,
        then: Then = "last",
        times: int | None = None,
        off_contract: bool = False,
        strict: bool | None = None,
        **when: Any,
    ) -> None:
        """Add a rule: what the mock answers to requests that fulfil the conditions `when`, in any case without them.

        Several answers follow each other, `then` decides what comes after the last one. `tool_calls` is short for one
        answer. With `strict`, requests that no rule matches are refused. Conditions and answers are those of a
        scenario's rules. Raises `ContractError` if one of them is invalid.
        """
        __tracebackhide__ = True
        several = [*answers, *([{"tool_calls": list(tool_calls)}] if tool_calls is not None else [])]
        if not several and strict is None:
            raise TypeError('reply() needs an answer: reply("Hello!"), or reply(tool_calls=[{"name": "search"}])')
        optional = {"name": name, "times": times}
        rule: dict[str, Any] = {key: value for key, value in optional.items() if value is not None}
        rule |= {"when": when, "answers": several, "then": then, "off_contract": off_contract}
        value: dict[str, Any] = {"rules": [rule] if several else []}
        self._add(value if strict is None else {**value, "strict": strict})

    def fail(self, fault: str | int, **parameters: Any) -> None:
        """Add a fault, by its name or status, with its parameters: `fail(429, times=1)`, `fail("cut", after=3)`.

        Raises `ContractError` for an unknown fault or parameter.
        """
        __tracebackhide__ = True
        if "agent" in parameters:
            parameters["agent"] = self._created.get(parameters["agent"], parameters["agent"])
        self._add({"faults": [{"fault": fault, **parameters}]})

    @contextmanager
    def refused_connections(self) -> Iterator[None]:
        """Refuse connections until the end of the block, those of other tests of this process too."""
        with self._server.refusing():
            yield

    def scenario(self, file: Path | str) -> None:
        """Add the rules and faults of a scenario file; raises `ContractError` with every problem of the file."""
        text = read_text(Path(file), str(file))
        value: Any = parse_text(text, str(file)) or {}
        self.engine.scripts.add(self.scope, value, Source(str(file), text))

    def agent(self, name: str, **fields: Any) -> str:
        """Create an agent in this test's scope and return its id; `fields` are those of the API."""
        body = {"model": "llama-2-70b-chat-hf", "name": name, **fields}
        headers = {**JSON_TYPE, **self._token(), SCOPE_HEADER: self.scope}
        exchange = self.engine.handle(Request("POST", f"{API}/agents", (), headers, orjson.dumps(body)))
        if exchange.reply.status != 201:
            raise ValueError(f"The agent {name!r} can't be created: {exchange.reply.content().decode()}")
        self._created[name] = orjson.loads(exchange.reply.content())["id"]
        return self._created[name]

    def session(self, agent: str = "demo", messages: Sequence[Mapping[str, Any]] = ()) -> str:
        """Create a session of `agent` that holds `messages`, and return its id."""
        transaction = Transaction(self.engine.store, self.scope, expires=False)
        found = look_up(self.engine.settings, transaction, self._created.get(agent, agent))
        if found is None:
            raise ValueError(f"No agent {agent!r}. Create it first with agent_mock.agent({agent!r}).")
        id = self.engine.ids.draw().session_id
        said = [dict(message) for message in messages]
        write = save_session(found, id, EMPTY, said, self.clock.now, self.engine.limits.session)
        transaction.commit(Outcome(Reply(204, {}, b""), (write,)))
        return id

    # What the mock was asked

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests of this test, the first one first."""
        return [RecordedRequest(exchange, self._names(exchange)) for exchange in [*self._requests]]

    def calls(
        self, *, agent: str | None = None, session: str | None = None, contains: str | None = None
    ) -> list[RecordedRequest]:
        """Return the requests to an agent, in a session, and with a message that contains a string."""
        wanted = Wanted(agent, session, contains)
        return [one for one in self.requests if not wanted.unmet(one)]

    def assert_called(
        self,
        times: int | None = None,
        *,
        agent: str | None = None,
        session: str | None = None,
        contains: str | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Check that such requests were sent, at least once or exactly `times`; each with the fields of `body`."""
        __tracebackhide__ = True
        self._demand(call_problem(self.requests, Wanted(agent, session, contains), times, body))

    def assert_order(self, *parts: str) -> None:
        """Check that requests whose last messages contain these strings came in this order; others may come between."""
        __tracebackhide__ = True
        self._demand(order_problem(self.requests, parts))

    def assert_tool_called(self, name: str, arguments: Any = None, result: str | None = None) -> None:
        """Check that the client ran the function `name`: it sent the result of a call that the mock had answered with.

        With `arguments`, the call had exactly these; with `result`, the result contains it.
        """
        __tracebackhide__ = True
        self._demand(tool_problem(self.requests, name, arguments, result))

    def assert_usage(self, max_tokens: int) -> None:
        """Check that all replies of this test together used at most `max_tokens`; each stream must report its usage."""
        __tracebackhide__ = True
        self._demand(usage_problem(self.requests, max_tokens))

    def _demand(self, problem: str) -> None:
        """Raise AssertionError with a problem and the requests, if there is one."""
        __tracebackhide__ = True
        if problem:
            raise AssertionError(f"{problem}\n{self.describe()}")

    def expect_rejection(self, clause: str = "") -> None:
        """Accept that the mock refuses requests that break `clause`, by default any; the test fails if none does."""
        self._expected.append(clause)

    def problems(self) -> list[str]:
        """Return why the test fails: requests that broke the contract, and expected rejections that did not happen."""
        refused = [one for one in self.requests if one.is_refused]
        problems = [
            f"{one.method} {one.path} broke the contract: {', '.join(one.clauses) or one.status}"
            for one in refused
            if not any(not clause or clause in one.clauses for clause in self._expected)
        ]
        missing = [
            f"No request was refused because of {clause or 'any clause'}, which the test expects."
            for clause in self._expected
            if not any(not clause or clause in one.clauses for one in refused)
        ]
        return [*problems, *missing]

    def unused_rules(self) -> list[str]:
        """Return why a test with `strict_rules` fails: a sentence for each of its rules that has answered nothing."""
        if not self.strict_rules:
            return []
        shown = self.engine.scripts.shown(self.scope)["rules"]
        return [
            f"The rule {one['rule'].get('name', one['id'])} was never used."
            for one in shown
            if not one["uses"] and not one["id"].startswith("started-")
        ]

    def describe(self) -> str:
        """Return the requests of this test, with the reason of each refusal."""
        exchanges, unscoped = [*self._requests], [*self._unscoped]
        if not exchanges and unscoped:
            last = RecordedRequest(unscoped[-1])
            more = f"{len(unscoped)} came without the scope of the test, the last one {last.method} {last.path}."
            return f"The mock has received no request of this test. {more} Use agent_mock.base_url() or agent_mock.url."
        if not exchanges:
            return "The mock has received no request. Does the client use agent_mock.base_url() or agent_mock.url?"
        shown = [*enumerate(exchanges, 1)][-MOST_EXPLAINED:]
        entries = [
            (number, orjson.loads(encode_entry(one, Subject(0), self.engine.redaction))) for number, one in shown
        ]
        explained = explain(entries, len(exchanges), self.engine.contract)
        found = [line for finding in self.lint_sessions() for line in describe(finding)]
        return "\n".join([explained, *(["Misuse of sessions:", *found] if found else [])])

    def lint_sessions(self) -> list[Misuse]:
        """Return each misuse of a session in the requests of this test that was answered with 200."""
        return lint_sessions(map(from_entry, reversed(self.engine.requests(self.scope))))

    def _add(self, value: Mapping[str, Any]) -> None:
        __tracebackhide__ = True
        try:
            self.engine.scripts.add(self.scope, value, _PYTHON)
        except ContractError as error:
            raise ContractError(error.problems) from None  # the failed test shows its own line

    def _names(self, exchange: Exchange) -> frozenset[str]:
        address = RecordedRequest(exchange).agent
        known = find_configured(self.engine.config.agents, address)
        created = (name for name, id in self._created.items() if id == address)
        return frozenset({address, *((known.id, known.name) if known else ()), *created})

    def _client_options(self, agent: str, options: dict[str, Any], is_async: bool) -> dict[str, Any]:
        token = next(iter(self.engine.config.tokens), "mock")
        if self.clock.skips:  # without a socket, the transport knows the client's timeouts
            options = {"http_client": self._http_client(is_async), **options}
        return {"base_url": self.base_url(agent), "api_key": token, **options}

    def _http_client(self, is_async: bool) -> Any:
        """Return a client of the HTTP library that the installed SDK uses, with a transport of this mock."""
        made = _openai().DefaultAsyncHttpxClient if is_async else _openai().DefaultHttpxClient
        libraries = {base.__module__.partition(".")[0] for base in made.__mro__}
        return made(transport=self.httpx2_transport if "httpx2" in libraries else self.transport)

    def _token(self) -> dict[str, str]:
        token = next(iter(self.engine.config.tokens), "")
        return {"authorization": f"Bearer {token}"} if token else {}


def _openai() -> Any:
    try:
        import openai
    except ImportError as error:
        raise ImportError("agent_mock.client() needs OpenAI's SDK: pip install openai", name="openai") from error
    return openai
