"""The parts of a plain answer: messages, reasons, usage, passages, and its content type."""

from dataclasses import replace
from typing import Any

from agent_contract.messages import Reply
from server_defects.defect import planting
from server_defects.hooks import ChatCall
from server_defects.mutators import on_choices, on_usage, with_fields, without_fields
from server_defects.replies import page_reply

plant = planting("reply")
PASSAGES: list[dict[str, Any]] = [
    {
        "text": "A borrowed book may be kept for four weeks.",
        "metadata": {
            "document_id": "00000000-0000-4000-8000-000000000007",
            "score": 0.71,
            "origin_name": "library.md",
            "media_type": "text/markdown",
            "origin_ref": "https://library.example/rules",
        },
    }
]


def typed_as(media_type: str) -> Any:
    """Return an edit that gives plain answers another media type."""

    def edit(response: Reply, call: ChatCall) -> Reply:
        return response if call.streams else replace(response, headers={**response.headers, "content-type": media_type})

    return edit


def in_a_page(response: Reply, call: ChatCall) -> Reply:
    """Return a plain answer as a page."""
    return response if call.streams else page_reply(f"<pre>{response.content().decode()}</pre>")


def untyped(response: Reply, call: ChatCall) -> Reply:
    """Return a plain answer without a content type."""
    if call.streams:
        return response
    return replace(
        response, headers={name: value for name, value in response.headers.items() if name != "content-type"}
    )


def passage(**changes: Any) -> Any:
    """Return an edit that answers from knowledge, its passage changed; None takes a part away."""
    metadata = {key: value for key, value in {**PASSAGES[0]["metadata"], **changes}.items() if value is not None}
    return with_fields(index_context_info=[{"text": PASSAGES[0]["text"], "metadata": metadata}])


def on_messages(edit: Any) -> Any:
    """Return an edit of each choice's message."""
    return on_choices(lambda choice: {**choice, "message": edit(choice["message"])})


def reason(words: dict[str, Any]) -> Any:
    """Return an edit of the reasons for which choices ended."""
    return on_choices(
        lambda choice: {**choice, "finish_reason": words.get(choice["finish_reason"], choice["finish_reason"])}
    )


def usage(**parts: Any) -> Any:
    """Return an edit of the usage's parts, by functions of the usage."""
    return on_usage(lambda counted: {**counted, **{name: part(counted) for name, part in parts.items()}})


DEFECTS = (
    plant(
        "message-without-role",
        "reply-message",
        "Leaves the role of a message out.",
        answer=on_messages(lambda said: {"content": said["content"]}),
    ),
    plant(
        "message-without-content",
        "reply-message",
        "Leaves the content of a message out.",
        answer=on_messages(lambda said: {"role": "assistant"}),
    ),
    plant(
        "message-of-parts",
        "reply-message",
        "Gives content as a list of parts.",
        answer=on_messages(lambda said: {**said, "content": [{"type": "text", "text": said["content"]}]}),
    ),
    plant(
        "message-a-text",
        "reply-message",
        "Sends a string instead of a message.",
        answer=on_messages(lambda said: said["content"]),
    ),
    plant(
        "role-null",
        "reply-message",
        "Sends null as the role of a message.",
        answer=on_messages(lambda said: {**said, "role": None}),
    ),
    plant(
        "reason-of-its-own",
        "reply-finish-reason",
        "Ends with the reason `eos_token`.",
        answer=reason({"stop": "eos_token"}),
    ),
    plant(
        "reason-in-capitals",
        "reply-finish-reason",
        "Writes its reasons in capitals.",
        answer=reason({"stop": "STOP", "length": "LENGTH"}),
    ),
    plant(
        "reason-of-another-api",
        "reply-finish-reason",
        "Ends with `end_turn` and `max_tokens`.",
        answer=reason({"stop": "end_turn", "length": "max_tokens"}),
    ),
    plant(
        "reason-empty", "reply-finish-reason", "Ends with an empty reason.", answer=reason({"stop": "", "length": ""})
    ),
    plant("usage-missing", "reply-usage", "Leaves the usage out.", answer=without_fields("usage")),
    plant("usage-null", "reply-usage", "Sends null as the usage.", answer=with_fields(usage=None)),
    plant(
        "usage-without-completion",
        "reply-usage",
        "Leaves the tokens of the completion out.",
        answer=on_usage(lambda counted: {key: counted[key] for key in ("prompt_tokens", "total_tokens")}),
    ),
    plant(
        "usage-negative",
        "reply-usage",
        "Counts what was cached as negative.",
        answer=usage(prompt_tokens=lambda c: -3, total_tokens=lambda c: c["completion_tokens"] - 3),
    ),
    plant(
        "usage-of-texts",
        "reply-usage",
        "Sends strings as counts.",
        answer=on_usage(lambda counted: {key: str(value) for key, value in counted.items()}),
    ),
    plant(
        "usage-with-fractions",
        "reply-usage",
        "Estimates tokens with fractions.",
        answer=on_usage(lambda counted: {key: value + 0.5 for key, value in counted.items()}),
    ),
    plant(
        "usage-total-of-the-prompt",
        "reply-usage-sum",
        "Counts the prompt alone as the total.",
        answer=usage(total_tokens=lambda c: c["prompt_tokens"]),
    ),
    plant(
        "usage-total-off-by-one",
        "reply-usage-sum",
        "Counts one token too many.",
        answer=usage(total_tokens=lambda c: c["total_tokens"] + 1),
    ),
    plant("usage-total-zero", "reply-usage-sum", "Sends 0 as the total.", answer=usage(total_tokens=lambda c: 0)),
    plant(
        "usage-total-doubled",
        "reply-usage-sum",
        "Counts the prompt twice in the total.",
        answer=usage(total_tokens=lambda c: c["total_tokens"] + c["prompt_tokens"]),
    ),
    plant("context-without-score", "reply-context", "Leaves the score of a passage out.", answer=passage(score=None)),
    plant(
        "context-document-a-name",
        "reply-context",
        "Gives a document's name for its id.",
        answer=passage(document_id="library.md"),
    ),
    plant(
        "context-score-a-text",
        "reply-context",
        "Sends a string as the score of a passage.",
        answer=passage(score="0.71"),
    ),
    plant(
        "context-without-text",
        "reply-context",
        "Leaves the text of a passage out.",
        answer=with_fields(index_context_info=[{"metadata": PASSAGES[0]["metadata"]}]),
    ),
    plant(
        "session-id-a-name",
        "reply-session-id",
        "Sends with every answer a session's id that is not a uuid.",
        answer=with_fields(session_id="sess_42"),
    ),
    plant("answer-as-text", "reply-content-type", "Sends its JSON as plain text.", respond=typed_as("text/plain")),
    plant(
        "answer-as-bytes",
        "reply-content-type",
        "Sends its JSON as bytes.",
        respond=typed_as("application/octet-stream"),
    ),
    plant("answer-as-a-page", "reply-content-type", "Sends its answer as a page.", respond=in_a_page),
    plant("answer-untyped", "reply-content-type", "Sends its JSON without a content type.", respond=untyped),
)
