"""The differences between two contracts that matter to a client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_contract import load_contract
from agent_contract.diff.compare import EFFECTS, Difference, differences
from agent_contract.diff.formats import as_json, as_markdown, as_table, summary
from tests.agent_contract.support.documents import compiled, with_schema
from tests.agent_contract.support.resources import things

RULES: dict[str, Any] = {
    "type": "string",
    "maxLength": 8,
    "x-clauses": [{"id": "a.b", "sentence": "B.", "grade": "core"}],
}


def document(request: Any, reply: Any | None = None) -> dict[str, Any]:
    """Return a document whose operation `send` takes a body of one schema and answers with another."""
    found = with_schema(request)
    answered = {"description": "ok", "content": {"application/json": {"schema": {} if reply is None else reply}}}
    found["paths"]["/things"]["post"]["responses"]["200"] = answered
    return found


def found(folder: Path, before: Any, after: Any) -> list[Difference]:
    one, other = compiled(folder / "a", before), compiled(folder / "b", after)
    assert differences(one, one) == differences(other, other) == ()
    return list(differences(one, other))


def told(folder: Path, before: Any, after: Any) -> list[tuple[str, str, str, str]]:
    return [(one.effect, one.part, one.what, one.change) for one in found(folder, before, after)]


def objects(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("before", "after", "effect", "change", "sides"),
    [
        ({"type": ["string", "null"]}, {"type": "string"}, "breaking", "type", ("string or null", "string")),
        ({"type": "string"}, {"type": ["string", "null"]}, "new", "type", ("string", "string or null")),
        ({"type": "string"}, {"type": "integer"}, "notable", "type", ("string", "integer")),
        ({}, {"type": "string"}, "breaking", "type", ("anything", "string")),
        ({"maxLength": 9}, {"maxLength": 8}, "breaking", "maxLength", ("9", "8")),
        ({"maxLength": 8}, {"maxLength": 9}, "new", "maxLength", ("8", "9")),
        ({}, {"minimum": 1}, "breaking", "minimum", ("", "1")),
        ({"minimum": 1}, {}, "new", "minimum", ("1", "")),
        ({"minimum": 1}, {"minimum": 2}, "breaking", "minimum", ("1", "2")),
        ({"pattern": "a"}, {"pattern": "b"}, "breaking", "pattern", ('"a"', '"b"')),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "breaking", "values", ('"a", "b"', '"a"')),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, "new", "values", ('"a"', '"a", "b"')),
        ({"oneOf": [{"const": "a"}]}, {"enum": ["a", "b"]}, "new", "values", ('"a"', '"a", "b"')),
        ({"oneOf": [{"const": "a"}, {"const": "b"}]}, {"const": "b"}, "breaking", "values", ('"a", "b"', '"b"')),
        ({"default": 1}, {"default": 2}, "notable", "default", ("1", "2")),
    ],
)
def test_a_field_of_a_request_that_admits_less_breaks_a_client(
    tmp_path: Path, before: Any, after: Any, effect: str, change: str, sides: tuple[str, str]
) -> None:
    (one,) = found(tmp_path, document(objects(a=before)), document(objects(a=after)))
    assert (one.effect, one.part, one.what, one.change) == (effect, "request", "body/a", change)
    assert (one.before, one.after) == sides


@pytest.mark.parametrize(
    ("before", "after", "effect", "change"),
    [
        ({"type": "string"}, {"type": ["string", "null"]}, "breaking", "type"),
        ({"type": ["string", "null"]}, {"type": "string"}, "new", "type"),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, "breaking", "values"),
        ({"maximum": 1}, {}, "breaking", "maximum"),
    ],
)
def test_a_field_of_a_reply_that_admits_more_breaks_a_client(
    tmp_path: Path, before: Any, after: Any, effect: str, change: str
) -> None:
    changed = told(tmp_path, document({}, objects(a=before)), document({}, objects(a=after)))
    assert changed == [(effect, "reply", "200 body/a", change)]


def test_a_field_that_must_be_sent_breaks_a_client_and_one_that_may_be_sent_does_not(tmp_path: Path) -> None:
    plain, more = objects(a={}), objects(a={}, b=objects(c={}))
    required = {**plain, "required": ["a"]}
    assert told(tmp_path, document(plain), document(more)) == [("new", "request", "body/b", "added")]
    assert told(tmp_path, document(more), document(plain)) == [("breaking", "request", "body/b", "removed")]
    assert told(tmp_path, document(plain), document(required)) == [("breaking", "request", "body/a", "required")]
    assert told(tmp_path, document(required), document(plain)) == [("new", "request", "body/a", "required")]
    must = {**more, "required": ["b"]}
    assert told(tmp_path, document(plain), document(must)) == [("breaking", "request", "body/b", "added, required")]


def test_a_field_that_a_reply_has_no_more_or_not_always_breaks_a_client(tmp_path: Path) -> None:
    plain, more = objects(a={}), objects(a={}, b={})
    required = {**plain, "required": ["a"]}
    assert told(tmp_path, document({}, more), document({}, plain)) == [("breaking", "reply", "200 body/b", "removed")]
    assert told(tmp_path, document({}, plain), document({}, more)) == [("new", "reply", "200 body/b", "added")]
    assert told(tmp_path, document({}, required), document({}, plain)) == [
        ("breaking", "reply", "200 body/a", "required")
    ]


def test_a_schema_that_holds_itself_ends(tmp_path: Path) -> None:
    tree = {"type": "object", "properties": {"size": {"maximum": 3}, "next": {"$ref": "#/components/schemas/Tree"}}}
    before, after = (with_schema({"$ref": "#/components/schemas/Tree"}, Tree=tree) for _ in range(2))
    after["components"]["schemas"] = {"Tree": {**tree, "properties": {**tree["properties"], "size": {"maximum": 4}}}}  # type: ignore[dict-item]
    assert ("new", "request", "body/size", "maximum") in told(tmp_path, before, after)


def test_operations_and_statuses_come_and_go(tmp_path: Path) -> None:
    before, after = things(), things()
    del after["paths"]["/things/{id}"]["delete"]
    after["paths"]["/things"]["get"]["responses"]["429"] = {"description": "slower"}
    links = after["components"]["responses"]["Created"]["links"]
    del links["delete"]
    forth = told(tmp_path, before, after)
    assert ("breaking", "operation", "DELETE /things/{id}", "removed") in forth
    assert ("notable", "reply", "429", "added") in forth
    back = told(tmp_path, after, before)
    assert ("new", "operation", "DELETE /things/{id}", "added") in back
    assert ("new", "reply", "429", "removed") in back


def test_a_moved_operation_and_one_that_asks_for_a_token_break_a_client(tmp_path: Path) -> None:
    before, after = document({}), document({})
    after["paths"] = {"/objects": after["paths"].pop("/things")}
    after["security"] = [{"key": []}]
    after["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    assert told(tmp_path, before, after) == [
        ("breaking", "operation", "send", "moved"),
        ("breaking", "operation", "send", "security"),
    ]
    assert ("notable", "operation", "send", "security") in told(tmp_path, after, before)


def test_the_differences_of_a_parameter_have_its_place(tmp_path: Path) -> None:
    before, after = things(), things()
    after["paths"]["/things"]["get"]["parameters"][0]["schema"]["minimum"] = 2
    assert told(tmp_path, before, after) == [("breaking", "request", "query/limit", "minimum")]


def test_twins_are_told_once_with_both_operations(tmp_path: Path) -> None:
    before, after = things(), things()
    content = after["components"]["requestBodies"]["Thing"]["content"]["application/json"]
    content["schema"]["properties"]["size"] = {}
    (one,) = found(tmp_path, before, after)
    assert (one.what, one.operations) == ("body/size", ("createThing", "createObject"))


@pytest.mark.parametrize(
    ("change", "effect", "word"),
    [
        ({"sentence": "C."}, "notable", "reworded"),
        ({"grade": "assumed"}, "breaking", "regraded"),
        ({"grade": "published"}, "notable", "regraded"),
    ],
)
def test_a_clause_is_compared_by_sentence_and_grade(
    tmp_path: Path, change: dict[str, str], effect: str, word: str
) -> None:
    clause = {**RULES["x-clauses"][0], **change}
    after = {**RULES, "x-clauses": [clause]}
    changed = told(tmp_path, document(objects(a=RULES)), document(objects(a=after)))
    assert changed == [(effect, "clause", "a.b", word)]


def test_a_clause_that_goes_breaks_a_client_and_one_that_comes_does_not(tmp_path: Path) -> None:
    bare = {"type": "string", "maxLength": 8}
    assert told(tmp_path, document(objects(a=RULES)), document(objects(a=bare))) == [
        ("breaking", "clause", "a.b", "removed")
    ]
    assert told(tmp_path, document(objects(a=bare)), document(objects(a=RULES))) == [
        ("notable", "clause", "a.b", "added")
    ]
    assert told(tmp_path, document(objects()), document(objects(a=RULES)))[-1] == ("new", "clause", "a.b", "added")


def test_a_clause_that_goes_with_its_bound_breaks_no_client(tmp_path: Path) -> None:
    bound = {**RULES, "x-clauses": [{**RULES["x-clauses"][0], "rules": ["maxLength"]}]}
    changed = told(tmp_path, document(objects(a=bound)), document(objects(a={"type": "string"})))
    assert changed == [("new", "request", "body/a", "maxLength"), ("new", "clause", "a.b", "removed")]


def test_a_field_s_difference_names_the_clauses_that_speak_of_it(tmp_path: Path) -> None:
    (one,) = found(tmp_path, document(objects(a=RULES)), document(objects(a={**RULES, "maxLength": 7})))
    assert one.clauses == ("a.b",)


def test_what_breaks_a_client_comes_first(tmp_path: Path) -> None:
    before = document(objects(a=RULES, b={"default": 1}, c={"maximum": 1}))
    after = document(objects(a={**RULES, "maxLength": 7}, b={"default": 2}, c={"maximum": 2}))
    assert [one.effect for one in found(tmp_path, before, after)] == list(EFFECTS)


def test_differences_of_one_effect_come_in_the_order_of_the_parts_and_of_the_document(tmp_path: Path) -> None:
    before, after = things(), things()
    after["paths"]["/things"]["get"]["parameters"][0]["schema"] = {"type": "integer", "minimum": 3, "maximum": 9}
    del after["paths"]["/things"]["get"]["responses"]["422"], after["paths"]["/things/{id}"]["delete"]
    del after["components"]["responses"]["Created"]["links"]["delete"]
    del after["paths"]["/things"]["get"]["responses"]["200"]
    after["paths"]["/things"]["get"]["responses"]["202"] = {"description": "later"}
    after["paths"]["/objects"]["post"]["responses"]["409"] = {"description": "exists"}
    after["x-clauses"] = []
    del after["paths"]["/things/{id}"]["get"]["x-examples"]
    assert told(tmp_path, before, after) == [
        ("breaking", "operation", "DELETE /things/{id}", "removed"),
        ("breaking", "request", "query/limit", "minimum"),
        ("breaking", "request", "query/limit", "maximum"),
        ("breaking", "reply", "200", "removed"),
        ("breaking", "clause", "thing.kept", "removed"),
        ("notable", "reply", "202", "added"),
        ("notable", "reply", "409", "added"),
        ("new", "reply", "422", "removed"),
    ]


def test_each_format_contains_all_differences(tmp_path: Path) -> None:
    before, after = objects(a=RULES, b={}), objects(a={**RULES, "maxLength": 7}, b={}, c={"type": "string"})
    one, other = compiled(tmp_path / "a", document(before)), compiled(tmp_path / "b", document(after))
    said = differences(one, other)
    assert summary(said) == "1 breaking, 1 new"
    assert summary(()) == "no difference"
    assert as_table(one, other, said).splitlines() == [
        "Small 1 → Small 1: 1 breaking, 1 new",
        "",
        "breaking: what a client does may fail, or what it reads may be absent",
        "  request    body/a  maxLength: 8 → 7  send  a.b",
        "",
        "new: a client that knows nothing of it goes on as before",
        "  request    body/c  added  send",
    ]
    assert "| request | body/a | maxLength: 8 → 7 | send | a.b |" in as_markdown(one, other, said).splitlines()
    value = json.loads(as_json(one, other, said))
    assert value["before"]["digest"] == one.digest
    assert [entry["what"] for entry in value["differences"]] == ["body/a", "body/c"]


def test_a_client_of_9_0_goes_on_as_before_with_9_1_1() -> None:
    said = differences(load_contract(api_version="9.0"), load_contract())
    assert {one.effect for one in said} == {"notable", "new"}
    by_what = {one.what: one for one in said}
    assert "chat.top-p-range" in by_what["body/top_p"].clauses
    assert by_what["409"].clauses == ("agents.delete-linked",)
    assert by_what["chat.boolean-strict"].effect == "notable"
    bound = by_what["body/description"]
    assert (bound.effect, bound.change, bound.before, bound.after) == ("new", "maxLength", "512", "")
    assert by_what["agents.description-length"].effect == "new"


def test_a_difference_is_at_its_place_in_the_later_contract_or_in_the_earlier_one_if_it_was_removed() -> None:
    one, other = load_contract(api_version="9.0"), load_contract(api_version="9.1.1")
    found = differences(one, other)
    assert {difference.is_removed for difference in found} == {True, False}
    for difference in found:
        assert (one if difference.is_removed else other).at(difference.pointer) is not None
