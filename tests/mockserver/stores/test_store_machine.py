"""Each store does what the memory store does, whatever is asked of it, and in whatever order."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from mockserver.stores import Conflict, MemoryStore, Store, StoreFull, Versioned
from tests.mockserver.support.chat_client import Clock
from tests.mockserver.support.store_kinds import KINDS, opened

ITEMS, SIZE = 4, 40
KEYS = st.sampled_from(["a", "a/", "a/b", "a/b/c", "a/c", "ab", "b/\0", "b/é", "\U0010ffff"])
PREFIXES = st.sampled_from(["", "a", "a/", "a/b", "b/", "\U0010ffff", "c"])
SECONDS = st.sampled_from([0.0, 0.5, 1.0, 30.0])


class Machine(RuleBasedStateMachine):
    """Does everything to a store and to the memory store. Versions may differ, what they are good for may not."""

    kind: str

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.stack = ExitStack()
        opener = self.stack.enter_context(opened(self.kind))
        self.store: Store = self.stack.enter_context(closing(opener(items=ITEMS, size=SIZE, clock=self.clock)))
        self.model = MemoryStore(ITEMS, SIZE, self.clock)
        #: The versions that each key had: the model's and the store's.
        self.versions: dict[str, list[tuple[int, int]]] = {}

    def teardown(self) -> None:
        self.stack.close()

    @rule(
        key=KEYS,
        value=st.binary(max_size=12) | st.binary(min_size=35, max_size=45),
        back=st.sampled_from([0, 0, 0, 1, 2, None]),
        lasts=st.none() | SECONDS,
        pinned=st.sampled_from([False, False, False, True]),
        lines=st.lists(st.binary(max_size=5), max_size=3).map(tuple),
        keep=st.none() | st.integers(0, 4),
    )
    def put(
        self,
        key: str,
        value: bytes,
        back: int | None,
        lasts: float | None,
        pinned: bool,
        lines: tuple[bytes, ...],
        keep: int | None,
    ) -> None:
        """Put over the version that is there, or over one `back` versions ago, or as if the key were new."""
        known = self.versions.setdefault(key, [])
        expected: tuple[int | None, int | None] = (None, None)
        if back == 0:
            there = self.model.get(key)
            expected = next((pair for pair in known if there and pair[0] == there.version), expected)
        elif back is not None and len(known) >= back:
            expected = known[-back]
        expires = None if lasts is None else self.clock.now + lasts
        written = [
            attempt(store, key, value, version, expires=expires, pinned=pinned, lines=lines, keep=keep)
            for store, version in zip((self.model, self.store), expected, strict=True)
        ]
        assert (written[0] is None) == (written[1] is None)
        if written[0] is not None and written[1] is not None:
            assert all(written[1] > old for _, old in known)
            known.append((written[0], written[1]))

    @rule(key=KEYS, first=st.integers(1, 9), limit=st.integers(0, 5))
    def lines(self, key: str, first: int, limit: int) -> None:
        assert self.store.lines(key, first, limit) == self.model.lines(key, first, limit)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        assert self.store.delete(key) == self.model.delete(key)

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        ours, theirs = self.store.get(key), self.model.get(key)
        assert self.same(key, ours, theirs)

    @rule(prefix=PREFIXES, after=st.just("") | KEYS, limit=st.integers(0, 6))
    def items(self, prefix: str, after: str, limit: int) -> None:
        ours, theirs = self.store.items(prefix, after, limit), self.model.items(prefix, after, limit)
        assert [key for key, _ in ours] == [key for key, _ in theirs]
        assert all(self.same(key, one, other) for (key, one), (_, other) in zip(ours, theirs, strict=True))

    @rule(log=KEYS, entry=st.binary(max_size=3), keep=st.integers(1, 4))
    def append(self, log: str, entry: bytes, keep: int) -> None:
        assert self.store.append(log, entry, keep) == self.model.append(log, entry, keep)

    @rule(log=KEYS, before=st.none() | st.integers(0, 9), limit=st.integers(0, 5))
    def entries(self, log: str, before: int | None, limit: int) -> None:
        assert self.store.entries(log, before, limit) == self.model.entries(log, before, limit)

    @rule(prefix=PREFIXES)
    def clear(self, prefix: str) -> None:
        self.store.clear(prefix)
        self.model.clear(prefix)

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def has_the_same_keys(self) -> None:
        assert [key for key, _ in self.store.items()] == [key for key, _ in self.model.items()]

    def same(self, key: str, ours: Versioned | None, theirs: Versioned | None) -> bool:
        if ours is None or theirs is None:
            return ours is theirs
        return ours.value == theirs.value and (theirs.version, ours.version) in self.versions[key]


def attempt(store: Store, key: str, value: bytes, expected: int | None, **fields: Any) -> int | None:
    """Return the version of what was put, None if it conflicts or has no room."""
    try:
        return store.put(key, value, expected, **fields)
    except (Conflict, StoreFull):
        return None


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "memory"])
def test_a_store_does_what_the_memory_store_does(kind: str) -> None:
    machine = type("Machine", (Machine,), {"kind": kind})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True)
    )
