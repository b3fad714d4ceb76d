"""From the grammar's text to whoever builds tables from it: the text, its edition, its options."""

from __future__ import annotations

from pkgutil import get_data

if __name__ != "lgc.grammar":  # a second name would mean a second set of tables
    raise ImportError(f"this package is lgc.grammar, not {__name__}")

EDITION = 1
"""Counts changes of the language that make an older text mean something else."""


def text() -> str:
    """The whole grammar, in Lark's notation."""
    found = get_data("lgc.grammar", "lgraph.lark")
    if found is None:  # only a loader that reads no data can bring this about
        raise ImportError("the grammar is not beside lgc.grammar")
    return found.decode("utf-8")
