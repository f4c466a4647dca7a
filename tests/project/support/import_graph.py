"""Draws which folder of each package imports which: `python -m tests.project.support.import_graph` writes the SVG."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("agent_contract", "mockserver", "contract_tests")
DRAWING = ROOT / "docs" / "imports.svg"

#: A folder or a module directly in a package, and those that it imports.
Graph = Mapping[str, frozenset[str]]

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _MARGIN = 136, 28, 156, 64, 24


def imports_of(package: str, root: Path = ROOT) -> Graph:
    """Return who imports whom in a package, imports inside functions and for types included."""
    folder = root / package
    graph: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        part = path.relative_to(folder).parts[0].removesuffix(".py")
        if not part.startswith("__"):  # they import lazily, or start the command line
            imported = {
                name
                for name in _imported(path, package)
                if (folder / name).is_dir() or (folder / f"{name}.py").is_file()
            }
            graph.setdefault(part, set()).update(imported - {part})
    return {part: frozenset(imported) for part, imported in graph.items()}


def _imported(path: Path, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            first, _, rest = name.partition(".")
            if first == package and rest:
                yield rest.partition(".")[0]


def cycle_in(graph: Graph) -> list[str]:
    """Return a path through the graph that ends where it began, empty if no cycle exists."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def drawing(graphs: Mapping[str, Graph]) -> str:
    """Return the SVG of several graphs, one below the other: what is higher imports what is lower.

    An arrow is left out if a longer way leads to the same part. CycleError if a graph has a cycle.
    """
    lines, top, widest = list[str](), _MARGIN, 0
    for package, graph in graphs.items():
        rows = _rows(graph)
        places = {
            part: (_MARGIN + across * _ACROSS, top + 20 + down * _DOWN)
            for down, row in enumerate(rows)
            for across, part in enumerate(row)
        }
        lines.append(f'<text class="package" x="{_MARGIN}" y="{top}">{escape(package)}</text>')
        lines.extend(_arrow(places[part], places[target]) for part, target in _arrows(graph))
        lines.extend(_box(part, *places[part]) for row in rows for part in row)
        top += len(rows) * _DOWN + _MARGIN
        widest = max(widest, *(len(row) for row in rows))
    size = f'width="{2 * _MARGIN + widest * _ACROSS}" height="{top}"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">', _HEAD, *lines, "</svg>", ""])


_HEAD = """\
<title>Which folder imports which</title>
<style>
text { font: 12px sans-serif; text-anchor: middle; fill: #1f2328 }
.package { font-weight: bold; text-anchor: start; fill: #57606a }
rect { fill: #f6f8fa; stroke: #57606a }
line { stroke: #8c959f; marker-end: url(#head) }
</style>
<rect width="100%" height="100%" style="fill: #fff; stroke: none"/>
<marker id="head" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="7" markerHeight="7" orient="auto">\
<path d="M0 0 6 3 0 6z" fill="#8c959f"/></marker>"""


def _rows(graph: Graph) -> list[list[str]]:
    """Return the parts by rows: each below everything that imports it."""
    row = dict.fromkeys(graph, 0)
    for part in reversed([*TopologicalSorter(graph).static_order()]):
        for target in graph[part]:
            row[target] = max(row[target], row[part] + 1)
    return [sorted(part for part in graph if row[part] == down) for down in range(max(row.values()) + 1)]


def _arrows(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield the imports that no longer way implies."""
    below: dict[str, set[str]] = {}
    for part in TopologicalSorter(graph).static_order():
        below[part] = set(graph[part]).union(*(below[target] for target in graph[part]))
    for part in graph:
        for target in sorted(graph[part]):
            if not any(target in below[other] for other in graph[part]):
                yield part, target


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    middle = _WIDTH // 2
    return f'<line x1="{start[0] + middle}" y1="{start[1] + _HEIGHT}" x2="{end[0] + middle}" y2="{end[1]}"/>'


def _box(name: str, x: int, y: int) -> str:
    text = f'<text x="{x + _WIDTH // 2}" y="{y + 18}">{escape(name)}</text>'
    return f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="4"/>{text}'


def main() -> None:
    """Write the drawing; exit with the cycle if a package has one."""
    graphs = {package: imports_of(package) for package in PACKAGES}
    for package, graph in graphs.items():
        if cycle := cycle_in(graph):
            raise SystemExit(f"{package}: {' imports '.join(cycle)}: move what they share to a folder below both")
    DRAWING.write_text(drawing(graphs), encoding="utf-8")


if __name__ == "__main__":
    main()
