"""Where sessions, agents and the journal are kept: a protocol, and the stores that keep it."""

from __future__ import annotations

from mockserver.stores.memory import MemoryStore
from mockserver.stores.opening import open_store
from mockserver.stores.protocol import Conflict, Store, StoreUnavailable, Versioned
from mockserver.stores.refusing import StoreError

__all__ = ["Conflict", "MemoryStore", "Store", "StoreError", "StoreUnavailable", "Versioned", "open_store"]
