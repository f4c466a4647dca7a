"""No two folders of a package import each other, and the drawing in the documentation shows how they do."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.project.support.import_graph import DRAWING, PACKAGES, cycle_in, drawing, imports_of


@pytest.mark.parametrize("package", PACKAGES)
def test_the_folders_of_a_package_import_each_other_in_one_direction(package: str) -> None:
    assert cycle_in(imports_of(package)) == []


def test_a_cycle_is_found_also_through_imports_inside_functions(tmp_path: Path) -> None:
    for name, text in {"a/one.py": "from shop.b import two", "b/two.py": "def f():\n    import shop.a.one"}.items():
        path = tmp_path / "shop" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    cycle = cycle_in(imports_of("shop", tmp_path))
    assert sorted(set(cycle)) == ["a", "b"]
    assert cycle[0] == cycle[-1]


def test_the_drawing_names_each_part_once_and_leaves_out_implied_arrows() -> None:
    graph = {"cli": frozenset({"core", "base"}), "core": frozenset({"base"}), "base": frozenset[str]()}
    svg = ElementTree.fromstring(drawing({"shop": graph}))
    space = "{http://www.w3.org/2000/svg}"
    assert [text.text for text in svg.iter(f"{space}text")] == ["shop", "cli", "core", "base"]
    assert len([path for path in svg.iter(f"{space}path") if path.get("class") == "arrow"]) == 2


def test_the_drawing_in_the_documentation_is_current() -> None:
    current = drawing({package: imports_of(package) for package in PACKAGES})
    assert DRAWING.read_text(encoding="utf-8") == current, "run python -m tests.project.support.import_graph"
