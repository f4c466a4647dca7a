"""Before the first clause: whether the deployment answers at all, and if not, why, as far as it can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract_tests.bodies import plain
from contract_tests.exchange import Asked

if TYPE_CHECKING:
    from contract_tests.probing import Prober

_REDIRECTS = range(300, 400)
_SERVER_ERRORS = range(500, 600)


def obstacle(prober: Prober, nobody: str) -> str:
    """Return why the deployment can't be judged, or an empty text; `nobody` is an agent id that none has.

    One plain request is sent, and up to two more where it is answered 404.
    """
    asked = prober.chat(plain())
    if not asked.status:
        return f"{prober.target.root} is unreachable: {asked.failure}"
    if asked.status in (401, 403):
        return _token(prober, asked)
    if asked.status in (404, 405):
        return _not_found(prober, asked, nobody)
    if asked.status in _REDIRECTS:
        return f"{asked.url} redirects to {asked.header('location')}: give the URL that it leads to"
    if asked.status in _SERVER_ERRORS:
        return f"the server fails on a plain request: {asked.described()}"
    return ""


def still_alive(prober: Prober) -> str:
    """Return why the deployment no longer answers a plain request that it answered before, or an empty text."""
    if prober.budget.left <= 0:
        return ""
    prober.budget.spend()
    first = prober.chat(plain())
    asked = prober.send(first.request, first.url)
    if not asked.status:
        return f"{prober.target.root} no longer answers: {asked.failure}"
    if asked.status in (401, 403):
        return f"the server no longer takes the token: {asked.described()}"
    return ""


def _token(prober: Prober, asked: Asked) -> str:
    if prober.token:
        return f"the server refuses the token: {asked.described()}"
    return f"the server asks for a token ({asked.described()}): give one with --token-env VARIABLE"


def _not_found(prober: Prober, asked: Asked, nobody: str) -> str:
    """Tell an unknown path from an unknown agent: how does the server answer where surely only one is unknown?"""
    agent = dict(prober.target.parameters).get("agent_id", "")
    other_agent = prober.chat(plain(), parameters={"agent_id": nobody})
    other_path = prober.get(f"{asked.url}-that-nobody-serves")
    alike = {
        "agent": _likeness(other_agent, nobody) == _likeness(asked, agent),
        "path": _likeness(other_path, agent) == _likeness(asked, agent),
    }
    path = f"the server has no such path: {asked.url}; is the base URL right?"
    unknown = f"the server knows no agent {agent!r}: give one with --agent-id"
    said = f"it answers {asked.described()}"
    if asked.status == 405 or (alike["path"] and not alike["agent"]):
        return f"{path} ({said})"
    if alike["agent"] and not alike["path"]:
        return f"{unknown} ({said})"
    return f"no such path, or no agent {agent!r}: the server answers both alike ({asked.described()})"


def _likeness(asked: Asked, agent: str) -> tuple[int, str, str]:
    text = asked.body.decode("utf-8", "replace")
    return asked.status, asked.media_type, text.replace(agent, "{agent}").replace(asked.request.path, "{path}")
