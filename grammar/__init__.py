"""From the grammar's text to whoever builds tables from it: the text, its edition, its options."""

from __future__ import annotations

import os
from typing import Any

if __name__ != "lgc.grammar":  # a second name would mean a second set of tables
    raise ImportError(f"this package is lgc.grammar, not {__name__}")

EDITION = 1
"""Counts changes of the language that make an older text mean something else."""


def data(name: str) -> bytes:
    """A file that lies beside this one, wherever the package was loaded from. Raises OSError without it."""
    loader: Any = __spec__.loader
    folder = os.path.dirname(__file__)  # noqa: PTH120  (pathlib costs more than the file)
    found: bytes = loader.get_data(os.path.join(folder, name))  # noqa: PTH118
    return found


def text() -> str:
    """The whole grammar, in Lark's notation."""
    return data("lgraph.lark").decode("utf-8")
