"""What the session lint finds in the requests that a served mock has received."""

from __future__ import annotations

import httpx

from mockserver.analysis.journal_file import read_journal_file
from mockserver.analysis.session_lint import Misuse, lint_sessions
from tests.support.serving import Served


def newest_request(server: Served) -> int:
    """Return the number of the newest request, 0 without any."""
    rows = httpx.get(f"{server.url}/__mock__/requests?limit=1").json()["requests"]
    return int(rows[0]["number"]) if rows else 0


def session_findings(server: Served, after: int) -> list[Misuse]:
    """Return each misuse of a session in the requests after a number."""
    journal = httpx.get(f"{server.url}/__mock__/requests?limit=500").content
    return lint_sessions(seen for seen in read_journal_file(journal) if seen.number > after)
