"""LiteLLM's answers, plain, streamed, and with a tool; prints what came of each."""

import json
import os
import sys

# Or it asks the network for prices while it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm

FUNCTION = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
asking = {
    "model": "openai/agent",
    "base_url": sys.argv[1],
    "api_key": "any",
    "messages": [{"role": "user", "content": "What is the weather in Oslo?"}],
    "extra_body": {"model": ""},
}
plain = litellm.completion(**asking)
streamed = [chunk.choices[0].delta.content or "" for chunk in litellm.completion(**asking, stream=True)]
called = litellm.completion(**asking, tools=[{"type": "function", "function": FUNCTION}]).choices[0]

print(
    json.dumps(
        {
            "content": plain.choices[0].message.content,
            "tokens": plain.usage.total_tokens,
            "streamed": "".join(streamed),
            "called": [call.function.name for call in called.message.tool_calls],
            "finish": called.finish_reason,
        }
    )
)
