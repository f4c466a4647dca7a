"""OpenAI's SDK for Python, over HTTP, against `agent-contract serve`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from openai import (
    AsyncOpenAI,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    OpenAI,
    UnprocessableEntityError,
)
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessageParam

from tests.clients.conftest import TOKEN
from tests.support.serving import Served

#: What the SDK sends is no misuse of a session in any of these tests.
pytestmark = pytest.mark.usefixtures("sound_sessions")

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello!"}]
MODEL = ""  # stands for the agent's own


def client_of(server: Served, agent: str = "demo", token: str = "none-is-asked-for") -> OpenAI:
    return OpenAI(base_url=server.agent(agent), api_key=token, max_retries=0)


@pytest.fixture
def client(served: Served) -> Iterator[OpenAI]:
    with client_of(served) as opened:
        yield opened


@pytest.fixture
def models(served: Served) -> Iterator[OpenAI]:
    """A client that asks models themselves, no agent."""
    with OpenAI(base_url=served.base, api_key="none-is-asked-for", max_retries=0) as opened:
        yield opened


def session_of(answer: ChatCompletion | ChatCompletionChunk) -> Any:
    return (answer.model_extra or {}).get("session_id")


def text_of(answer: ChatCompletion) -> str:
    return answer.choices[0].message.content or ""


def test_a_chat_is_answered(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=HELLO)

    assert answer.object == "chat.completion"
    assert answer.id
    assert answer.model
    assert [choice.index for choice in answer.choices] == [0]
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.role == "assistant"
    assert text_of(answer)
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert session_of(answer) is None


def test_a_streamed_chat_arrives_in_chunks_that_join_to_the_plain_answer(client: OpenAI) -> None:
    plain = client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0)
    with client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0, stream=True) as stream:
        chunks = list(stream)

    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text_of(plain)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert all(chunk.usage is None for chunk in chunks)


def test_a_stream_carries_its_usage_in_the_last_chunk_when_asked_to(client: OpenAI) -> None:
    options: Any = {"include_usage": True}
    with client.chat.completions.create(model=MODEL, messages=HELLO, stream=True, stream_options=options) as stream:
        *before, last = list(stream)

    assert last.usage is not None
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in before)


def test_the_streaming_helper_of_the_sdk_gathers_the_same_answer(client: OpenAI) -> None:
    plain = client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0)
    with client.chat.completions.stream(model=MODEL, messages=HELLO, temperature=0) as stream:
        gathered = stream.get_final_completion()

    assert text_of(gathered) == text_of(plain)


def test_a_streamed_chat_of_two_choices_finishes_both(client: OpenAI) -> None:
    with client.chat.completions.create(model=MODEL, messages=HELLO, n=2, temperature=0.7, stream=True) as stream:
        choices = [choice for chunk in stream for choice in chunk.choices]

    assert sorted(choice.index for choice in choices if choice.finish_reason) == [0, 1]


def test_n_gives_that_many_choices(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=HELLO, n=3, temperature=0.7)

    assert [choice.index for choice in answer.choices] == [0, 1, 2]


def test_an_answer_ends_before_a_stop_sequence(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0)
    first, second, *_ = text_of(answer).split(" ")
    stopped = client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0, stop=[second])

    assert text_of(stopped).rstrip() == first
    assert stopped.choices[0].finish_reason == "stop"


def test_an_answer_that_max_tokens_cut_has_the_finish_reason_length(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=3)

    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3


def test_a_session_is_created_and_extended(client: OpenAI) -> None:
    """Whether the session's turns are context shows in the prompt's tokens."""
    create = client.chat.completions.create
    opened = create(model=MODEL, messages=HELLO, extra_body={"create_session": True})
    session = session_of(opened)
    second = create(model=MODEL, messages=HELLO, extra_body={"store_in_session": session})
    third = create(model=MODEL, messages=HELLO, extra_body={"store_in_session": session})
    apart = create(model=MODEL, messages=HELLO)

    assert session
    assert session_of(second) == session_of(third) == session
    assert opened.usage and second.usage and third.usage and apart.usage
    assert apart.usage.prompt_tokens == opened.usage.prompt_tokens
    assert apart.usage.prompt_tokens < second.usage.prompt_tokens < third.usage.prompt_tokens


def test_a_stream_creates_a_session_too(client: OpenAI) -> None:
    body = {"create_session": True}
    with client.chat.completions.create(model=MODEL, messages=HELLO, stream=True, extra_body=body) as stream:
        sessions = {session_of(chunk) for chunk in stream}
    (session,) = sessions
    again = client.chat.completions.create(model=MODEL, messages=HELLO, extra_body={"store_in_session": session})

    assert session
    assert session_of(again) == session


def test_an_unknown_role_is_a_bad_request(client: OpenAI) -> None:
    narrator: Any = [{"role": "narrator", "content": "Once upon a time."}]
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(model=MODEL, messages=narrator)

    assert refused.value.status_code == 400
    assert "narrator" in refused.value.response.json()["detail"]


def test_a_model_that_is_not_the_agents_is_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(BadRequestError):
        client.chat.completions.create(model="gpt-unknown", messages=HELLO)


def test_an_unknown_agent_is_not_found(served: Served) -> None:
    with client_of(served, agent="00000000-0000-4000-8000-0000000000ff") as client, pytest.raises(NotFoundError):
        client.chat.completions.create(model=MODEL, messages=HELLO)


def test_an_unknown_session_is_not_found(client: OpenAI) -> None:
    body = {"store_in_session": "00000000-0000-4000-8000-0000000000fe"}
    with pytest.raises(NotFoundError):
        client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=body)


@pytest.mark.parametrize("stream", [False, True])
def test_a_temperature_above_two_is_unprocessable_and_has_its_place(client: OpenAI, stream: bool) -> None:
    with pytest.raises(UnprocessableEntityError) as refused:
        client.chat.completions.create(model=MODEL, messages=HELLO, temperature=2.1, stream=stream)

    (detail,) = refused.value.response.json()["detail"]
    assert (detail["loc"], detail["type"]) == (["body", "temperature"], "less_than_equal")


def test_a_stop_that_is_one_text_is_unprocessable(client: OpenAI) -> None:
    """OpenAI's endpoint accepts a string here, this one only a list: a trap for ported clients."""
    with pytest.raises(UnprocessableEntityError):
        client.chat.completions.create(model=MODEL, messages=HELLO, stop=".")


