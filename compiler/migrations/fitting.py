"""From a type of an older graph and one of a newer to why a value of the first may be none of the second.

Values are compared, not declarations: a record is its fields, an enum its members. What belongs to both
types is kept as it is stored, and an `int` may become a `float`; nothing else is converted. Members of unions
are told apart by the record's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .. import model as m
from ..types import FLOAT, INT, show
from .shape import Held, Shape


class Fitting:
    """Compares the types of two graphs."""

    def __init__(self, old: Shape, new: Shape, migrated: frozenset[str] = frozenset()) -> None:
        """`migrated` are the states whose values are taken along by other migrations."""
        self.old, self.new, self._migrated = old, new, migrated
        self._known: dict[tuple[m.Key, m.Key], str | None] = {}

    def why_not(self, old: m.Type, new: m.Type) -> str | None:
        """Why some value of the old type is no value of the new one; None where all are."""
        match old, new:
            case (m.Unknown(), _) | (_, m.Unknown()):
                return None
            case m.OptionalOf(before), m.OptionalOf(after):
                return self.why_not(before, after)
            case m.OptionalOf(before), _:
                return self.why_not(before, new) or "it may be none"
            case _, m.OptionalOf(after):
                return self.why_not(old, after)
            case (m.ListOf(before), m.ListOf(after)) | (m.SetOf(before), m.SetOf(after)):
                return self.why_not(before, after)
            case m.DictOf(key, value), m.DictOf(new_key, new_value):
                return self.why_not(key, new_key) or self.why_not(value, new_value)
            case _:
                return self._declared(old, new)

    def alike(self, old: m.Type, new: m.Type) -> bool:
        """Whether two types have the same values."""
        return self.why_not(old, new) is None and Fitting(self.new, self.old).why_not(new, old) is None

    def _declared(self, old: m.Type, new: m.Type) -> str | None:
        match old, new:
            case m.Scalar(), m.Scalar() if old == new or (old, new) == (INT, FLOAT):
                return None
            case m.EnumType(before), m.EnumType(after) if self._same(before, after, "enums"):
                return self._members(before, after)
            case m.RecordType(before), m.RecordType(after) if self._same(before, after, "records"):
                return self._once(before, after)
            case m.RecordType(before), m.UnionType(after):
                return self._in_union(before, after)
            case m.UnionType(before), m.UnionType(after):
                members = self.old.unions.get(before, ())
                return next(filter(None, (self._in_union(one, after) for one in members)), None)
            case m.StateType(before), m.StateType(after):
                return None if bare(after) in self._migrated else self._once(before, after)
            case _:
                return f"`{show(old)}` is no `{show(new)}`"

    def _same(self, old: m.Key, new: m.Key, family: Literal["enums", "records"]) -> bool:
        """Whether two keys mean one declaration: one name, or a name that took the other's place."""
        before, after = bare(old), bare(new)
        if before == after:
            return True
        held, there = getattr(self.old, family), getattr(self.new, family)
        return after not in map(bare, held) and before not in map(bare, there)

    def _members(self, old: m.Key, new: m.Key) -> str | None:
        there = self.new.enums.get(new, ())
        lost = [member for member in self.old.enums.get(old, ()) if member not in there]
        return f"`{bare(new)}` has no {_quoted(lost)}" if lost else None

    def _in_union(self, record: m.Key, union: m.Key) -> str | None:
        for member in self.new.unions.get(union, ()):
            if bare(member) == bare(record):
                return self._once(record, member)
        return f"`{bare(union)}` has no `{bare(record)}`"

    def _once(self, old: m.Key, new: m.Key) -> str | None:
        """Two records or two states; those that mention themselves are compared once."""
        pair = (old, new)
        if pair not in self._known:
            self._known[pair] = None
            before = self.old.records.get(old) or self.old.states.get(old) or {}
            after = self.new.records.get(new) or self.new.states.get(new) or {}
            self._known[pair] = self._fields(before, after, bare(new))
        return self._known[pair]

    def _fields(self, old: Mapping[str, Held], new: Mapping[str, Held], name: str) -> str | None:
        for field, held in old.items():
            if field not in new:
                return f"`{name}` has no field `{field}`"
            if (why := self.why_not(held.type, new[field].type)) is not None:
                return f"of field `{field}` of `{name}`: {why}"
        for field, held in new.items():
            if field not in old and not self.new.starts_alone(held):
                return f"`{name}` has a new field `{field}` without a default"
        return None


def bare(key: m.Key) -> str:
    """The name of a declaration: in stored forms, two of one name are told apart by a number."""
    return key.name.partition("#")[0]


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
