"""Clients that many use, each doing what its users do: a failure in any variant would be a false accusation.

Run as a program with the name of a client, it reads base URLs by variant from standard input as JSON, and writes the
error of each variant in which the client fails.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

# Or LiteLLM asks the network for prices while it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
import openai
from langchain_core.messages import AIMessageChunk
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

QUESTION = "What is the weather in Köln?"
MESSAGES: Any = [{"role": "user", "content": QUESTION}]
FUNCTION = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
TOOLS: Any = [{"type": "function", "function": FUNCTION}]
UNKNOWN = "00000000-0000-4000-8000-000000000007"


def openai_sdk(base_url: str) -> None:
    """Chat with OpenAI's SDK: whole, streamed, in a session, with a tool, and into a refusal."""
    with openai.OpenAI(base_url=base_url, api_key="any") as client:
        create: Any = client.chat.completions.create
        whole = create(model="", messages=MESSAGES, extra_body={"create_session": True})
        assert whole.choices[0].message.content
        chunks = create(
            model="", messages=MESSAGES, stream=True, n=2, extra_body={"store_in_session": whole.session_id}
        )
        texts = ["", ""]
        for chunk in chunks:
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
        assert all(texts)
        called = create(model="", messages=MESSAGES, tools=TOOLS, tool_choice="required")
        assert called.choices[0].message.tool_calls[0].function.name == "weather"
        try:
            create(model="", messages=MESSAGES, extra_body={"store_in_session": UNKNOWN})
        except openai.NotFoundError:
            return
    raise AssertionError("an unknown session was accepted")


def openai_sdk_async(base_url: str) -> None:
    """Chat with the asynchronous client, and its helper for streams."""

    async def use() -> None:
        async with openai.AsyncOpenAI(base_url=base_url, api_key="any") as client:
            whole = await client.chat.completions.create(model="", messages=MESSAGES)
            async with client.chat.completions.stream(model="", messages=MESSAGES) as stream:
                final = await stream.get_final_completion()
            assert final.choices[0].message.content == whole.choices[0].message.content

    asyncio.run(use())


def langchain(base_url: str) -> None:
    """Invoke and stream LangChain's model, and bind a tool to it."""

    @tool
    def weather(city: str) -> str:
        """Return the weather in a city."""
        return f"sunny in {city}"

    model = ChatOpenAI(model="", base_url=base_url, api_key=SecretStr("any"))
    assert model.invoke(QUESTION).content
    whole: Any = AIMessageChunk(content="")
    for chunk in model.bind_tools([weather], tool_choice="weather").stream(QUESTION):
        whole += chunk
    assert [call["name"] for call in whole.tool_calls] == ["weather"]


def lite_llm(base_url: str) -> None:
    """Complete with LiteLLM, whole and streamed."""
    asking = {
        "model": "openai/agent",
        "base_url": base_url,
        "api_key": "any",
        "messages": MESSAGES,
        "num_retries": 2,
        "extra_body": {"model": ""},
    }
    assert litellm.completion(**asking).choices[0].message.content
    assert "".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(**asking, stream=True))


def pydantic_ai(base_url: str) -> None:
    """Run an agent of pydantic-ai with a tool, and stream another."""
    model = OpenAIChatModel("", provider=OpenAIProvider(base_url=base_url, api_key="any"))
    agent = Agent(model)

    @agent.tool_plain
    def weather(city: str) -> str:
        return f"sunny in {city}"

    assert agent.run_sync(QUESTION).output

    async def stream() -> str:
        async with Agent(model).run_stream(QUESTION) as found:
            return str(await found.get_output())

    assert asyncio.run(stream())


SOUND: Mapping[str, Callable[[str], None]] = {
    "openai": openai_sdk,
    "openai-async": openai_sdk_async,
    "langchain": langchain,
    "litellm": lite_llm,
    "pydantic-ai": pydantic_ai,
}


def errors_of(use: Callable[[str], None], urls: Mapping[str, str]) -> dict[str, str]:
    """Return the error of each variant in which a client fails."""
    found: dict[str, str] = {}
    for variant, url in urls.items():
        try:
            use(url)
        except Exception:
            found[variant] = traceback.format_exc()
    return found


if __name__ == "__main__":
    print("\n" + json.dumps(errors_of(SOUND[sys.argv[1]], json.load(sys.stdin))))
