"""A plain answer as a whole: its own fields."""

import time
from typing import Any

from server_defects.catalogue.parts import on_messages
from server_defects.defect import planting
from server_defects.hooks import ChatCall
from server_defects.mutators import on_answer, on_choices, on_usage, with_fields, without_fields

plant = planting("reply")


def repeated_id(answer: dict[str, Any], call: ChatCall) -> dict[str, Any]:
    """Return the answer with an id that each second has once."""
    return {**answer, "id": f"chatcmpl-{answer['created'] // 10}"}


def nothing(usage: dict[str, int]) -> dict[str, int]:
    """Return a usage of zeros."""
    return dict.fromkeys(usage, 0)


DEFECTS = (
    plant(
        "tool-calls-an-object",
        "reply-conforms",
        "Gives tool calls as an object.",
        answer=on_messages(lambda said: {**said, "tool_calls": {}}),
    ),
    plant(
        "content-null",
        "reply-content",
        "Gives null for content, though the answer ended by itself, after more tokens than most requests allow.",
        generate=lambda call, index, random_: ["yes"] * 40,
        answer=on_messages(lambda said: said if said.get("tool_calls") else {**said, "content": None}),
    ),
    plant("usage-all-zero", "reply-usage-counted", "Counts nothing.", answer=on_usage(nothing)),
    plant("object-null", "reply-conforms", "Sends null as `object`.", answer=with_fields(object=None)),
    plant(
        "context-a-text",
        "reply-conforms",
        "Sends what it found as a string.",
        answer=with_fields(index_context_info="see library.md"),
    ),
    plant(
        "answer-in-a-list", "reply-conforms", "Wraps the answer in a list.", answer=on_answer(lambda answer: [answer])
    ),
    plant(
        "answer-in-an-envelope",
        "reply-conforms",
        "Wraps the answer in `data`.",
        answer=on_answer(lambda answer: {"data": answer}),
    ),
    plant("id-constant", "reply-id", "Gives all answers the same id.", answer=with_fields(id="chatcmpl-123")),
    plant("id-of-the-moment", "reply-id", "Makes the id of the time, coarsely.", answer=repeated_id),
    plant(
        "id-a-number",
        "reply-id",
        "Gives a number for an id.",
        answer=on_answer(lambda answer: {**answer, "id": int(answer["id"][-8:], 16)}),
    ),
    plant(
        "object-of-a-chunk",
        "reply-object",
        "Calls a plain answer a chunk.",
        answer=with_fields(object="chat.completion.chunk"),
    ),
    plant(
        "object-of-completions",
        "reply-object",
        "Sends the object type of a legacy completion.",
        answer=with_fields(object="text_completion"),
    ),
    plant("created-missing", "reply-created", "Leaves `created` out.", answer=without_fields("created")),
    plant(
        "created-a-date",
        "reply-created",
        "Gives `created` as a date.",
        answer=on_answer(lambda answer: {**answer, "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}),
    ),
    plant(
        "created-with-a-fraction",
        "reply-created",
        "Gives `created` with a fraction.",
        answer=on_answer(lambda answer: {**answer, "created": time.time()}),
    ),
    plant(
        "created-a-text",
        "reply-created",
        "Sends `created` as a string.",
        answer=on_answer(lambda answer: {**answer, "created": str(answer["created"])}),
    ),
    plant(
        "created-in-milliseconds",
        "reply-created-now",
        "Counts `created` in milliseconds.",
        answer=on_answer(lambda answer: {**answer, "created": answer["created"] * 1000}),
    ),
    plant("created-zero", "reply-created-now", "Sends 0 as `created`.", answer=with_fields(created=0)),
    plant(
        "created-of-the-example",
        "reply-created-now",
        "Sends the `created` of the example.",
        answer=with_fields(created=1700173217),
    ),
    plant("model-missing", "reply-model", "Leaves the model out.", answer=without_fields("model")),
    plant("model-null", "reply-model", "Sends null as the model.", answer=with_fields(model=None)),
    plant(
        "model-an-object",
        "reply-model",
        "Gives the model as an object.",
        answer=on_answer(lambda answer: {**answer, "model": {"id": answer["model"]}}),
    ),
    plant("choices-missing", "reply-choices", "Leaves the choices out.", answer=without_fields("choices")),
    plant(
        "choices-an-object",
        "reply-choices",
        "Gives one choice in place of a list.",
        answer=on_answer(lambda answer: {**answer, "choices": answer["choices"][0]}),
    ),
    plant(
        "choices-as-text-completions",
        "reply-choices",
        "Sends choices with text instead of a message.",
        answer=on_choices(
            lambda choice: {"index": choice["index"], "text": choice["message"]["content"], "finish_reason": "stop"}
        ),
    ),
    plant(
        "choices-without-index",
        "reply-choices",
        "Leaves the index of a choice out.",
        answer=on_choices(lambda choice: {"message": choice["message"], "finish_reason": "stop"}),
    ),
    plant(
        "choices-of-deltas",
        "reply-choices",
        "Gives choices a delta in place of a message.",
        answer=on_choices(
            lambda choice: {"index": choice["index"], "delta": choice["message"], "finish_reason": "stop"}
        ),
    ),
)
