"""How files become values."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from agent_contract import ContractError, UnreadableError, load_contract
from agent_contract.document.document import read_document
from agent_contract.document.file_limits import MAX_DEPTH
from agent_contract.document.reader import line_of, parse_text, read_bounded_file
from tests.agent_contract.support.documents import compiled, refusal, write

DOCUMENT = """\
openapi: 3.1.0
info: {title: T, version: 2024-01-01}
paths:
  /x:
    get:
      responses:
        200: {description: on}
"""


def test_a_status_without_quotes_is_text(tmp_path: Path) -> None:
    contract = compiled(tmp_path, DOCUMENT)
    assert list(contract.operations["GET /x"].responses) == ["200"]


def test_a_date_and_a_word_like_on_are_text(tmp_path: Path) -> None:
    """YAML 1.1 would make a date and a boolean of them."""
    contract = compiled(tmp_path, DOCUMENT)
    assert contract.version == "2024-01-01"
    assert contract.operations["GET /x"].responses["200"].description == "on"


@pytest.mark.parametrize(
    ("text", "value"),
    [("010", 10), ("1e3", 1000.0), ("0x10", "0x10"), ("1:30", "1:30"), ("~", None), ("yes", "yes"), (".inf", ".inf")],
)
def test_a_scalar_is_read_as_yaml_1_2_reads_it(tmp_path: Path, text: str, value: object) -> None:
    assert read_document(write(tmp_path, f"a: {text}")).files[""] == {"a": value}


def test_a_key_that_is_given_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, DOCUMENT + "  /y: {}\n  /x: {}\n")
    assert error.problems[0].place.endswith("openapi.yaml:9:3")
    assert error.problem == "the key '/x' is given twice"


def test_a_syntax_error_is_refused_with_its_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, DOCUMENT + "  - [\n")
    assert error.problems[0].place.startswith(str(tmp_path / "openapi.yaml:"))
    assert error.remedy


def test_a_json_document_is_read(tmp_path: Path) -> None:
    text = '{"openapi":\t"3.0.3",\n"info": {"title": "T", "version": "1"}, "paths": {}}'
    assert load_contract(write(tmp_path, text, "openapi.json")).title == "T"


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": }', ""])
def test_malformed_json_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ContractError) as caught:
        load_contract(write(tmp_path, text, "openapi.json"))
    assert "openapi.json:1" in caught.value.problems[0].place


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: !!python/object:os.system {}", "a: !!binary aGk=", "? [1]\n: 2"])
def test_yaml_that_json_can_not_express_is_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text).problem


def test_aliases_of_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "holds more than" in refusal(tmp_path, "\n".join(lines)).problem


def test_an_alias_stands_for_its_anchor(tmp_path: Path) -> None:
    text = DOCUMENT + "    post: {responses: &all {'204': {description: done}}}\n    put: {responses: *all}\n"
    assert set(compiled(tmp_path, text).operations["PUT /x"].responses) == {"204"}


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_a_file_that_can_not_be_read_is_said_to_be_unreadable(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableError, match="can't be read"):
        load_contract(tmp_path / name)


def test_a_file_that_is_not_utf_8_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_bytes("openapi: é".encode("latin-1"))
    with pytest.raises(UnreadableError, match="not UTF-8"):
        load_contract(tmp_path / "openapi.yaml")


def test_values_may_be_nested_as_deep_as_the_limit_and_no_deeper() -> None:
    for levels in (MAX_DEPTH, MAX_DEPTH + 1):
        text = "[" * levels + "]" * levels
        if levels <= MAX_DEPTH:
            assert parse_text(text, "x.json")
        else:
            with pytest.raises(ContractError, match=f"nested deeper than {MAX_DEPTH} levels"):
                parse_text(text, "x.json")


def test_the_digest_does_not_depend_on_layout_and_comments(tmp_path: Path) -> None:
    one = compiled(tmp_path / "one", DOCUMENT)
    other = compiled(
        tmp_path / "other", "# a comment\n" + DOCUMENT.replace("{description: on}", '{"description": "on"}')
    )
    assert one.digest == other.digest
    assert one.digest.startswith("sha256:")
    assert one.digest != compiled(tmp_path / "third", DOCUMENT.replace("on}", "off}")).digest


def test_a_place_knows_its_line_and_one_that_is_absent_that_of_its_owner(tmp_path: Path) -> None:
    document = read_document(write(tmp_path, DOCUMENT))
    from agent_contract.document.json_pointer import parse

    assert document.line(parse("#/paths/~1x/get/responses/200")) == 7
    assert document.line(parse("#/paths/~1x/get/absent")) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither device files nor named pipes in folders")
def test_a_device_and_a_pipe_are_refused_without_reading_them(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    for path in (Path("/dev/zero"), pipe):
        with pytest.raises(UnreadableError, match="not a regular file"):
            load_contract(path)


def test_a_file_is_read_up_to_its_bound_and_refused_above_it(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"12345")
    assert read_bounded_file(file, "a.txt", 5) == b"12345"
    with pytest.raises(UnreadableError, match="has more than 4 bytes"):
        read_bounded_file(file, "a.txt", 4)


def test_a_path_with_a_null_character_is_refused() -> None:
    with pytest.raises(UnreadableError, match="can't be read"):
        read_bounded_file(Path("a\0b"), "a")


@pytest.mark.parametrize(
    ("tokens", "line"),
    [
        ((), 1),
        (("b",), 2),
        (("b", "0"), 3),
        (("b", "1", "c"), 5),
        (("b", "2"), 2),
        (("b", "x"), 2),
        (("other",), 1),
        (("a", "x"), 1),
    ],
    ids=str,
)
def test_a_line_is_that_of_the_key_or_item_or_of_the_last_one_that_exists(tokens: tuple[str, ...], line: int) -> None:
    assert line_of("a: 1\nb:\n  - x\n  - d: 1\n    c: 2\n", tokens) == line
