"""Whatever is sent to the operations around the chat, the answer is one that the document lists."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_contract import Operation
from tests.mockserver.support.api_client import COMPLETER, EMBEDDER, ApiClient
from tests.mockserver.support.chat_client import CONTRACT

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
#: What gets through to the behaviours more often than chance would.
VALID: dict[str, Any] = {
    "model": st.sampled_from([COMPLETER, EMBEDDER, "other", ""]),
    "messages": st.just([{"role": "user", "content": "Hello!"}]),
    "input": st.text() | st.lists(st.text(), min_size=1, max_size=3),
    "prompt": st.text() | st.lists(st.text(), min_size=1, max_size=3),
    "tools": st.lists(
        st.fixed_dictionaries(
            {"link_type": st.text(), "tool_id": st.uuids().map(str)},
            optional={"top_n": st.integers() | st.just(10**300), "similarity_cutoff": st.floats(-1, 2) | st.integers()},
        ),
        max_size=2,
    ),
    "index_id": st.uuids().map(str),
    "metadata": st.dictionaries(st.text(), st.text(), max_size=3),
    "encoding_format": st.sampled_from(["float", "base64"]),
    "data_origin_type": st.sampled_from(["LOCAL_FILES", "DATA_SOURCES"]),
    "index_refresh_policy": st.just({"policy_type": "MANUAL"}),
    "embeddings_model_endpoint": st.sampled_from([EMBEDDER, COMPLETER, "other"]),
    "text_splitting": st.text(),
    "chunk_size": st.integers(100) | st.just(10**300) | st.just(100.0),
    "text": st.text(),
}
NEEDED = ("messages", "input", "prompt", *list(VALID)[-6:])
NUMBERS = st.integers() | st.integers(1, 20) | st.integers(1, 20).map(float) | st.floats(-1, 10) | st.just(10**300)


WITH_BODIES = [
    operation
    for operation in CONTRACT.operations.values()
    # The chat has such a test of its own, and the operations of assistants act as those of agents do.
    if operation.request_body
    and "application/json" in operation.request_body.content
    and "Assistant" not in operation.id
    and operation.id != "createAgentChatCompletion"
]


def bodies(operation: Operation) -> st.SearchStrategy[Any]:
    """Most are a body that does, with a field or three of anything in it."""
    listed = sorted(operation.request_fields)
    sound: dict[str, Any] = {name: VALID[name] for name in NEEDED if name in listed}
    sound["model"] = st.just(EMBEDDER if "input" in listed else COMPLETER)
    field = st.sampled_from(listed).flatmap(lambda name: st.tuples(st.just(name), VALID.get(name, NUMBERS) | JSON))
    odd = st.lists(field, min_size=1, max_size=3).map(dict)
    whole = st.tuples(st.fixed_dictionaries(sound), odd).map(lambda parts: {**parts[0], **parts[1]})
    return whole | whole | whole | odd | JSON


@pytest.mark.parametrize("operation", WITH_BODIES, ids=lambda operation: operation.id)
@given(data=st.data())
def test_any_body_gets_a_documented_answer(operation: Operation, data: st.DataObject) -> None:
    call, path = ApiClient(), operation.path
    for parameter in operation.parameters:
        path = path.replace("{" + parameter.name + "}", str(parameter.example))
    reply = call.exchange("POST", path, data.draw(bodies(operation))).reply
    assert reply.status < 500
    assert call.status("GET", "/agents") == 200


@given(
    query=st.dictionaries(
        st.sampled_from([parameter.name for parameter in CONTRACT.operations["listAgents"].parameters]),
        st.text() | st.integers().map(str) | st.uuids().map(str) | st.sampled_from(["asc", "desc", "true", "5"]),
    )
)
def test_any_query_of_a_list_gets_a_documented_answer(query: dict[str, str]) -> None:
    assert ApiClient().status("GET", "/assistants", **query) in {200, 400, 422}
