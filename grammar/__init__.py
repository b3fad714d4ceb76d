"""From the grammar's text to whoever builds tables from it: the text, its edition, its options."""

from __future__ import annotations

from pathlib import Path

if __name__ != "lgc.grammar":  # a second name would mean a second set of tables
    raise ImportError(f"this package is lgc.grammar, not {__name__}")

EDITION = 1
"""Counts changes of the language that make an older text mean something else."""

PATH = Path(__file__).parent / "lgraph.lark"
"""Where the grammar stands."""


def text() -> str:
    """The whole grammar, in Lark's notation."""
    return PATH.read_text(encoding="utf-8")
