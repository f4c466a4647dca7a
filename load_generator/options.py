"""The options of a load test that Locust does not have: the command and Locust's own parser take them from here."""

from __future__ import annotations

from typing import NamedTuple

#: The environment variable from which Locust reads the access token.
TOKEN_VARIABLE = "AGENT_CONTRACT_TOKEN"


class UserOption(NamedTuple):
    """An option of the users."""

    name: str
    type: type[str] | type[int] | type[float]
    default: str | int | float
    metavar: str
    help: str

    @property
    def destination(self) -> str:
        """The name of the option's value."""
        return self.name.removeprefix("--").replace("-", "_")


OPTIONS = (
    UserOption("--agent", str, "demo", "AGENT", "Agent to chat with: its id, or its name if the server knows names."),
    UserOption("--turns", int, 5, "N", "Turns of a session; then the user begins another one."),
    UserOption("--max-tokens", int, 0, "N", "Maximum length of an answer in tokens; 0 means no limit."),
    UserOption("--pause", float, 1.0, "SECONDS", "Seconds between an answer and the user's next request."),
)
