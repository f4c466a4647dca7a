"""pydantic-ai's agent loop, and an answer of a type that it asks for; prints what came of each."""

import json
import sys

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

QUESTION = "What is the weather in Oslo?"
asked: list[str] = []


class Report(BaseModel):
    """What is known of the weather somewhere."""

    city: str
    degrees: int
    sunny: bool


def weather(city: str) -> str:
    """Return the weather in a city."""
    asked.append(city)
    return "Sunny, 21 degrees."


model = OpenAIChatModel("", provider=OpenAIProvider(base_url=sys.argv[1], api_key="any"))
answer = Agent(model, tools=[weather]).run_sync(QUESTION).output
report = Agent(model, output_type=Report).run_sync(QUESTION).output

print(json.dumps({"asked": len(asked), "answer": answer, "report": type(report).__name__}))
