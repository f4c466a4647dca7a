"""Lets requests to the mock pass the plugins that intercept requests of httpx and httpx2 in the same test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

#: How the path of each request to a mock of a test begins.
PREFIX = "/__mock__/scope/"
#: Fixtures with a marker whose `should_mock` decides what is intercepted, and the modules that have them.
_MARKED = {"httpx_mock": "pytest_httpx", "httpx2_mock": "pytest_httpx2"}
_RESPX = "respx_mock"


def exempt_from_markers(item: pytest.Item, fixtures: tuple[str, ...]) -> None:
    """Make pytest-httpx and httpx2-pytest leave out requests to the mock, and what the test leaves out."""
    for name, module in _MARKED.items():
        if name in fixtures and module in sys.modules:
            given = (marker.kwargs.get("should_mock") for marker in item.iter_markers(name))
            should_mock = _without_mock(next(filter(None, given), None))
            item.add_marker(getattr(pytest.mark, name)(should_mock=should_mock), append=False)


def _without_mock(should_mock: Callable[[Any], bool] | None) -> Callable[[Any], bool]:
    return lambda request: not request.url.path.startswith(PREFIX) and (should_mock is None or should_mock(request))


@contextmanager
def exempt_from_respx(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make respx leave out requests to the mock, if the test uses its fixture."""
    if _RESPX not in request.fixturenames or "respx" not in sys.modules:
        yield
        return
    router = request.getfixturevalue(_RESPX)
    route = router.route(path__startswith=PREFIX, name="agent_mock").pass_through()
    try:
        yield
    finally:
        if not route.called:  # respx fails a test that does not use each route
            router.pop("agent_mock", None)
