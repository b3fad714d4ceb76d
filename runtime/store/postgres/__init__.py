"""A store in one schema of a PostgreSQL database, for runs that several machines may drive."""

from __future__ import annotations

from .store import PostgresStore

__all__ = ["PostgresStore"]
