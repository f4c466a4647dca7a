"""Sends typical bugs of clients to this mock and to others; prints which of them are refused, as Markdown.

python -m benchmarks.client_bugs

It installs the other servers with npm into `build/client-bugs`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.client_bugs.bugs import BUGS, Answer, answers
from benchmarks.client_bugs.servers import SERVERS, Server, install, version_of
from benchmarks.npm_servers import ServerError


def table(found: Sequence[tuple[str, Sequence[Answer]]]) -> str:
    """Return the answers of each named server as a Markdown table, with the number of refusals."""
    rows = [["bug of the client", *(name for name, _ in found)], ["---"] * (len(found) + 1)]
    rows += [[bug.title, *(str(given[place]) for _, given in found)] for place, bug in enumerate(BUGS)]
    counts = (sum(answer.refused for answer in given) for _, given in found)
    rows.append(["refused", *(f"{count} of {len(BUGS)}" for count in counts)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> int:
    """Return the exit status: 0 after the table was printed."""
    try:
        install()
        print(table([_asked(server) for server in SERVERS]))
    except (ServerError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _asked(server: Server) -> tuple[str, list[Answer]]:
    name = f"{server.name} {version_of(server.name)}" if server.name.startswith("@") else server.name
    with server.start() as url:
        return f"{name}, {server.setup}", answers(url)


if __name__ == "__main__":
    sys.exit(main())
