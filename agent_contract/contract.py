"""Compiles a document into a Contract: immutable, every schema compiled, every route in one map.

Nothing here knows what the operations are about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from agent_contract.compiler.clauses import build_clauses, clause_for, clause_index
from agent_contract.compiler.context import Builder
from agent_contract.compiler.example_chains import Step, chain, check_examples, each_once
from agent_contract.compiler.links import check_links
from agent_contract.compiler.operations import build_operations, server_path
from agent_contract.compiler.routes import Found, NotAllowed, Routes, alike, compile_routes
from agent_contract.document.dialects import DIALECTS, READ_VERSIONS
from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError, Problem, UnreadableError
from agent_contract.document.json_pointer import Place, parse
from agent_contract.document.walker import Walk, walk
from agent_contract.messages import JSON, Clause, Request, Violation
from agent_contract.model.operations import Operation
from agent_contract.model.schemas import Schemas, prepare
from agent_contract.versions.versions import versions_of

if TYPE_CHECKING:
    from agent_contract.document.repair.rule import Repair


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """What a document promises.

    `examples` holds each example once, with the first of the operations that share it; `document` is the parsed
    document, `digest` the digest of it and of the files it refers to; `versions` the API versions it speaks of, oldest
    first. `repairs` are the faults of the document that were repaired; its own pointers lead into the repaired one.
    """

    title: str
    version: str
    digest: str
    source: Path
    operations: Mapping[str, Operation] = field(repr=False)
    examples: tuple[Step, ...] = field(repr=False)
    clauses: tuple[Clause, ...] = field(repr=False)
    versions: tuple[str, ...]
    schemas: Schemas = field(repr=False)
    _routes: Routes = field(repr=False)
    _clauses: Mapping[str, tuple[Clause, ...]] = field(repr=False)
    _by_id: Mapping[str, Clause] = field(repr=False)
    repairs: tuple[Repair, ...] = field(default=(), repr=False)

    @property
    def document(self) -> dict[str, Any]:
        """The parsed document, as plain values; not to be changed."""
        return self.schemas.document.files[""]  # type: ignore[return-value]

    def find(self, method: str, path: str) -> Found | NotAllowed | None:
        """Return the operation that a method and a decoded path reach, else the path's methods, None for no path."""
        return self._routes.find(method, path)

    def find_for(self, method: str, request: Request) -> Found | NotAllowed | None:
        """Return what a request reaches with a method, as `find` does.

        An encoded slash is part of a parameter, and templates of paths may contain a query. The path of any server may
        precede that of the operation, or none.
        """
        found = self._found(method, request.path, request.raw_path)
        if found is None:
            main, others = base_paths(self)
            for base in others:
                if f"{request.path}/".startswith(f"{base}/"):
                    raw_path = main + request.raw_path[len(base) :] if request.raw_path else ""
                    found = found or self._found(method, main + request.path[len(base) :], raw_path)
        return found.variant(request.query) if isinstance(found, Found) and found.variants else found

    def _found(self, method: str, path: str, raw_path: str) -> Found | NotAllowed | None:
        if raw_path:
            return self._routes.find_segments(method, tuple(map(unquote, raw_path.split("/"))))
        return self._routes.find(method, path)

    def at(self, pointer: str) -> JSON:
        """Return what a pointer names; LookupError if it names nothing."""
        return self.schemas.document.at(parse(pointer))

    def line(self, pointer: str) -> int | None:
        """Return the line of the file on which a pointer's value begins, None if it is not known."""
        return self.schemas.document.line(parse(pointer))

    def chain(self, step: Step) -> tuple[Step, ...]:
        """Return the examples that are played for one, in order, itself last."""
        return chain(self.operations, step)

    def clause(self, name: str) -> Clause:
        """Return the clause of an id; KeyError if no clause has it."""
        return self._by_id[name]

    def clauses_at(self, pointer: str) -> tuple[Clause, ...]:
        """Return the clauses at a part of the document."""
        return self._clauses.get(pointer, ())

    def clause_for(self, violation: Violation, operation: Operation) -> str:
        """Return the id of the clause that puts a violation into words, "" if no clause does."""
        return clause_for(self._clauses, violation, operation)


