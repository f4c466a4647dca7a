"""Mutants: how a body is read, and in how its faults are worded."""

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import Field

from benchmarks.detection.hooks import Refusal
from benchmarks.detection.mutants.mutant import planting
from benchmarks.detection.mutators import answering, at_field, faults, json_of, typed
from benchmarks.detection.reference_server import StreamOptions

plant = planting("bodies")
CRASHED = answering(500, {"detail": "Internal Server Error"})
BAD = answering(400, {"detail": "Bad Request"})
OK = answering(200, {"choices": [], "created": 0, "model": "", "usage": {}})


def whole_body(types: str, make: Callable[[Refusal], Response]) -> Any:
    """Return an edit of the refusals of a body as a whole, by the type of the fault."""

    def edit(refusal: Refusal) -> Refusal | Response:
        first = next(iter(faults(refusal)), None)
        at_top = first is not None and (len(first["loc"]) == 1 or first["type"] == "json_invalid")
        return make(refusal) if first and at_top and first["type"] in types.split() else refusal

    return edit


def of_plain_text(answer: Response) -> Any:
    """Return an arrival that answers bodies sent as plain text."""

    def arrive(request: Request, body: bytes, number: int) -> Response | None:
        sent_as = request.headers.get("content-type", "")
        return answer if sent_as.startswith("text/") else None

    return arrive


def whatever_type(app: Any) -> Any:
    """Return an application that takes every body as JSON."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        kept = [header for header in scope.get("headers", []) if header[0] != b"content-type"]
        await app({**scope, "headers": [*kept, (b"content-type", b"application/json")]}, receive, send)

    return wrapped


def on_type(types: tuple[type, ...], answer: Response) -> Any:
    """Return an arrival that answers bodies whose JSON is of a type."""

    def arrive(request: Request, body: bytes, number: int) -> Response | None:
        sent = json_of(body)
        return answer if body.strip() and isinstance(sent, types) and not isinstance(sent, dict) else None

    return arrive


def wrong_types(make: Callable[[Refusal], Refusal | Response]) -> Any:
    """Return an edit of the refusals that list a wrong type at a field."""

    def edit(refusal: Refusal) -> Refusal | Response:
        wrong = any(item["type"].endswith("_type") and len(item["loc"]) == 2 for item in faults(refusal))
        return make(refusal) if wrong else refusal

    return edit


def reworded(make: Callable[[Any], Any]) -> Any:
    """Return an edit of the list of faults."""
    return lambda refusal: answering(422, make(refusal.detail))(refusal) if refusal.kind == "shape" else refusal


def each_fault(make: Callable[[dict[str, Any]], Any]) -> Any:
    """Return an edit of each fault."""
    return reworded(lambda detail: {"detail": [make(dict(item)) for item in detail]})


ANSWER = JSONResponse(
    {
        "created": 1,
        "model": "mixtral-8x7b-instruct",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hm?"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }
)
CRASH = JSONResponse({"detail": "Internal Server Error"}, 500)
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
    plant("plain-text-accepted", "body-content-type", "Reads JSON whatever its content type.", wrap=whatever_type),
    plant(
        "plain-text-415",
        "body-content-type",
        "Refuses plain text with 415.",
        arrive=of_plain_text(JSONResponse({"detail": "Unsupported Media Type"}, 415)),
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
    plant("seed-anything", "field-types", "Takes anything for a seed.", fields=typed(seed=(Any, None))),
    plant(
        "stream-anything",
        "field-types",
        "Takes anything for `stream` that Python takes for true.",
        fields=typed(stream=(Any, None)),
    ),
    plant(
        "create-session-anything",
        "field-types",
        "Takes anything for `create_session`.",
        fields=typed(create_session=(Any, None)),
    ),
    plant(
        "model-type-400",
        "field-types",
        "Refuses a model that is a number as an unexpected one.",
        refuse=at_field("model", "string_type", BAD),
    ),
    plant(
        "stop-of-numbers",
        "field-types",
        "Takes numbers and objects for stop sequences.",
        fields=typed(stop=(list[Any] | None, Field(None, min_length=1))),
    ),
    plant(
        "max-tokens-type-400",
        "field-types",
        "Refuses a `max_tokens` of a wrong type with 400.",
        refuse=at_field("max_tokens", "int_type", BAD),
    ),
    plant(
        "stream-options-anything",
        "stream-options-type",
        "Ignores stream options of a wrong type.",
        fields=typed(stream_options=(StreamOptions | str | int | list[Any] | bool | None, None)),
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
        refuse=lambda refusal: HTMLResponse("<h1>Unprocessable</h1>", 422) if refusal.kind == "shape" else refusal,
    ),
    plant(
        "422-empty",
        "validation-error",
        "Refuses a body with an empty answer.",
        refuse=lambda refusal: Response(status_code=422) if refusal.kind == "shape" else refusal,
    ),
)
MUTANTS = (*READING, *TYPES, *WORDING)
