"""What this distribution is called, and what an import that fails means for a user."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

DISTRIBUTION = "agent-contract-kit"
#: The value of `format` in each report, by which a file is known for one.
REPORT_FORMAT = "agent-contract-report"
#: The packages of this distribution that another distribution or a project may have a package of the same name for.
_SHADOWED = ("mockserver", "contract_tests", "load_generator", "server_defects", "client_check")


def missing(error: ImportError, wanted_by: str, extra: str = "verify") -> str:
    """Return why a part of this kit can't be imported, and what to do.

    `wanted_by` is the command or option that needs it, `extra` the extra that brings its libraries.
    """
    if other := shadowing():
        return f"{wanted_by}: {other}"
    library = (error.name or str(error)).partition(".")[0]
    return f"{wanted_by} needs {library}, which is not installed: pip install '{DISTRIBUTION}[{extra}]'"


def shadowing() -> str:
    """Return which package of this kit is hidden by another one of the same name, "" if none is."""
    ours = Path(__file__).resolve().parents[1]
    for name in _SHADOWED:
        spec = find_spec(name)
        places = [Path(place).resolve() for place in (spec.submodule_search_locations or ())] if spec else []
        if places and ours / name not in places:
            return (
                f"Python finds another package named {name!r} at {places[0]}, which hides the one of {DISTRIBUTION}: "
                f"use an environment or a folder without it"
            )
    return ""
