"""A store in one SQLite file, durable without a server."""

from __future__ import annotations

from .store import SqliteStore

__all__ = ["SqliteStore"]
