"""What can be wrong with models: their list, a chat with one, embeddings."""

from server_defects.defect import planting
from server_defects.resource_mutators import answering, each, intercepting, with_status, without

models = planting("models", family="models")
chat = planting("models", family="model-chat")
embeddings = planting("models", family="embeddings")
#: The path for a chat with a model, which no chat with an agent has.
CHAT = "/v1/chat/completions"
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "mixtral-8x7b-instruct",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6},
}


DEFECTS = (
    models(
        "models-bare",
        "list",
        "Lists models as a bare array.",
        resource=answering("models", lambda value: value["data"]),
    ),
    models(
        "models-names-alone",
        "list",
        "Lists the names of models in place of models.",
        resource=answering("models", each(lambda model: model["id"])),
    ),
    models(
        "models-without-ids", "list", "Lists models without ids.", resource=answering("models", each(without("id")))
    ),
    models(
        "models-object-models",
        "list-object",
        "Calls the list of models `models`.",
        resource=answering("models", lambda value: {**value, "object": "models"}),
    ),
    models(
        "models-type-in-lower-case",
        "type",
        "Writes the type of a model in lower case.",
        resource=answering("models", each(lambda model: {**model, "model_type": model["model_type"].lower()})),
    ),
    models(
        "models-type-chat",
        "type",
        "Calls the models that chat `CHAT`.",
        resource=answering(
            "models", each(lambda model: {**model, "model_type": model["model_type"].replace("COMPLETIONS", "CHAT")})
        ),
    ),
    models(
        "models-engine-a-number",
        "engine",
        "Numbers its engines.",
        resource=answering("models", each(lambda model: {**model, "model_engine": 4})),
    ),
    models(
        "models-without-engine",
        "list",
        "Lists models without their engine.",
        resource=answering("models", each(lambda model: {k: v for k, v in model.items() if k != "model_engine"})),
    ),
    models(
        "model-unknown-400",
        "unknown",
        "Refuses a chat with an unknown model with 400.",
        resource=with_status("model-chat-kind", 404, 400),
    ),
    models(
        "model-unknown-500",
        "unknown",
        "Fails on embeddings by an unknown model.",
        resource=with_status("embed", 404, 500),
    ),
    chat(
        "model-chat-without-model",
        "model-required",
        "Answers a chat that names neither agent nor model.",
        arrive=intercepting("POST", CHAT, 200, ANSWER, lambda body: b'"model"' not in body),
    ),
    chat(
        "model-chat-without-messages",
        "messages-required",
        "Answers a chat with a model that has no messages.",
        arrive=intercepting("POST", CHAT, 200, ANSWER, lambda body: b'"messages"' not in body),
    ),
    chat(
        "model-chat-without-messages-400",
        "messages-required",
        "Refuses a chat with a model that has no messages with 400.",
        arrive=intercepting("POST", CHAT, 400, {"detail": "No messages"}, lambda body: b'"messages"' not in body),
    ),
    chat(
        "model-chat-uncounted",
        "answer",
        "Answers a chat with a model without usage.",
        resource=answering("model-chat", without("usage")),
    ),
    chat(
        "model-chat-as-text",
        "answer",
        "Answers a chat with a model with the bare text.",
        resource=answering("model-chat", lambda value: value["choices"][0]["message"]["content"]),
    ),
    chat(
        "model-chat-fails",
        "answer",
        "Fails on every chat with a model.",
        resource=with_status("model-chat", 200, 500),
    ),
    chat(
        "model-chat-stream-unended",
        "stream",
        "Leaves [DONE] out of the stream of a chat with a model.",
        resource=answering("model-chat-stream", lambda frames: frames[:-1]),
    ),
    chat(
        "model-chat-stream-empty",
        "stream",
        "Streams [DONE] and nothing else in a chat with a model.",
        resource=answering("model-chat-stream", lambda frames: frames[-1:]),
    ),
    embeddings(
        "embeds-without-input-400",
        "input-required",
        "Refuses a request for embeddings without input with 400.",
        arrive=intercepting("POST", "/embeddings", 400, {"detail": "No input"}, lambda body: b'"input"' not in body),
    ),
)
