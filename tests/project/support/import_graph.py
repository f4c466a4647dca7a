"""Draws which folder of each package imports which: `python -m tests.project.support.import_graph` writes the SVG."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from html import escape
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import TypeAlias

ROOT = Path(__file__).parents[3]
PACKAGES = ("agent_contract", "mockserver", "contract_tests", "load_generator", "server_defects", "client_check")
DRAWING = ROOT / "docs" / "explanation" / "imports.svg"

#: A folder or a module directly in a package, and those that it imports.
Graph = Mapping[str, frozenset[str]]

#: A part, or a bend of the arrow from one part to another in the row of this height.
_Node: TypeAlias = "str | tuple[str, str, int]"

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
    """Return a path through the graph that returns to its start, empty if no cycle exists."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def drawing(graphs: Mapping[str, Graph]) -> str:
    """Return the SVG of several graphs, one below the other: what is higher imports what is lower.

    An arrow is left out if a longer way leads to the same part. CycleError if a graph has a cycle.
    """
    layouts = {package: _layout(graph) for package, graph in graphs.items()}
    width = 2 * _MARGIN + max(len(row) for rows, _ in layouts.values() for row in rows) * _ACROSS
    lines, top = list[str](), _MARGIN
    for package, (rows, arrows) in layouts.items():
        places = {
            node: (width // 2 + int((2 * across - len(row) + 1) * _ACROSS / 2), top + 20 + down * _DOWN)
            for down, row in enumerate(rows)
            for across, node in enumerate(row)
        }
        lines.append(f'<text class="package" x="{_MARGIN}" y="{top}">{escape(package)}</text>')
        lines.extend(_arrow([places[node] for node in arrow]) for arrow in arrows)
        lines.extend(_box(node, *places[node]) for row in rows for node in row if isinstance(node, str))
        top += len(rows) * _DOWN + _MARGIN
    size = f'width="{width}" height="{top}" viewBox="0 0 {width} {top}"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">', _HEAD, *lines, "</svg>", ""])


_HEAD = """\
<title>Which folder imports which</title>
<style>
text { font: 12px sans-serif; text-anchor: middle; fill: #1f2328 }
.package { font-weight: bold; text-anchor: start; fill: #57606a }
rect { fill: #f6f8fa; stroke: #57606a }
path.arrow { fill: none; stroke: #8c959f; marker-end: url(#head) }
</style>
<rect width="100%" height="100%" style="fill: #fff; stroke: none"/>
<marker id="head" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="7" markerHeight="7" orient="auto">\
<path d="M0 0 6 3 0 6z" fill="#8c959f"/></marker>"""


def _layout(graph: Graph) -> tuple[list[list[_Node]], list[list[_Node]]]:
    """Return the rows from the top, each part just above what it imports, and the arrows by the nodes they pass.

    An arrow that skips rows gets a node in each of them, so that it does not run through a box. The nodes of a row are
    ordered by the mean place of their neighbours, which keeps most arrows from crossing.
    """
    height = dict[str, int]()
    for part in TopologicalSorter(graph).static_order():
        height[part] = 1 + max((height[target] for target in graph[part]), default=-1)
    rows: list[list[_Node]] = [[] for _ in range(max(height.values()) + 1)]
    for part in sorted(graph):
        rows[height[part]].append(part)
    arrows = list[list[_Node]]()
    for part, target in _arrows(graph):
        bends = [(part, target, level) for level in range(height[part] - 1, height[target], -1)]
        for bend in bends:
            rows[bend[2]].append(bend)
        arrows.append([part, *bends, target])
    neighbours: dict[_Node, list[_Node]] = {}
    for arrow in arrows:
        for upper, lower in pairwise(arrow):
            neighbours.setdefault(upper, []).append(lower)
            neighbours.setdefault(lower, []).append(upper)
    for _ in range(8):
        for row in (*rows, *reversed(rows)):
            place = {node: across - len(line) / 2 for line in rows for across, node in enumerate(line)}
            means = {node: mean(map(place.__getitem__, neighbours.get(node, [node]))) for node in row}
            row.sort(key=lambda node, means=means: means[node])  # type: ignore[misc]  # bound here for each row
    return rows[::-1], arrows


def _arrows(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield the imports that no longer way implies."""
    below: dict[str, set[str]] = {}
    for part in TopologicalSorter(graph).static_order():
        below[part] = set(graph[part]).union(*(below[target] for target in graph[part]))
    for part in graph:
        for target in sorted(graph[part]):
            if not any(target in below[other] for other in graph[part]):
                yield part, target


def _arrow(points: list[tuple[int, int]]) -> str:
    """Return an arrow through the middle of these places, as a curve that is vertical in each of them."""
    (x, y), *others = points
    y += _HEIGHT
    path = f"M{x} {y}"
    for number, (across, down) in enumerate(others, 1):
        half = (y + down) // 2
        path += f"C{x} {half} {across} {half} {across} {down}"
        x, y = across, down
        if number < len(others):
            y += _HEIGHT
            path += f"V{y}"
    return f'<path class="arrow" d="{path}"/>'


def _box(name: str, middle: int, y: int) -> str:
    text = f'<text x="{middle}" y="{y + 18}">{escape(name)}</text>'
    return f'<rect x="{middle - _WIDTH // 2}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="4"/>{text}'


def main() -> None:
    """Write the drawing; exit with the cycle if a package has one."""
    graphs = {package: imports_of(package) for package in PACKAGES}
    for package, graph in graphs.items():
        if cycle := cycle_in(graph):
            raise SystemExit(f"{package}: {' imports '.join(cycle)}: move what they share to a folder below both")
    DRAWING.write_text(drawing(graphs), encoding="utf-8")


if __name__ == "__main__":
    main()
