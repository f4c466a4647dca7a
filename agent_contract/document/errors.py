"""The problems of a document that can't be used: place, problem, remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent_contract.printable import printable_line


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a document: `place` is `openapi.yaml:12`, `pointer` a JSON pointer as a URI fragment."""

    place: str
    pointer: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """Return the problem on one line, as a compiler prints it."""
        return printable_line(f"{self.place}: {self.pointer}: {self.problem}; {self.remedy}")


class ContractError(Exception):
    """A document can't be compiled; `problems` holds every reason that was found, at least one."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @property
    def pointer(self) -> str:
        """The first problem's place, a JSON pointer as a URI fragment."""
        return self.problems[0].pointer

    @property
    def problem(self) -> str:
        """What is wrong there."""
        return self.problems[0].problem

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return self.problems[0].remedy


class UnreadableError(ContractError):
    """A file can't be read at all: absent, not a regular file, forbidden, not UTF-8, or not YAML or JSON."""


def syntax_error(place: str, problem: str) -> UnreadableError:
    """Return the error of a file that can't be parsed at a place."""
    return UnreadableError([Problem(place, "#", problem, "correct the file's syntax there")])
