"""Mutants: tokens and methods."""

from typing import Any

from benchmarks.detection.mutants.mutant import planting

open_ = planting("access")


def put_as_post(app: Any) -> Any:
    """Return an application that takes PUT for POST."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "method": "POST"} if scope.get("method") == "PUT" else scope, receive, send)

    return wrapped


MUTANTS = (open_("put-as-post", "method-refused", "Takes PUT for POST.", wrap=put_as_post),)
