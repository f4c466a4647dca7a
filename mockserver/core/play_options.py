"""How a document without behaviours is played."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """How a document without behaviours is played.

    With `strict_examples`, an example that its schema refuses is not sent. With `security`, credentials must be
    present. With `strict_parameters`, arrays and objects in the query must be spelled as the document declares it.
    With `stateless`, nothing that a client creates is kept. Callbacks are sent to `callback_hosts` only, after
    `callback_delay` seconds.
    """

    strict_examples: bool = False
    security: bool = True
    strict_parameters: bool = False
    stateless: bool = False
    callback_hosts: tuple[str, ...] = ()
    callback_delay: float = 0.0
