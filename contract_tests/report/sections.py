"""The topics of clauses: headings for people, and what a failure means for users."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from contract_tests.verdict import WORDS

if TYPE_CHECKING:
    from contract_tests.report.model import ClauseResult


class Topic(NamedTuple):
    """A heading, the clause ids under it as globs, and what a failure there means for users of the deployment."""

    title: str
    globs: tuple[str, ...]
    impact: str


#: The first whose globs match counts.
TOPICS: tuple[Topic, ...] = (
    Topic("Agents", ("agents.*",), "programs that list or manage agents fail, or work on a wrong one"),
    Topic(
        "Models and embeddings",
        ("models.*", "model-chat.*", "embeddings.*"),
        "programs that list models, or call one without an agent, fail",
    ),
    Topic(
        "Knowledge bases",
        ("control.*", "knowledge-bases.*", "indexes.*", "documents.*", "indexings.*"),
        "programs that fill knowledge bases fail, or agents answer from wrong documents",
    ),
    Topic("Completions", ("completions.*",), "programs that use text completions fail"),
    Topic(
        "Tools and forms of an answer",
        ("*.tool-*", "*.tools-*", "*.stream-tool-*", "*.response-format-*"),
        "clients that call tools, or parse structured answers, fail",
    ),
    Topic(
        "Sessions",
        ("*.session-*", "*.reply-session-id", "*.stream-session-id"),
        "conversations lose or mix their turns",
    ),
    Topic("Streams", ("*.stream-*",), "clients that stream lose text, or stop midway"),
    Topic("Answers", ("*.reply-*", "*.choice-*", "*.settings-applied"), "clients can't read an answer, or misread it"),
    Topic(
        "Messages and roles",
        ("*.message*", "*.role-*", "*.content-*", "*.text-*"),
        "messages are refused, or wrong ones reach the model",
    ),
    Topic("Model", ("*.model-*",), "clients get answers of another model than they asked for"),
    Topic(
        "Settings of a request",
        (
            *("*.temperature-*", "*.n-*", "*.stop-*", "*.max-tokens-*", "*.max-completion-tokens-*", "*.seed-*"),
            *("*.top-*", "*.frequency-*", "*.presence-*"),
        ),
        "settings have no effect, or wrong ones are not noticed",
    ),
    Topic("Authentication", ("*.token-*",), "calls without a valid token succeed, or fail without a reason"),
    Topic(
        "Form of a request",
        ("*.body-*", "*.field-*", "*.coercion", "*.null-*", "*.unlisted-*", "*.boolean-*", "*.check-order"),
        "bugs of clients are not noticed, or valid requests are refused",
    ),
    Topic(
        "Refusals",
        ("*.validation-*", "*.error-*", "*.agent-unknown", "*.method-*"),
        "clients don't learn what was wrong with their request",
    ),
    Topic(
        "The server as a whole",
        ("*.status-*", "*.no-server-error"),
        "requests fail through no fault of the client",
    ),
)
OTHER = Topic("Other", ("*",), "clients that rely on it fail")

_RANK = {word: rank for rank, word in enumerate(WORDS)}


def topic(id: str) -> Topic:
    """Return the topic of a clause."""
    return next((topic for topic in TOPICS if any(fnmatchcase(id, glob) for glob in topic.globs)), OTHER)


def grouped(clauses: Iterable[ClauseResult]) -> list[tuple[str, list[ClauseResult]]]:
    """Return the clauses by heading, in the order of `TOPICS`, within each worst first, else as they came."""
    groups: dict[str, list[ClauseResult]] = {topic.title: [] for topic in (*TOPICS, OTHER)}
    for clause in sorted(clauses, key=lambda clause: _RANK[clause.word]):
        groups[topic(clause.id).title].append(clause)
    return [(title, group) for title, group in groups.items() if group]
