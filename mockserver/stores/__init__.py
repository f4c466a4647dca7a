"""Where sessions, agents and the journal are kept: a protocol, and the stores that keep it."""

from __future__ import annotations

from mockserver.stores.base import Conflict, Entry, Store, StoreFull, StoreUnavailable, Versioned
from mockserver.stores.errors import StoreError
from mockserver.stores.memory import MemoryStore
from mockserver.stores.open import open_store
from mockserver.stores.patience import request_deadline

__all__ = [
    "Conflict",
    "Entry",
    "MemoryStore",
    "Store",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "Versioned",
    "open_store",
    "request_deadline",
]
