"""From guards as read to what they become: tests of terms, not yet sets of regions.

Constants are noted while guards are read; only when all of a source are read can domains be cut.
"""

from __future__ import annotations

from typing import TypeAlias

from ...dsl.named import NamedTuple
from .domains import TestName, Value, Variable


class Test(NamedTuple):
    """A term stands in some relation to a constant, or (not `holds`) does not."""

    variable: Variable
    name: TestName
    value: Value
    holds: bool


class All(NamedTuple):
    parts: tuple[Read, ...]


class Any(NamedTuple):
    parts: tuple[Read, ...]


Read: TypeAlias = "bool | Test | All | Any"
"""A guard as read."""


class Constant(NamedTuple):
    value: Value


Case: TypeAlias = "tuple[Read, Constant | Variable]"
"""A value that an expression has, and when."""


def opposite(read: Read) -> Read:
    """What holds where a guard does not."""
    match read:
        case bool():
            return not read
        case Test():
            return read._replace(holds=not read.holds)
        case All(parts):
            return Any(tuple(map(opposite, parts)))
        case Any(parts):
            return All(tuple(map(opposite, parts)))


def both(when: Read, then: Read) -> Read:
    """A condition and another one."""
    return then if when is True else All((when, then))
