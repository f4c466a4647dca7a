"""One conforming deployment that differs from others in what the contract allows."""

from dataclasses import dataclass

from benchmarks.detection.hooks import ServerHooks

#: What can't be decided if token counts show nothing of a session and the model does not repeat its words.
SESSIONS = (
    "chat.session-used",
    "chat.session-extended",
    "chat.session-first-turn",
    "chat.session-streamed",
    "chat.session-isolated",
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A deployment that must pass: its name, one sentence, and the options that its owner would give.

    `undecided` lists the clauses of grade `core` that no test can decide on it: the run has no verdict, exit code 2.
    """

    name: str
    sentence: str
    hooks: ServerHooks
    options: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
