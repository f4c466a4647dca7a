"""The mock in `unittest`: a test case with a mock for each test."""

from __future__ import annotations

import functools
import inspect
import unittest
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

from mockserver.config import Config
from mockserver.testing.agent_mock import HINT, AgentMock, SharedServer, serve_mock

_SERVER = "_agent_mock_server"
_OPENED = "_agent_mock"


class AgentMockTestCase(unittest.TestCase):
    """A test case with the attribute `agent_mock`. Together with another one: `class T(AgentMockTestCase, Other)`.

    One server runs for the tests of a class that use `agent_mock`; each test has agents, sessions, rules, faults and
    requests of its own. A test fails if its client broke the contract. The error of a failed test has a note with its
    requests.
    """

    #: The configuration: a mapping, the path of a file, or a `Config`.
    agent_mock_config: ClassVar[Config | Mapping[str, Any] | Path | str | None] = None
    #: What a request that breaks the contract does to its test: `strict` fails it.
    agent_mock_rejections: ClassVar[Literal["strict", "warn", "off"]] = "strict"
    #: The body of refusals; OpenAI's SDKs print that of `openai`.
    agent_mock_error_format: ClassVar[Literal["fastapi", "openai"] | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in unittest.defaultTestLoader.getTestCaseNames(cls):
            test = getattr(cls, name)
            if not hasattr(test, _OPENED):
                setattr(cls, name, _checked(test))

    @property
    def agent_mock(self) -> AgentMock:
        """The mock of this test."""
        if _OPENED not in vars(self):
            vars(self)[_OPENED] = self.enterContext(_server_of(type(self)).open(self.id()))
            self.addCleanup(vars(self).pop, _OPENED)
        found: AgentMock = vars(self)[_OPENED]
        return found


def _server_of(case: type[AgentMockTestCase]) -> SharedServer:
    if _SERVER not in vars(case):
        setattr(case, _SERVER, case.enterClassContext(serve_mock(case.agent_mock_config, case.agent_mock_error_format)))
        case.addClassCleanup(delattr, case, _SERVER)
    found: SharedServer = vars(case)[_SERVER]
    return found


def _checked(test: Callable[..., Any]) -> Callable[..., Any]:
    """Return a test method, synchronous or not, that also checks the requests."""
    if inspect.iscoroutinefunction(test):

        @functools.wraps(test)
        async def run_async(self: AgentMockTestCase) -> Any:
            with _checks(self):
                return await test(self)

        run: Callable[..., Any] = run_async
    else:

        @functools.wraps(test)
        def run_sync(self: AgentMockTestCase) -> Any:
            with _checks(self):
                return test(self)

        run = run_sync
    setattr(run, _OPENED, True)
    return run


@contextmanager
def _checks(case: AgentMockTestCase) -> Iterator[None]:
    try:
        yield
        _check(case)
    except unittest.SkipTest:
        raise
    except Exception as error:
        if _OPENED in vars(case):
            error.add_note(f"--- agent mock ---\n{case.agent_mock.describe()}")
        raise


def _check(case: AgentMockTestCase) -> None:
    mode = case.agent_mock_rejections
    problems = case.agent_mock.problems() if _OPENED in vars(case) and mode != "off" else []
    if problems and mode == "warn":
        warnings.warn("\n".join(problems), stacklevel=2)
    elif problems:
        raise case.failureException("\n".join([*problems, HINT]))
    unused = case.agent_mock.unused_rules() if _OPENED in vars(case) else []
    if unused:
        raise case.failureException("\n".join(unused))
