"""Where runs are kept."""

from __future__ import annotations

from .open import open_store

__all__ = ["open_store"]
