"""What a client check prints, and its report as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from agent_contract.messages import Clause
from agent_contract.printable import printable, printable_line, shorten
from client_check.run import ClientRun, VariantResult
from client_check.variants import TEMPORARY, ServerVariant
from client_check.varied_server import Varied
from contract_tests.verdict import WAIVED

FORMAT = "agent-contract-client-check"
#: Lines of the command's output, and the first and last events of a stream, that are shown.
_LINES, _FIRST, _LAST = 15, 2, 3
_WIDE = 400
_OF_MUTANTS = {"passed": "noticed", "failed": "unnoticed"}


def described(result: VariantResult, clauses: Mapping[str, Clause]) -> Iterator[str]:
    """Yield the evidence of a failure, line by line."""
    variant, run = result.variant, result.run
    assert run is not None
    yield f"{verdict_of(result)}  {variant.name}"
    yield f"  the server  {variant.does}"
    yield f"      clause  {clause_of(variant, clauses)}"
    if variant.defect:
        return
    yield f"  the client  {ending_of(run)}"
    if run.varied:
        yield from _shown(run.varied[0])
    lines = printable(run.output).splitlines()[-_LINES:]
    yield from (f"{'output' if number == 0 else '':>12}  {line}" for number, line in enumerate(lines))


def clause_of(variant: ServerVariant, clauses: Mapping[str, Clause]) -> str:
    """Return the id and the sentence of the clause that permits the variant."""
    clause = clauses.get(variant.clause)
    return f"{clause.id}: {clause.sentence}" if clause else TEMPORARY


def verdict_of(result: VariantResult) -> str:
    """Return the verdict in a word; that of a mutant is whether the client's tests noticed it."""
    return _OF_MUTANTS.get(result.verdict, result.verdict) if result.variant.defect else result.verdict


def ending_of(run: ClientRun) -> str:
    """Return how the command ended."""
    if run.status is None:
        return f"was still running after {run.seconds:.0f} s"
    return f"ended with {run.status}" if run.status >= 0 else f"was ended by signal {-run.status}"


def counted(results: Sequence[VariantResult], excused: Container[str]) -> str:
    """Return how many variants got which verdict, as in `2 failed, 20 passed, 3 not met`; of mutants the score too."""
    counts = Counter(_word(result, excused) for result in results)
    words = ("failed", "unnoticed", WAIVED, "passed", "noticed", "not met")
    found = ", ".join(f"{counts[word]} {word}" for word in words if counts[word])
    met = sum(counts[word] for word in ("unnoticed", WAIVED, "noticed"))
    if not met or not results[0].variant.defect:
        return found
    return f"{found}\nmutation score: {counts['noticed']} of {met} defects noticed, {counts['noticed'] / met:.0%}"


def to_json(
    results: Sequence[VariantResult], excused: Container[str], command: Sequence[str], clauses: Mapping[str, Clause]
) -> str:
    """Return the report: the command, and each variant with its verdict and evidence."""
    content = {
        "format": FORMAT,
        "version": 1,
        "command": list(command),
        "variants": [_variant(result, _word(result, excused), clauses) for result in results],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _word(result: VariantResult, excused: Container[str]) -> str:
    """Return the verdict; of a failure that a waiver excuses the word for it."""
    return WAIVED if result.variant.name in excused else verdict_of(result)


def _variant(result: VariantResult, word: str, clauses: Mapping[str, Clause]) -> dict[str, Any]:
    variant, run = result.variant, result.run
    found: dict[str, Any] = {
        "name": variant.name,
        "does": variant.does,
        "clause": variant.clause or None,
        "sentence": clauses[variant.clause].sentence if variant.clause else None,
        "verdict": word,
    }
    if run and result.verdict == "failed":
        found |= {"status": run.status, "seconds": round(run.seconds, 3), "output": printable(run.output)}
        found["exchanges"] = ["\n".join(_shown(one)) for one in run.varied[:3]]
    return found


def _shown(varied: Varied) -> Iterator[str]:
    """Yield a request, and the reply that the client got."""
    request, reply = varied
    body = printable_line(request.body.decode(errors="replace"))
    yield f"     request  {request.method} {printable_line(request.path)} {shorten(body, _WIDE)}".rstrip()
    yield f"       reply  {reply.status}, {reply.headers.get('content-type', 'without a content type')}"
    if isinstance(reply.body, bytes):
        yield f"              {shorten(_text(reply.body), _WIDE)}"
        return
    events = [shorten(_text(event.encode()), _WIDE) for event in reply.body]
    if len(events) > _FIRST + _LAST:
        events[_FIRST:-_LAST] = [f"… {len(events) - _FIRST - _LAST} more …"]
    yield from (f"              {event}" for event in events)


def _text(body: bytes) -> str:
    """Return bytes as one line, in which line ends and bytes that are no text can be seen."""
    return printable(repr(body.decode(errors="backslashreplace"))[1:-1])
