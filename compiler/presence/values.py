"""From expressions and mutations to optional fields that surely have a value: sets of fields as bits.

A *slot* is an optional field of a state, or of a sub-state in it: `("draft",)`, `("review", "verdict")`. The
slots of a state are numbered; a set of them is an int, its *bits*. A *step* says what something does to such
a set: it keeps some and gains some, `(bits & keep) | gain`.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import TypeAlias

from ...dsl.named import NamedTuple
from ...dsl.source import Place
from .. import model as m
from ..model import Expr, Key, NoneOnly, OptionalOf, Program
from ..narrowing import Path, path_of

ALL = -1
Needs: TypeAlias = "int | None"

# Sub-states may be in each other in ever so many ways; what is beyond this may always be none.
MOST = 256


class Step(NamedTuple):
    """What something does to the fields that surely have a value."""

    keep: int
    gain: int


SAME = Step(ALL, 0)
EVERYTHING = Step(ALL, ALL)


def then(first: Step, second: Step) -> Step:
    """One step after another."""
    return Step(first.keep & second.keep, (first.gain & second.keep) | second.gain)


def either(one: Step, other: Step) -> Step:
    """What two steps have in common."""
    return Step((one.keep | one.gain) & (other.keep | other.gain), one.gain & other.gain)


class Slots:
    """The slots of one state.

    Attributes:
        paths: each slot's path, in the order of their bits.
        bits: each slot's bit, by path.
        below: the bits at and below a path.
        given: the bits of fields whose default is a value.
        own: the bits of fields of the state itself.
        all: every bit.
        size: how many.
    """

    __slots__ = ("all", "below", "bits", "given", "own", "paths", "size")

    def __init__(self, program: Program, state: Key) -> None:
        found = tuple(_optionals(program, state))
        self.paths: tuple[Path, ...] = tuple([path for path, _ in found])
        self.size = len(found)
        self.all = (1 << self.size) - 1
        self.given = sum(1 << place for place, (_, given) in enumerate(found) if given)
        self.bits = {path: 1 << place for place, path in enumerate(self.paths)}
        self.own = sum(bit for path, bit in self.bits.items() if len(path) == 1)
        self.below: dict[Path, int] = {}
        for path, bit in self.bits.items():
            for length in range(1, len(path) + 1):
                self.below[path[:length]] = self.below.get(path[:length], 0) | bit

    def names(self, bits: int) -> Names:
        """The fields of the state itself among some bits."""
        return Names(self, bits & self.own)


class Names(Set[str]):
    """Names of optional fields, without writing them out: of a wide state there are too many at each node."""

    __slots__ = ("_bits", "_slots")

    def __init__(self, slots: Slots, bits: int) -> None:
        self._slots = slots
        self._bits = bits

    def __contains__(self, name: object) -> bool:
        return bool(self._slots.bits.get((name,), 0) & self._bits) if isinstance(name, str) else False

    def __iter__(self) -> Iterator[str]:
        return (path[0] for path, bit in self._slots.bits.items() if bit & self._bits)

    def __len__(self) -> int:
        return self._bits.bit_count()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Names) and other._slots is self._slots:
            return self._bits == other._bits
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash(self._bits)


def _optionals(program: Program, state: Key) -> Iterator[tuple[Path, bool]]:
    """The paths of the optional fields, and whether their default is a value."""
    inner: list[tuple[Path, Key]] = [((), state)]
    found = 0
    for looked_into, (path, key) in enumerate(inner):
        declared = program.states.get(key)
        for field in () if declared is None else declared.fields:
            here = (*path, field.name)
            if isinstance(field.type, m.StateType):
                if looked_into < MOST and len(inner) < MOST:
                    inner.append((here, field.type.key))
            elif isinstance(field.type, OptionalOf) and (not path or found < MOST):
                found += 1
                default = field.default
                yield here, not (default is None or (isinstance(default, m.Const) and default.value is None))


def needed(expr: Expr, slots: Slots, params: frozenset[str] = frozenset()) -> Needs:
    """The slots that must have a value so that an expression surely has; None: it may be none even then.

    `params`: the parameters that surely have a value although their type allows none.
    """
    match expr:
        case m.Const(value=value):
            return 0 if value is not None or isinstance(expr.type, m.Unknown) else None
        case m.MakeList() | m.MakeDict() | m.MakeRecord():
            return 0
        case m.FieldRef() | m.Attr():
            path = path_of(expr)
            bit = None if path is None else slots.bits.get(path)
            if bit is not None:
                return bit if isinstance(expr.type, OptionalOf) else 0
        case m.ParamRef(name=name) if name in params:
            return 0
        case m.Widen(operand=operand):
            return needed(operand, slots, params)
        case m.Conditional(then=then, otherwise=otherwise):
            one, other = needed(then, slots, params), needed(otherwise, slots, params)
            return None if one is None or other is None else one | other
        case m.Binary(op="??", left=left, right=right):
            one, other = needed(left, slots, params), needed(right, slots, params)
            return one if one == 0 or other is None else other
        case _:
            pass
    # A `json` value may be JSON's null.
    return None if isinstance(expr.type, OptionalOf | NoneOnly) or expr.type == m.Scalar("json") else 0


class Changes:
    """What mutations do to the slots of their states."""

    __slots__ = ("_clearing", "_kept", "_places", "_slots", "_steps", "program")

    def __init__(self, program: Program) -> None:
        self.program = program
        self._slots: dict[Key, Slots] = {}
        self._clearing: tuple[int, Set[Place]] | None = None
        self._kept: dict[tuple[Key, str], int] = {}
        self._steps: dict[tuple[Key, str, frozenset[str]], Step] = {}
        self._places: dict[tuple[Key, str], dict[int, Place]] = {}

    def slots(self, state: Key) -> Slots:
        """The slots of a state."""
        known = self._slots.get(state)
        if known is None:
            known = self._slots[state] = Slots(self.program, state)
        return known

    def recorded(self, state: Key, name: str, sure: frozenset[str] = frozenset()) -> Step:
        """What a mutation does that is recorded; `sure`: the parameters that surely are not none."""
        known = self._steps.get((state, name, sure))
        if known is None:
            known = self._steps[state, name, sure] = self._step(state, name, sure)
        return known

    def kept(self, state: Key, name: str) -> int:
        """The slots that still have a value whether a node records the mutation or not."""
        known = self._kept.get((state, name))
        if known is None:
            step = self.recorded(state, name)
            known = self._kept[state, name] = step.keep | step.gain
        return known

    def clearing(self) -> Set[Place]:
        """The statements met so far that may set a slot to none; external mutations themselves."""
        if self._clearing is None or self._clearing[0] != len(self._places):
            places = {place for places in self._places.values() for place in places.values()}
            self._clearing = len(self._places), places
        return self._clearing[1]

    def sets(self, state: Key, name: str, bit: int) -> bool:
        """Whether a mutation can give a slot a value."""
        declared = self.program.states.get(state)
        mutation = None if declared is None else declared.mutation(name)
        if mutation is None:
            return False
        slots = self.slots(state)
        if mutation.external is not None:
            return any(slots.below.get((field,), 0) & bit for field in mutation.writes)
        return any(
            isinstance(step, m.Assign)
            and step.target.key is None
            and slots.bits.get(step.target.path) == bit
            and not isinstance(step.value.type, NoneOnly)
            for step in mutation.body
        )

    def _step(self, state: Key, name: str, sure: frozenset[str]) -> Step:
        declared = self.program.states.get(state)
        mutation = None if declared is None else declared.mutation(name)
        if mutation is None:
            return SAME
        slots = self.slots(state)
        places = self._places.setdefault((state, name), {}) if not sure else {}
        lost = gained = 0
        if mutation.external is not None:
            for field in mutation.writes:
                lost |= slots.below.get((field,), 0)
            places.update({1 << place: mutation.place for place in range(slots.size) if lost >> place & 1})
            return Step(~lost, 0)
        for statement in mutation.body:
            bit = slots.bits.get(statement.target.path, 0)
            if not bit or statement.target.key is not None or not isinstance(statement, m.Assign):
                continue
            needs = needed(statement.value, slots, sure) if statement.op == "set" else bit
            if needs == 0:
                gained, lost = gained | bit, lost & ~bit
                places.pop(bit, None)
            elif needs is None or needs & ~(gained | bit):
                gained, lost = gained & ~bit, lost | bit
                places[bit] = statement.place
        return Step(~lost, gained)
