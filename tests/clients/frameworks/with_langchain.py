"""LangChain's agent loop, its streamed calls and its structured output; prints what came of each."""

import json
import sys

from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

QUESTION = "What is the weather in Oslo?"
asked: list[str] = []


class Report(BaseModel):
    """What is known of the weather somewhere."""

    city: str
    degrees: int
    sunny: bool


@tool
def weather(city: str) -> str:
    """Return the weather in a city."""
    asked.append(city)
    return "Sunny, 21 degrees."


model = ChatOpenAI(model="", base_url=sys.argv[1], api_key="any", max_retries=0)
messages = create_agent(model, [weather]).invoke({"messages": [("user", QUESTION)]})["messages"]

whole = AIMessageChunk("")
for chunk in model.bind_tools([weather]).stream(QUESTION):
    whole += chunk

report = model.with_structured_output(Report, method="json_schema").invoke(QUESTION)

print(
    json.dumps(
        {
            "asked": len(asked),
            "roles": [message.type for message in messages],
            "last": messages[-1].content,
            "streamed": [[call["name"], sorted(call["args"])] for call in whole.tool_calls],
            "report": type(report).__name__,
        }
    )
)