@lru_cache(16)
def base_paths(contract: Contract) -> tuple[str, tuple[str, ...]]:
    """Return the path of the document's first server, and what may be sent instead: that of each other one, or none."""
    servers = contract.document.get("servers")
    paths = (
        [server_path(server) or "" for server in servers if isinstance(server, dict)]
        if isinstance(servers, list)
        else []
    )
    main = paths[0] if paths else ""
    return main, tuple(sorted({*paths, ""} - {main}, key=len, reverse=True))


def compile_contract(document: Document, *, lazy: bool = False, repaired: bool = False) -> tuple[Contract, Walk]:
    """Return a document's contract and the walk that it was built on; ContractError with every reason against it.

    With `lazy`, each schema is compiled when it is used. In a document that was `repaired`, paths that differ only in
    the names of their parameters may have different methods.
    """
    _check_version(document)
    found = walk(document)
    if found.problems:
        raise (UnreadableError if found.unreadable else ContractError)(_unique(found.problems))
    schemas = prepare(document, found, lazy=lazy)
    problems = list(schemas.faults(found))
    if problems:  # one wrong schema would be reported again by each that refers to it
        raise ContractError(problems)
    builder = Builder(schemas, problems)
    operations = list(build_operations(builder))
    problems.extend(_same_ids(document, operations))
    problems.extend(_same_paths(document, operations, by_method=repaired))
    clauses = build_clauses(document, found, operations, problems)
    by_id = {operation.id: operation for operation in operations}
    check_examples(document, by_id, {clause.id for clause in clauses}, problems)
    check_links(document, by_id, problems)
    if problems:
        raise ContractError(_unique(problems))
    root: Any = document.files[""]
    info = root.get("info") or {}
    return Contract(
        title=str(info.get("title", "")),
        version=str(info.get("version", "")),
        digest=document.digest(),
        source=document.path,
        operations=MappingProxyType(by_id),
        examples=tuple(each_once(by_id)),
        clauses=clauses,
        versions=versions_of(document),
        schemas=schemas,
        _routes=compile_routes(operations),
        _clauses=clause_index(clauses),
        _by_id={clause.id: clause for clause in clauses},
    ), found


def _check_version(document: Document) -> None:
    root, top = document.files[""], Place("", ())
    remedy = "begin it with 'openapi: 3.1.0'"
    if not isinstance(root, dict):
        raise ContractError([document.problem(top, "is not an OpenAPI document: it is not an object", remedy)])
    version = root.get("openapi")
    if not isinstance(version, str) or not version.startswith(READ_VERSIONS):
        place = top.child("openapi") if "openapi" in root else top
        said = (
            f"OpenAPI {version} is not read" if "openapi" in root else "is not an OpenAPI document: 'openapi' is absent"
        )
        raise ContractError([document.problem(place, said, f"{remedy}; 3.0, 3.1 and 3.2 are read")])
    dialect = str(root.get("jsonSchemaDialect", DIALECTS[0])).rstrip("#")
    if dialect not in DIALECTS:
        problem = f"the schema dialect {dialect!r} is not read"
        raise ContractError([document.problem(top.child("jsonSchemaDialect"), problem, "write schemas in 2020-12")])


def _same_ids(document: Document, operations: list[Operation]) -> Iterator[Problem]:
    """Yield the operationIds that are given twice."""
    seen = dict[str, Operation]()
    for operation in operations:
        if operation.id in seen:
            place = parse(operation.pointer).child("operationId")
            other = seen[operation.id]
            problem = f"the operationId {operation.id!r} is that of {other.method} {other.path} too"
            yield document.problem(place, problem, "give each operation its own")
        seen[operation.id] = operation


def _same_paths(document: Document, operations: list[Operation], *, by_method: bool) -> Iterator[Problem]:
    """Yield the paths that match alike; with `by_method`, only those that have a method in common."""
    groups: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        groups.setdefault(operation.method if by_method else "", {})[operation.path] = operation
    for paths in groups.values():
        for one, other in alike(paths):
            operation = paths[other]
            place = Place("", ("paths", operation.template))
            if by_method:
                place = place.child(operation.method.lower())
            problem = f"can't be told apart from {one!r}"
            yield document.problem(place, problem, "make them one path, or let a fixed part differ")


def _unique(problems: list[Problem]) -> list[Problem]:
    """Return problems once each: a shared part is met by every operation that uses it."""
    return list(dict.fromkeys(problems))
