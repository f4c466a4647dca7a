"""What a mock serves besides the document's paths and its own interface: a first page at `/`, the document, the page.

A path of the served document wins over these. Each page is built once, at its first use: YAML takes 50 ms, and most
mocks in tests never need it. In the first page only the address varies: it is the one that the request was sent to.
With a token, the first page lists no agents, and the document needs the token. The files of the page at `/__mock__/ui/`
are the same for everyone: what it shows comes from the control interface.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import orjson

from agent_contract import Contract
from agent_contract.document.bundle import bundle
from agent_contract.messages import JSON_TYPE, Exchange, Reply, Request
from mockserver.config import Config
from mockserver.control.ui_files import UI, ui_files
from mockserver.core.outcome import Rejection
from mockserver.gateway import cors
from mockserver.gateway.gateway import Admission, Gateway
from mockserver.recording.example_request import example_command
from mockserver.resources.agents import Agent

ROOT, JSON_DOCUMENT, YAML_DOCUMENT = "/", "/openapi.json", "/openapi.yaml"

_METHODS = ("GET", "HEAD")
_TEMPLATE = Path(__file__).parent / "first_page.html"
#: In place of the address in what is built. A shell must quote it, so an IPv6 address is quoted too.
_ANY_ADDRESS = "http://[::]:0"
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_HTML = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "vary": "accept, host",
}


def pages_of(api: Gateway, config: Config, agents: tuple[Agent, ...]) -> Mapping[str, Page]:
    """Return the pages by path, without those whose path is the document's own; none if the interface is off."""
    if not config.control:
        return {}
    document = cache(lambda: orjson.dumps(bundle(api.contract.schemas.document)))
    first = _FirstPage(api.contract, config.requires_token, agents)
    pages = (
        Page(ROOT, api, first.reply, is_open=True),
        Page(JSON_DOCUMENT, api, lambda _: Reply(200, JSON_TYPE, document())),
        Page(YAML_DOCUMENT, api, lambda _: Reply(200, {"content-type": "application/yaml"}, _yaml(document()))),
    )
    served = {page.path: page for page in pages if api.contract.find("GET", page.path) is None}
    return {**served, **{path: Page(path, api, reply, is_open=True) for path, reply in ui_files().items()}}


@dataclass(frozen=True, slots=True)
class Page:
    """A page at a path; it needs a token of `api`, unless it `is_open`."""

    path: str
    api: Gateway
    reply: Callable[[Request], Reply]
    is_open: bool = False

    def exchange(self, request: Request) -> Exchange:
        """Return the page, or a refusal."""
        if cors.is_preflight(request):
            return Exchange(request, cors.preflight(request, _METHODS))
        if request.method not in _METHODS:
            allow = ", ".join(_METHODS)
            why = f"{request.method[:20]} is not allowed here. Allowed: {allow}."
            rejection = Rejection(405, "", why, ("method",), allow, request.method, {"allow": allow})
            return self.api.refuse(request, None, rejection)
        refused = None if self.is_open else self.api.authenticate(Admission(request))
        return refused or Exchange(request, self.reply(request))


@dataclass(frozen=True)
class _FirstPage:
    contract: Contract
    with_token: bool
    agents: tuple[Agent, ...] = field(repr=False)

    def reply(self, request: Request) -> Reply:
        """Return the page as the request accepts it, for the address that the request was sent to."""
        from werkzeug.datastructures import MIMEAccept
        from werkzeug.http import parse_accept_header

        accepted = parse_accept_header(request.headers.get("accept"), MIMEAccept)
        as_json = accepted.best_match(["text/html", "application/json"]) == "application/json"
        headers, body = ({**JSON_TYPE, "vary": _HTML["vary"]}, self._json) if as_json else (_HTML, self._html)
        return Reply(200, headers, body.replace(_ANY_ADDRESS.encode(), _address(request).encode()))

    @cached_property
    def _shown(self) -> tuple[Agent, ...]:
        return () if self.with_token else self.agents

    @cached_property
    def _command(self) -> str:
        willing = next((agent.name for agent in self.agents if "user" in agent.roles), "")
        values = {"agent_id": willing} if willing else None
        return example_command(self.contract, _ANY_ADDRESS, self.with_token, values)

    @cached_property
    def _json(self) -> bytes:
        value = {
            "title": self.contract.title,
            "version": self.contract.version,
            "agents": [{"id": agent.id, "name": agent.name, "model": agent.model} for agent in self._shown],
            "token_required": self.with_token,
            "example": self._command or None,
            "links": {
                "document": _ANY_ADDRESS + JSON_DOCUMENT,
                "page": _ANY_ADDRESS + UI,
                "journal": _ANY_ADDRESS + "/__mock__/requests",
                "control": _ANY_ADDRESS + "/__mock__/openapi.json",
            },
        }
        return orjson.dumps(value)

    @cached_property
    def _html(self) -> bytes:
        operations = self.contract.operations.values()
        rows = [(one.method, one.path, one.summary or "") for one in operations]
        values = {
            "title": escape(self.contract.title),
            "version": escape(self.contract.version),
            "agents": _agents(self._shown),
            "example": _example(self._command, self.with_token),
            "count": str(len(rows)),
            "operations": "\n".join(_row(f"{method} {path}", text) for method, path, text in rows),
        }
        return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(values).encode("utf-8", "replace")


def _example(command: str, with_token: bool) -> str:
    if not command:
        return ""
    token = ", with the token in <code>$AGENT_CONTRACT_TOKEN</code>" if with_token else ""
    return f"<h2>Try it{token}</h2>\n<pre>{escape(command, quote=False)}</pre>"


def _agents(agents: tuple[Agent, ...]) -> str:
    if not agents:
        return ""
    rows = (_row(agent.name, f"{_model(agent)}; messages of {', '.join(sorted(agent.roles))}") for agent in agents)
    return "<h2>Agents</h2>\n<table>\n" + "\n".join(rows) + "\n</table>"


def _model(agent: Agent) -> str:
    return "any model" if agent.any_model else agent.model


def _row(name: str, text: str) -> str:
    return f"<tr><td><code>{escape(name)}</code><td>{escape(text)}"


def _address(request: Request) -> str:
    """Return the address that a request was sent to; the usual one if its `Host` is not valid."""
    host = request.headers.get("host", "")
    scheme = "https" if request.headers.get("x-forwarded-proto") == "https" else "http"
    return f"{scheme}://{host}" if _HOST.fullmatch(host) else "http://127.0.0.1:8000"


@lru_cache(maxsize=2)
def _yaml(document: bytes) -> bytes:
    """Return a JSON document as YAML."""
    import yaml

    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(orjson.loads(document), Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)
    return text.encode()
