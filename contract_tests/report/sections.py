"""What the clauses speak of: headings for people, each with the ids that come under it."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from contract_tests.verdict import WORDS

if TYPE_CHECKING:
    from contract_tests.report.model import ClauseResult

#: Heading -> globs of ids; the first that fits counts.
TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Agents", ("agents.*",)),
    ("Models and embeddings", ("models.*", "model-chat.*", "embeddings.*")),
    ("Completions", ("completions.*",)),
    ("Tools and forms of an answer", ("*.tool-*", "*.tools-*", "*.stream-tool-*", "*.response-format-*")),
    ("Sessions", ("*.session-*", "*.reply-session-id", "*.stream-session-id")),
    ("Streams", ("*.stream-*",)),
    ("Answers", ("*.reply-*", "*.choice-*", "*.settings-applied")),
    ("Messages and roles", ("*.message*", "*.role-*", "*.content-*", "*.text-*")),
    ("Model", ("*.model-*",)),
    (
        "Settings of a request",
        (
            *("*.temperature-*", "*.n-*", "*.stop-*", "*.max-tokens-*", "*.max-completion-tokens-*", "*.seed-*"),
            *("*.top-*", "*.frequency-*", "*.presence-*"),
        ),
    ),
    ("Authentication", ("*.token-*",)),
    (
        "Form of a request",
        ("*.body-*", "*.field-*", "*.coercion", "*.null-*", "*.unlisted-*", "*.boolean-*", "*.check-order"),
    ),
    ("Refusals", ("*.validation-*", "*.error-*", "*.agent-unknown", "*.method-*")),
    ("The server as a whole", ("*.status-*", "*.no-server-error")),
)
#: If no heading fits.
OTHER = "Other"

_RANK = {word: rank for rank, word in enumerate(WORDS)}


def topic(id: str) -> str:
    """Return the heading under which a clause comes."""
    return next((title for title, globs in TOPICS if any(fnmatchcase(id, glob) for glob in globs)), OTHER)


def grouped(clauses: Iterable[ClauseResult]) -> list[tuple[str, list[ClauseResult]]]:
    """Return the clauses by heading, in the order of `TOPICS`, within each worst first, else as they came."""
    groups: dict[str, list[ClauseResult]] = {title: [] for title, _ in (*TOPICS, (OTHER, ()))}
    for clause in sorted(clauses, key=lambda clause: _RANK[clause.word]):
        groups[topic(clause.id)].append(clause)
    return [(title, group) for title, group in groups.items() if group]
