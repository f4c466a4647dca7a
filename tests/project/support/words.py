"""Counts the idioms that make a page slow to read: `python -m tests.project.support.words [PATH …]`.

The limits, in uses per 1,000 words, are the highest of those measured in httpx, werkzeug, structlog and schemathesis.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[3]
PLACES = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "openapi.yaml"),
    *("agent_contract", "mockserver", "contract_tests", "load_generator", "server_defects", "client_check"),
    *("benchmarks", "tests", "conftest.py"),
)
#: Modules with lists of words and sample sentences, which are data.
WORD_LISTS = frozenset(
    {
        Path(__file__),
        ROOT / "mockserver" / "generation" / "build_corpus.py",
        ROOT / "mockserver" / "generation" / "recall.py",
        ROOT / "mockserver" / "generation" / "replies.py",
    }
)
#: Keys of the document whose values are sentences.
SENTENCES = frozenset({"summary", "description", "sentence", "title", "x-untestable", "note", "source"})


class Idiom(NamedTuple):
    """An idiom: the pattern that finds it, its limit per 1,000 words, and what to write instead."""

    pattern: re.Pattern[str]
    limit: float
    instead: str


def _idiom(pattern: str, limit: float, instead: str) -> Idiom:
    return Idiom(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), limit, instead)


IDIOMS: Mapping[str, Idiom] = {
    "where": _idiom("where", 1.5, "if, when"),
    "stands in": _idiom(r"st(?:and|ood)s? (?:in|beside|behind|under|alone|there|for itself)", 0.1, "is in, is next to"),
    "is no X": _idiom(
        r"(?:is|are|was) (?:no|(?-i:none))|there (?:is|are) (?:no|not)|that there (?:is|are) not", 0.6, "is not a"
    ),
    "texts": _idiom(r"a text|texts", 0.03, "a string, text"),
    "says": _idiom(r"told by|tells?|says?", 0.2, "identified by, reports, contains, means"),
    "nobody": _idiom(r"nobody|whoever|who is not|everybody|somebody", 0.06, "the caller, no one"),
    "behind": _idiom("behind", 0.15, "after, following"),
    "so many": _idiom(r"so many|as \w+ as can be|the other way round", 0.08, "a number, in reverse"),
    "has to": _idiom(r"ha(?:s|ve) to|shall", 0.1, "must"),
    "anew": _idiom(r"reckon(?:s|ed|ing)?|anew|nevertheless|one and all", 0.0, "estimated, again, still"),
}
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
#: Strings that are SQL, whose WHERE is not prose.
_SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|PRAGMA|BEGIN)\b")
_CODE = re.compile(r"```.*?```|`[^`\n]*`|https?://\S+", re.DOTALL)


def prose(path: Path) -> str:
    """Return what a file says to its readers: comments, docstrings, messages, sentences; no code."""
    text = path.read_text(encoding="utf-8")
    match path.suffix:
        case ".py":
            text = "\n".join(_python(text, strings=ROOT / "tests" not in path.parents))
        case ".yaml":
            text = "\n".join(_sentences(yaml.load(text, yaml.CSafeLoader)))
    return _CODE.sub(" ", text)


def _python(source: str, *, strings: bool) -> Iterator[str]:
    """Yield comments, docstrings, names of tests, and other strings that hold a sentence if `strings` is true.

    The strings of tests are data: what a user says to an agent, and answers that are expected of it.
    """
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not strings:
            yield ast.get_docstring(node) or ""
        text = node.value if strings and isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if len(_WORD.findall(text)) > 3 and not _SQL.match(text):
            yield text
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield _spaced(node.name)


def _sentences(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _sentences(item, str(name))
    elif isinstance(value, list):
        for item in value:
            yield from _sentences(item, key)
    elif isinstance(value, str) and key in SENTENCES:
        yield value


def files(places: Iterable[Path]) -> Iterator[Path]:
    """Return the files of these places that hold prose."""
    for place in places:
        found = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
        for path in found:
            written = path.suffix in {".py", ".md"} or path.name == "openapi.yaml"
            if written and "node_modules" not in path.parts and path not in WORD_LISTS:
                yield path


class Count(NamedTuple):
    """The words of some files, and the uses of each idiom among them."""

    words: int
    uses: Mapping[str, int]

    def rate(self, idiom: str) -> float:
        """Return the uses of an idiom per 1,000 words."""
        return 1000 * self.uses[idiom] / max(self.words, 1)


def count(paths: Iterable[Path]) -> Count:
    """Return the words and idioms of these files together."""
    words, uses = 0, dict.fromkeys(IDIOMS, 0)
    for path in paths:
        text = prose(path)
        words += len(_WORD.findall(text))
        for name, idiom in IDIOMS.items():
            uses[name] += len(idiom.pattern.findall(text))
    return Count(words, uses)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def lines(path: Path) -> Iterator[str]:
    """Return each use in a file, with its line if the line shows it."""
    source = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(source, 1):
        shown = _spaced(line) if line.lstrip().startswith("def test_") else line
        for name, idiom in IDIOMS.items():
            if idiom.pattern.search(shown):
                yield f"{path.relative_to(ROOT)}:{number}: {name} ({idiom.instead}): {line.strip()}"


def main(arguments: list[str]) -> None:
    """Print the uses per 1,000 words, place by place; with `--lines`, the lines as well."""
    names = [Path(name).resolve() for name in arguments if not name.startswith("-")]
    places = names or [ROOT / name for name in PLACES]
    print(_row("", "words", IDIOMS))
    for place in places:
        found = count(files([place]))
        print(_row(str(place.relative_to(ROOT)), found.words, _rates(found)))
    total = count(files(places))
    print(_row("all", total.words, _rates(total)))
    print(_row("limit", "", (f"{idiom.limit:.2f}" for idiom in IDIOMS.values())))
    if "--lines" in arguments:
        for path in files(places):
            print(*lines(path), sep="\n")


def _rates(found: Count) -> Iterator[str]:
    return (f"{found.rate(name):.2f}" for name in IDIOMS)


def _row(name: str, words: object, cells: Iterable[str]) -> str:
    return f"{name:22}{words!s:>8}" + "".join(f"{cell:>11}" for cell in cells)


if __name__ == "__main__":
    main(sys.argv[1:])
