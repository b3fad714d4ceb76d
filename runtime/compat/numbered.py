"""Reasons by number, so that sets of them are bits of an int."""

from __future__ import annotations

from .verdict import Reason

MOST = 4_000  # reasons that are told apart; all further ones are one


class Reasons:
    """Reasons by number."""

    def __init__(self) -> None:
        self.listed: list[Reason] = []
        self._bits: dict[tuple[str, str, str], int] = {}

    def bit(self, reason: Reason) -> int:
        """The bit of a reason; the same for the same reason."""
        key = (reason.kind, reason.element, reason.text)
        found = self._bits.get(key)
        if found is None:
            if len(self.listed) > MOST:
                return 1 << MOST
            found = self._bits[key] = 1 << len(self.listed)
            self.listed.append(reason)
        return found

    def of(self, bits: int, most: int) -> list[Reason]:
        """The first reasons of a set, in the order in which they were found."""
        found: list[Reason] = []
        while bits and len(found) < most:
            low = bits & -bits
            found.append(self.listed[low.bit_length() - 1])
            bits ^= low
        return found
