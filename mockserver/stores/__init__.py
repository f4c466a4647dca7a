"""Stores of sessions, agents and journals: a protocol and its implementations."""

from __future__ import annotations

from mockserver.stores.base import Conflict, Entry, Store, StoreError, StoreFull, StoreUnavailable, Versioned
from mockserver.stores.circuit_breaker import compute_turn, count_wait, limited_wait
from mockserver.stores.memory import MemoryStore
from mockserver.stores.open import open_store

__all__ = [
    "Conflict",
    "Entry",
    "MemoryStore",
    "Store",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "Versioned",
    "compute_turn",
    "count_wait",
    "limited_wait",
    "open_store",
]
