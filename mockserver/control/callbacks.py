"""Control operations on callbacks and webhooks: lists them, and returns what the server then sends."""

from __future__ import annotations

from typing import Any

import orjson

from agent_contract import Contract
from agent_contract.messages import JSON_TYPE, Reply
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection, json_outcome
from mockserver.core.play_options import PlayOptions
from mockserver.documented.callbacks import callbacks_of, prepare

#: The operation whose replies describe what is to be sent.
SEND = "sendCallback"


def list_callbacks(contract: Contract) -> Outcome:
    """Return the callbacks and webhooks of the document."""
    listed = [
        {"name": one.name, "method": one.method, "operation": one.operation or None, "url": one.url or None}
        for one in callbacks_of(contract)
    ]
    return json_outcome({"callbacks": listed})


def send_callback(context: Context, contract: Contract, options: PlayOptions) -> Outcome:
    """Return the request that is to be sent, as 202; the server sends it after the reply."""
    body: Any = context.call.body
    found = next((one for one in callbacks_of(contract) if one.name == body["name"]), None)
    if found is None:
        known = ", ".join(dict.fromkeys(one.name for one in callbacks_of(contract))) or "none"
        why = f"No callback or webhook is named {body['name'][:100]!r}. Documented: {known}."
        raise Rejection(404, "", why, ("body", "name"))
    delay = float(body.get("delay", 0))
    prepared = prepare(contract, found, body["url"], options.callback_hosts, delay=delay)
    content = orjson.dumps(body["body"]) if "body" in body else prepared.body
    value = {
        "name": prepared.name,
        "method": prepared.method,
        "url": prepared.url,
        "content_type": prepared.headers.get("content-type", "application/json" if content else None),
        "body": content.decode("utf-8", "replace"),
        "delay": delay,
    }
    return Outcome(Reply(202, JSON_TYPE, orjson.dumps(value)))
