"""What can be wrong with the list of agents."""

from server_defects.defect import planting
from server_defects.resource_mutators import answering, each, intercepting, with_status, without

listing = planting("list of agents", family="agents")


DEFECTS = (
    listing(
        "list-counts-nothing",
        "num-objects",
        "Leaves `num_objects` out though it is asked for.",
        resource=answering("list", without("num_objects")),
    ),
    listing(
        "list-cursor-404",
        "cursor-invalid",
        "Refuses an invalid cursor with 404.",
        resource=with_status("list", 400, 404),
    ),
    listing(
        "list-cursor-500",
        "cursor-invalid",
        "Fails on an invalid cursor.",
        resource=with_status("list", 400, 500),
    ),
    listing(
        "list-other-assistants",
        "twins",
        "Lists no assistants, though there are agents.",
        arrive=intercepting("GET", "/assistants", 200, {"object": "list", "data": [], "has_more": False}),
    ),
    listing("list-bare", "list", "Lists agents as a bare array.", resource=answering("list", lambda v: v["data"])),
    listing(
        "list-without-has-more",
        "list",
        "Leaves `has_more` out.",
        resource=answering("list", without("has_more")),
    ),
    listing(
        "list-object-agents",
        "list-object",
        "Calls the list of agents `agents`.",
        resource=answering("list", lambda value: {**value, "object": "agents"}),
    ),
    listing(
        "list-agents-without-model",
        "conforms",
        "Lists agents without their models.",
        resource=answering("list", each(without("model"))),
    ),
    listing(
        "list-agents-dated-in-words",
        "conforms",
        "Sends words for the time of an agent's creation.",
        resource=answering("list", each(lambda agent: {**agent, "created_at": "yesterday"})),
    ),
    listing(
        "list-agents-are-assistants",
        "object",
        "Calls the agents in a list `assistant`.",
        resource=answering("list", each(lambda agent: {**agent, "object": "assistant"})),
    ),
    listing(
        "list-never-more",
        "has-more",
        "Sends on every page that nothing follows.",
        resource=answering("list", lambda value: {**value, "has_more": False}),
    ),
    listing(
        "list-always-more",
        "has-more",
        "Sends on every page that more follow.",
        resource=answering("list", lambda value: {**value, "has_more": True}),
    ),
    listing(
        "list-ends-swapped",
        "list-ends",
        "Names the first agent as the last and the last as the first.",
        resource=answering(
            "list", lambda value: {**value, "first_id": value.get("last_id"), "last_id": value.get("first_id")}
        ),
    ),
)
