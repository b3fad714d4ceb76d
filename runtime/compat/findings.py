"""Collects the reasons that are found in a run, each once and not without end."""

from __future__ import annotations

from typing import TypeAlias

from ..forms.version import Version
from .kinds import condition_of
from .sites import Site
from .verdict import Reason

# Whoever reads more than these is helped better by the changes between the versions.
MOST = 20

_OF_A_STATE = ("input-refused", "state-misfit")

At: TypeAlias = tuple[Site, str, int | None]
"""Where something was noticed: the frame, the node in it ("" for none), the step."""


class Findings:
    """The reasons found so far."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Reason] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def full(self) -> bool:
        """Whether no further one is taken."""
        return len(self._found) >= MOST

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """In the order in which they were found.

        What is wrong with a field now is not told again of the states before.
        """
        now = {reason.element for reason in self._found.values() if reason.condition == "data"}
        return tuple(
            reason
            for reason in self._found.values()
            if reason.kind not in _OF_A_STATE or reason.element not in now
        )

    def add(self, kind: str, at: At, element: str, text: str, place: str | None = None) -> None:
        """Note a reason; one of the same kind, element and node is there already, its first step counts.

        Args:
            element: id in the graph that the frame runs.
            place: where in the new source; None: where the element stands.
        """
        site, node, step = at
        if place is None:
            place = placed(site.new, element)
        where = site.where(node) if node else site.path
        reason = Reason(kind, condition_of(kind), site.inside + element, text, where, step, place)
        key = (kind, reason.element, where)
        if not self.full:
            self._found.setdefault(key, reason)

    def take(self, reasons: tuple[Reason, ...]) -> None:
        """Note reasons that were found elsewhere."""
        for reason in reasons:
            if not self.full:
                self._found.setdefault((reason.kind, reason.element, reason.node), reason)


def placed(version: Version | None, element: str) -> str:
    """Where an element stands in the source of a version, `file:line:column`; "" where that is not known."""
    return "" if version is None else version.places.get(element, "")
