"""How a body is read, and in how its faults are worded."""

from collections.abc import Callable
from typing import Any

from agent_contract.messages import Reply, Request
from server_defects.defect import planting
from server_defects.hooks import Refusal
from server_defects.mutators import answering, at_field, faults, json_of
from server_defects.replies import empty_reply, json_reply, page_reply

plant = planting("bodies")
CRASHED = answering(500, {"detail": "Internal Server Error"})
BAD = answering(400, {"detail": "Bad Request"})


def whole_body(types: str, make: Callable[[Refusal], Reply]) -> Any:
    """Return an edit of the refusals of a body as a whole, by the type of the fault."""

    def edit(refusal: Refusal) -> Refusal | Reply:
        first = next(iter(faults(refusal)), None)
        at_top = first is not None and (len(first["loc"]) == 1 or first["type"] == "json_invalid")
        return make(refusal) if first and at_top and first["type"] in types.split() else refusal

    return edit


def of_plain_text(answer: Reply) -> Any:
    """Return an arrival that answers bodies sent as plain text."""

    def arrive(request: Request, body: bytes, number: int) -> Reply | None:
        sent_as = request.headers.get("content-type", "")
        return answer if sent_as.startswith("text/") else None

    return arrive


def on_type(types: tuple[type, ...], answer: Reply) -> Any:
    """Return an arrival that answers bodies whose JSON is of a type."""

    def arrive(request: Request, body: bytes, number: int) -> Reply | None:
        sent = json_of(body)
        return answer if body.strip() and isinstance(sent, types) and not isinstance(sent, dict) else None

    return arrive


def wrong_types(make: Callable[[Refusal], Refusal | Reply]) -> Any:
    """Return an edit of the refusals that list a wrong type at a field."""

    def edit(refusal: Refusal) -> Refusal | Reply:
        wrong = any(item["type"].endswith("_type") and len(item["loc"]) == 2 for item in faults(refusal))
        return make(refusal) if wrong else refusal

    return edit


def reworded(make: Callable[[Any], Any]) -> Any:
    """Return an edit of the list of faults."""
    return lambda refusal: answering(422, make(refusal.detail))(refusal) if refusal.kind == "shape" else refusal


def each_fault(make: Callable[[dict[str, Any]], Any]) -> Any:
    """Return an edit of each fault."""
    return reworded(lambda detail: {"detail": [make(dict(item)) for item in detail]})


