"""The table of all rules, and the run of those that look at resolved graphs."""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl.diagnostic import Diagnostic
from ..resolve import Resolved


def run_rules(resolved: Resolved) -> Iterator[Diagnostic]:
    """All findings of the rules."""
    return iter(())
