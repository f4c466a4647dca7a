"""Writes reports to files: the suffix selects the format."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from contract_tests.report.model import Report

Form: TypeAlias = "Callable[[Report], str]"


class DestinationError(Exception):
    """A file that no report can be written to: which, why, and what to do."""


def _html(report: Report) -> str:
    from contract_tests.report.html import to_html

    return to_html(report)


def _json(report: Report) -> str:
    from contract_tests.report.saved_json import to_json

    return to_json(report)


def _markdown(report: Report) -> str:
    from contract_tests.report.markdown import to_markdown

    return to_markdown(report)


def _sarif(report: Report) -> str:
    from contract_tests.report.code_scanning import sarif_of

    return sarif_of(report)


def _code_quality(report: Report) -> str:
    from contract_tests.report.code_scanning import code_quality_of

    return code_quality_of(report)


def _ctrf(report: Report) -> str:
    from contract_tests.report.ctrf import ctrf_of

    return ctrf_of(report)


def _junit(report: Report) -> str:
    from contract_tests.report.junit import junit_of

    return junit_of(report)


#: The first suffix that a file's name ends with counts.
FORMS: Mapping[str, Form] = {
    ".html": _html,
    ".md": _markdown,
    ".sarif": _sarif,
    ".ctrf.json": _ctrf,
    ".codequality.json": _code_quality,
    ".json": _json,
    ".xml": _junit,
}


def check(reports: Iterable[str]) -> None:
    """Raise `DestinationError` for a report whose suffix is unknown, and for a file that can't be written."""
    given = [Path(report) for report in reports]
    for path in given:
        if _form(path) is None:
            known = ", ".join(FORMS)
            raise DestinationError(f"{path}: the suffix selects the format of a report, and must be one of {known}")
    for path in given:
        if problem := _obstacle(path):
            raise DestinationError(f"{path} can't be written: {problem}")


def write(report: Report, path: Path) -> None:
    """Write the report in the format of the file's suffix, completely or not at all; raises OSError if it can't."""
    form = _form(path)
    assert form, f"{path} has the suffix of no report"
    text = form(report)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
        Path(name).chmod(_mode(path))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _form(path: Path) -> Form | None:
    return next((form for suffix, form in FORMS.items() if path.name.lower().endswith(suffix)), None)


def _obstacle(path: Path) -> str:
    if path.is_dir():
        return "it is a folder; name a file"
    if not path.parent.is_dir():
        return f"no such folder: {path.parent}; create it first"
    if path.exists() and not os.access(path, os.W_OK):
        return "it is read-only; name another file"
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            return ""
    except OSError as error:
        return f"{error.strerror} in {path.parent}; name a file in a folder of yours"


def _mode(path: Path) -> int:
    """Return the permissions of the file that is replaced; a new one is its owner's alone, as it holds replies."""
    return path.stat().st_mode & 0o777 if path.exists() else 0o600