ANSWER = json_reply(
    {
        "created": 1,
        "model": "mixtral-8x7b-instruct",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hm?"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }
)
CRASH = json_reply({"detail": "Internal Server Error"}, 500)
READING = (
    plant("body-missing-400", "body-missing", "Refuses a missing body with 400.", refuse=whole_body("missing", BAD)),
    plant("body-missing-crash", "body-missing", "Crashes on a missing body.", refuse=whole_body("missing", CRASHED)),
    plant(
        "body-missing-411",
        "body-missing",
        "Refuses a missing body with 411.",
        refuse=whole_body("missing", answering(411, {})),
    ),
    plant(
        "body-malformed-400",
        "body-malformed",
        "Refuses malformed JSON with 400.",
        refuse=whole_body("json_invalid", BAD),
    ),
    plant(
        "body-malformed-crash",
        "body-malformed",
        "Crashes on malformed JSON.",
        refuse=whole_body("json_invalid", CRASHED),
    ),
    plant(
        "body-malformed-200",
        "body-malformed",
        "Answers malformed JSON with 200 and an error in it.",
        refuse=whole_body("json_invalid", answering(200, {"error": "invalid JSON"})),
    ),
    plant(
        "body-list-crash",
        "body-not-an-object",
        "Crashes if the body is a list.",
        arrive=on_type((list,), CRASH),
    ),
    plant(
        "body-not-an-object-400",
        "body-not-an-object",
        "Refuses a body that is not an object with 400.",
        refuse=whole_body("model_attributes_type", BAD),
    ),
    plant(
        "body-null-answered", "body-not-an-object", "Answers a body of null.", arrive=on_type((type(None), str), ANSWER)
    ),
    plant(
        "plain-text-415",
        "body-content-type",
        "Refuses plain text with 415.",
        arrive=of_plain_text(json_reply({"detail": "Unsupported Media Type"}, 415)),
    ),
    plant("plain-text-crash", "body-content-type", "Crashes on plain text.", arrive=of_plain_text(CRASH)),
)
TYPES = (
    plant("types-400", "field-types", "Refuses wrong types with 400.", refuse=wrong_types(BAD)),
    plant("types-crash", "field-types", "Crashes on wrong types.", refuse=wrong_types(CRASHED)),
    plant(
        "messages-type-crash",
        "field-types",
        "Crashes if `messages` is a string.",
        refuse=at_field("messages", "list_type", CRASHED),
    ),
    plant(
        "model-type-400",
        "field-types",
        "Refuses a model that is a number as an unexpected one.",
        refuse=at_field("model", "string_type", BAD),
    ),
    plant(
        "max-tokens-type-400",
        "field-types",
        "Refuses a `max_tokens` of a wrong type with 400.",
        refuse=at_field("max_tokens", "int_type", BAD),
    ),
    plant(
        "stream-options-crash",
        "stream-options-type",
        "Crashes on stream options of a wrong type.",
        refuse=at_field("stream_options", "", CRASHED),
    ),
    plant(
        "stream-options-400",
        "stream-options-type",
        "Refuses stream options of a wrong type with 400.",
        refuse=at_field("stream_options", "", BAD),
    ),
    plant(
        "messages-of-anything",
        "messages-items",
        "Takes a string for a message of the user.",
        arrive=lambda request, body, number: ANSWER if texts_in(body) else None,
    ),
    plant(
        "messages-of-texts-crash",
        "messages-items",
        "Crashes if a message is a string.",
        refuse=at_field("messages", "model_attributes_type", CRASHED),
    ),
    plant(
        "messages-of-texts-400",
        "messages-items",
        "Refuses a message that is a string with 400.",
        refuse=at_field("messages", "model_attributes_type", BAD),
    ),
)


def texts_in(body: bytes) -> bool:
    """Whether a body has messages that are all strings."""
    sent = json_of(body)
    messages = sent.get("messages") if isinstance(sent, dict) else None
    return isinstance(messages, list) and bool(messages) and not any(isinstance(item, dict) for item in messages)


WORDING = (
    plant(
        "detail-a-text",
        "validation-error",
        "Sends the faults of a body as a string.",
        refuse=reworded(lambda detail: {"detail": str(detail[0]["msg"])}),
    ),
    plant(
        "detail-as-openai",
        "validation-error",
        "Refuses a body in the shape of OpenAI's errors.",
        refuse=reworded(lambda detail: {"error": {"message": detail[0]["msg"], "type": "invalid_request_error"}}),
    ),
    plant(
        "detail-an-object",
        "validation-error",
        "Gives one fault in place of a list.",
        refuse=reworded(lambda detail: {"detail": detail[0]}),
    ),
    plant("detail-of-texts", "validation-error", "Sends only strings.", refuse=each_fault(lambda item: item["msg"])),
    plant(
        "detail-without-loc",
        "validation-error",
        "Does not send the location of a fault.",
        refuse=each_fault(lambda item: {key: item[key] for key in ("type", "msg")}),
    ),
    plant(
        "loc-a-text",
        "validation-error",
        "Sends the location of a fault as a string.",
        refuse=each_fault(lambda item: {**item, "loc": ".".join(map(str, item["loc"]))}),
    ),
    plant(
        "detail-without-type",
        "validation-error",
        "Leaves out the type of a fault.",
        refuse=each_fault(lambda item: {"loc": item["loc"], "msg": item["msg"]}),
    ),
    plant(
        "msg-a-list",
        "validation-error",
        "Gives the words on a fault as a list.",
        refuse=each_fault(lambda item: {**item, "msg": [item["msg"]]}),
    ),
    plant(
        "422-a-page",
        "validation-error",
        "Refuses a body with a page.",
        refuse=lambda refusal: page_reply("<h1>Unprocessable</h1>", 422) if refusal.kind == "shape" else refusal,
    ),
    plant(
        "422-empty",
        "validation-error",
        "Refuses a body with an empty answer.",
        refuse=lambda refusal: empty_reply(422) if refusal.kind == "shape" else refusal,
    ),
)
DEFECTS = (*READING, *TYPES, *WORDING)
