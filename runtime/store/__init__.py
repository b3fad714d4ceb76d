"""Where runs are kept. Names are imported when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .memory.store import MemoryStore
    from .open import open_store
    from .postgres import PostgresStore
    from .sqlite.store import SqliteStore

__all__ = ["MemoryStore", "PostgresStore", "SqliteStore", "open_store"]

_HOMES = {"MemoryStore": "memory", "PostgresStore": "postgres", "SqliteStore": "sqlite", "open_store": "open"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
