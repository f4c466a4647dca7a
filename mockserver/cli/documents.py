"""The documents of `serve`: several at prefixes of the path, and those that are served again when they change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mockserver.engine import Engine
    from mockserver.server.served import Following, Served


def documents_of(specs: Iterable[Path]) -> dict[str, Path | None]:
    """Return the documents to serve by the prefix of their paths; None is the built-in one.

    Raises UsageError for a prefix that is used twice.
    """
    documents: dict[str, Path | None] = {}
    for spec in specs:
        prefix, equals, file = str(spec).partition("=")
        is_mounted = bool(equals) and prefix.startswith("/") and not spec.exists()
        where = prefix.rstrip("/") if is_mounted else ""
        if where in documents:
            problem = f"{where or 'The root of the paths'} is used by two documents"
            raise click.UsageError(f"{problem}. Give one a prefix of its own: --spec /PREFIX=FILE.")
        documents[where] = Path(file) if is_mounted else spec
    return documents or {"": None}


def served_documents(
    engines: Mapping[str, Engine],
    documents: Mapping[str, Path | None],
    build: Callable[..., Engine],
    *,
    watch: bool,
    more_files: tuple[Path, ...] = (),
) -> Served:
    """Return what is served: one engine, or several by prefix; with `watch`, they follow their files.

    `build` takes the document as `spec`.
    """
    from mockserver.documented.callbacks import callbacks_of
    from mockserver.server.served import Following, Mounts, follow_in_background

    following = {
        prefix: Following(engine, partial(_built_again, build, documents[prefix]), click.echo, more_files)
        for prefix, engine in engines.items()
        if watch
    }
    if following:
        follow_in_background(list(following.values()))
    served: dict[str, Served] = {**engines, **following}
    for prefix, engine in engines.items():
        if callbacks_of(engine.contract):
            from mockserver.server.callback_sender import CallbackSender

            current = partial(_current, following.get(prefix), engine)
            served[prefix] = CallbackSender(served[prefix], current, click.echo)
    return served[""] if list(served) == [""] else Mounts(served)


def _current(following: Following | None, engine: Engine) -> Engine:
    """Return the engine that answers now."""
    return following.engine if following else engine


def _built_again(build: Callable[..., Engine], spec: Path | None) -> Engine:
    """Return an engine; ValueError with the message for the user if the document can't be served."""
    try:
        return build(spec=spec)
    except click.ClickException as error:
        raise ValueError(error.format_message()) from None
