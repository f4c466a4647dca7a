"""Bytes as JSON: what is accepted, and the place and reason of each refusal."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from agent_contract.validation.json_body import MAX_DEPTH, BodyProblem, Malformed, exceeds_symbols, parse_json


@pytest.mark.parametrize("value", [None, True, 0, -1.5, "é\u2028👋", [], {}, [{"a": [None]}], 2**64 - 1])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_json_in_any_unicode_encoding_is_taken(value: Any, encoding: str) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=False).encode(encoding)) == value


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    assert parse_json(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    ("body", "position"),
    [
        (b'{"a": NaN}', 6),
        (b"[1, Infinity]", 4),
        (b"[1, -Infinity]", 4),
        (b'["NaN", 1e400]', 8),
        (b"-1e400", 0),
        (b"9" * 5000, 0),
        (b'["x", "\\ud800"]', 6),
        (b'["\\\\", "\\udc00\\ud800"]', 7),
        (b'["\xed\xa0\x80"]', 1),
    ],
)
def test_what_json_can_not_express_is_malformed_at_its_place(body: bytes, position: int) -> None:
    found = parse_json(body)
    assert isinstance(found, Malformed)
    assert found.position == position


@pytest.mark.parametrize("body", [b"{", b'{"a" 1}', b"tru", b'"\x01"', b"[1,]", b"1 2", b"\xef\xbb\xbf\xef\xbb\xbf{}"])
def test_malformed_json_has_the_position_that_python_gives(body: bytes) -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(body)
    found = parse_json(body)
    assert isinstance(found, Malformed)
    assert found.position == caught.value.pos


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_the_deepest_nesting_is_taken_and_one_level_more_is_a_problem_that_names_the_bound() -> None:
    assert isinstance(parse_json(nested(MAX_DEPTH)), list)
    found = parse_json(nested(MAX_DEPTH + 1))
    assert isinstance(found, BodyProblem)
    assert (found.status, str(MAX_DEPTH) in found.detail) == (400, True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_deepest_nesting_is_taken_in_any_encoding(encoding: str) -> None:
    assert isinstance(parse_json(nested(MAX_DEPTH).decode().encode(encoding)), list)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 1000 + b"x"])
def test_deep_nesting_that_never_closes_ends_in_a_refusal(body: bytes) -> None:
    assert isinstance(parse_json(body), BodyProblem | Malformed)


DEEP = "[" * 1000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    ("text", "position"),
    [
        (DEEP + "x", 1000),
        ('["é",' + DEEP + "x", 1005),
        ("x" + DEEP, 0),
        ("[1 2" + DEEP, 3),
        (DEEP + "1 2", 1002),
        (DEEP, 1000),
        (DEEP + "]" * 1000 + "x", 2000),
        ("[1, " + DEEP + "]" * 1000 + " 2, " + DEEP, 2005),
        ("[" + DEEP + "]" * 1000 + ", " + DEEP + "x", 3003),
        (DEEP + "]" * 990 + "}", 1990),
        (DEEP + '"]"' + "]" * 999, 2002),
        ('{"a":' * 600 + DEEP[:400] + '{"b" 1}', 3405),
        (DEEP + "NaN" + "]" * 1000, 1000),
        (DEEP + "9" * 5000 + "]" * 1000, 1000),
        (DEEP + '"\\ud800"' + "]" * 1000, 1000),
    ],
    ids=lambda value: str(value).replace(DEEP, "D")[:30] if isinstance(value, str) else "",
)
def test_malformed_json_that_is_deeper_than_python_reads_has_its_true_position(
    text: str, position: int, encoding: str
) -> None:
    found = parse_json(text.encode(encoding))
    assert isinstance(found, Malformed)
    assert found.position == position


@pytest.mark.parametrize("depth", range(500, 530))
def test_a_fault_has_the_same_position_at_every_depth(depth: int) -> None:
    text = "[[1]," + "[" * depth + "]" * depth + "," + "[" * 900 + "1 2"
    assert parse_json(text.encode()) == Malformed(len(text) - 1, "Expecting ',' delimiter")


@pytest.mark.parametrize("body", [b"\xff", b'{"a": "\xc3("}', b"\xfe\xff\xd8"])
def test_bytes_that_are_not_unicode_are_a_problem_with_its_rule(body: bytes) -> None:
    assert parse_json(body) == BodyProblem(400, "There was an error parsing the body", "utf-8")


@pytest.mark.parametrize("before", ["", "[" + ("[" * 1000 + "]" * 1000 + ",") * 3, '["[[[", "]", '])
def test_malformed_json_is_refused_as_too_deep_from_the_first_level_beyond_the_bound(before: str) -> None:
    depth = MAX_DEPTH - (1 if before else 0)
    assert parse_json(f"{before}{'[' * depth}x".encode()) == Malformed(len(before) + depth, "Expecting value")
    found = parse_json(f"{before}{'[' * depth}[x".encode())
    assert isinstance(found, BodyProblem) and (found.status, found.rule) == (400, "depth")


def test_of_what_is_too_deep_and_malformed_the_first_is_reported() -> None:
    assert isinstance(parse_json(b"[1 2" + nested(MAX_DEPTH + 1)), Malformed)
    assert isinstance(parse_json(nested(MAX_DEPTH + 1) + b"x"), BodyProblem)


def test_brackets_inside_a_string_do_not_nest() -> None:
    text = "[" * 5000
    assert parse_json(json.dumps({"a": text, "b": "\\"}).encode("utf-16")) == {"a": text, "b": "\\"}


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 500_000, b'"' * 1_000_001, b'["a",' * 1000, b"\\" * 1_000_000])
def test_a_hostile_body_is_refused_in_time_that_grows_with_its_length(body: bytes) -> None:
    assert isinstance(parse_json(body), Malformed)


def python_reads(body: bytes) -> tuple[Any, int | None]:
    """Return the value that Python reads, or the position at which it stops."""
    try:
        return json.loads(body), None
    except json.JSONDecodeError as error:
        return None, error.pos


@pytest.mark.parametrize("seed", range(300))
def test_bytes_at_random_get_the_verdict_that_python_gives(seed: int) -> None:
    """Python takes a little more: NaN, Infinity and lone surrogates."""
    import random

    source = random.Random(seed)
    alphabet = [
        *'{}[]",:',
        "true",
        "null",
        "1",
        "-",
        ".5",
        "e9",
        "\\",
        "\\ud83d",
        "\\udc4b",
        "\\n",
        " ",
        "é",
        "NaN",
        "a",
    ]
    body = "".join(source.choices(alphabet, k=source.randint(1, 12))).encode()
    found = parse_json(body)
    value, position = python_reads(body)
    if position is not None:
        assert isinstance(found, Malformed) and found.position == position
    else:
        text = json.dumps(value, ensure_ascii=False)
        speakable = not any(0xD800 <= ord(one) < 0xE000 for one in text) and "NaN" not in body.decode()
        assert found == value or (isinstance(found, Malformed) and not speakable)
        assert not (isinstance(value, float) and math.isnan(value) and found == value)


@pytest.mark.parametrize(
    ("body", "symbols"),
    [
        (b'{"a":[1,2,"x,[{"]}', 6),
        (b'["\\"," , "b"]', 4),
        (b"[" + b"1," * 9000 + b"1]", 9001),
        (b"[" + b'"",' * 9000 + b'""]', 18_002),
        (b'["never closed, [', 2),
    ],
    ids=["nested", "escapes", "numbers", "strings", "open string"],
)
def test_symbols_are_strings_commas_and_opening_brackets_outside_strings(body: bytes, symbols: int) -> None:
    assert not exceeds_symbols(body, symbols)
    assert exceeds_symbols(body, symbols - 1)
