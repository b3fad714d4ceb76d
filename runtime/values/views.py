"""What a task sees of a state: its values, read-only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any, TypeVar, overload

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
K = TypeVar("K")
V = TypeVar("V")


class View:
    """Base of what a task sees of a state: properties without setters, and no place for anything else."""

    __slots__ = ("__lg_state__",)

    def __init__(self, state: Any) -> None:
        self.__lg_state__ = state


class ListView(Sequence[T_co]):
    """A list that can be looked at only."""

    __slots__ = ("__lg_items__",)

    def __init__(self, items: Sequence[T_co]) -> None:
        self.__lg_items__ = items

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T_co]: ...
    def __getitem__(self, index: int | slice) -> T_co | Sequence[T_co]:
        return self.__lg_items__[index]

    def __len__(self) -> int:
        return len(self.__lg_items__)

    def __iter__(self) -> Iterator[T_co]:
        return iter(self.__lg_items__)

    def __contains__(self, value: object) -> bool:
        return value in self.__lg_items__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ListView):
            return list(self.__lg_items__) == list(other.__lg_items__)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
        if isinstance(other, (list, tuple)):
            return list(self.__lg_items__) == list(other)  # pyright: ignore[reportUnknownArgumentType]
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.__lg_items__)


def view_list(items: Sequence[T]) -> Sequence[T]:
    """A read-only view of a state's list."""
    return ListView(items)


def view_set(items: Set[T]) -> Set[T]:
    """A read-only copy of a state's set."""
    return frozenset(items)


def view_map(items: Mapping[K, V]) -> Mapping[K, V]:
    """A read-only view of a state's dict."""
    return MappingProxyType(items)