def test_a_wrong_token_is_an_authentication_error(guarded: Served) -> None:
    with client_of(guarded, token="wrong") as client, pytest.raises(AuthenticationError) as refused:
        client.chat.completions.create(model=MODEL, messages=HELLO)

    assert refused.value.status_code == 401
    assert refused.value.response.headers["www-authenticate"].startswith("Bearer")


def test_the_right_token_is_let_in(guarded: Served) -> None:
    with client_of(guarded, token=TOKEN) as client:
        assert text_of(client.chat.completions.create(model=MODEL, messages=HELLO))


def test_the_asynchronous_client_chats_and_streams(served: Served) -> None:
    async def chat() -> tuple[str, str]:
        async with AsyncOpenAI(base_url=served.agent(), api_key="none-is-asked-for", max_retries=0) as client:
            plain = await client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0)
            stream = await client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0, stream=True)
            return text_of(plain), "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    plain, streamed = asyncio.run(chat())
    assert plain == streamed


def test_the_models_are_listed_and_one_of_them_answers_without_an_agent(models: OpenAI) -> None:
    completing = [
        model.id for model in models.models.list() if (model.model_extra or {})["model_type"] == "COMPLETIONS"
    ]
    told: list[ChatCompletionMessageParam] = [{"role": "system", "content": "Be brief."}, *HELLO]
    answer = models.chat.completions.create(model=completing[0], messages=told)
    with models.chat.completions.create(model=completing[0], messages=told, stream=True) as stream:
        streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    assert (answer.model, streamed) == (completing[0], text_of(answer))
    with pytest.raises(NotFoundError):
        models.chat.completions.create(model="gpt-unknown", messages=HELLO)


def test_embeddings_are_decoded_from_what_the_sdk_asks_for_by_itself(models: OpenAI) -> None:
    texts = ["The sea is calm.", "The sea was rough.", "My bicycle needs tyres."]
    decoded = models.embeddings.create(model="bge-small-en-v1.5", input=texts)
    written = models.embeddings.create(model="bge-small-en-v1.5", input=texts, encoding_format="float")
    small = models.embeddings.create(model="bge-small-en-v1.5", input=texts[0], dimensions=5)
    first, near, far = (one.embedding for one in decoded.data)

    assert [one.embedding for one in written.data] == [first, near, far]
    assert sum(a * b for a, b in zip(first, near, strict=True)) > sum(a * b for a, b in zip(first, far, strict=True))
    assert len(small.data[0].embedding) == 5
    assert decoded.usage.total_tokens == 15


def test_a_legacy_completion_goes_on_from_a_prompt_plain_and_streamed(client: OpenAI) -> None:
    plain = client.completions.create(model=MODEL, prompt=["Once upon a time", "Dear Sir,"], max_tokens=9)
    with client.completions.create(model=MODEL, prompt="Once upon a time", max_tokens=9, stream=True) as stream:
        streamed = "".join(chunk.choices[0].text for chunk in stream)

    assert (plain.object, [choice.index for choice in plain.choices]) == ("text_completion", [0, 1])
    assert streamed == plain.choices[0].text
    assert plain.usage is not None
    assert plain.usage.completion_tokens == 18


def test_an_agent_is_created_asked_changed_and_deleted(models: OpenAI) -> None:
    """The SDK's own calls for assistants expect OpenAI's objects; its plain ones reach this API's."""
    agent: Any = models.post("/agents", body={"model": "mistral-7b", "name": "sdk"}, cast_to=object)
    asked = models.with_options(base_url=f"{models.base_url}agents/{agent['id']}")
    changed: Any = models.post(f"/agents/{agent['id']}", body={"description": "Asked."}, cast_to=object)
    listed: Any = models.get("/agents", options={"params": {"name": "sdk"}}, cast_to=object)

    assert asked.chat.completions.create(model=MODEL, messages=HELLO).model == "mistral-7b"
    assert changed == {**agent, "description": "Asked."}
    assert listed["data"] == [changed]
    models.delete(f"/agents/{agent['id']}", cast_to=object)
    with pytest.raises(NotFoundError):
        asked.chat.completions.create(model=MODEL, messages=HELLO)
