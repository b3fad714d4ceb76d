"""From a class body to a frozen class with slots: what `dataclass` gives, made in no time.

The tree and the model have some 150 such classes, and `dataclass` writes and compiles six methods for each:
together more than a whole `lgc check` may take. Here the methods are shared, and a constructor is compiled
when some objects of its class have been made. `dataclasses.fields`, `replace` and `is_dataclass` work on the
classes.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

TYPE_CHECKING = False  # what type checkers take for true; to import `typing` takes as long as all classes
if TYPE_CHECKING:
    from typing import Any, NoReturn, TypeVar, dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**options):
        """Says something to type checkers only."""
        return lambda made: made


@dataclass_transform(frozen_default=True)
def frozen(cls: type[T]) -> type[T]:
    """Make a class frozen: slots, a constructor, equality and hash by content, no assignment.

    Attributes with a default value come last, as in a dataclass; the value is shared, so keep it immutable.
    """
    names = tuple(cls.__annotations__)
    body = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    defaults = {name: body.pop(name) for name in names if name in body}
    get: Callable[[Any], Any] = attrgetter(*names) if names else _nothing
    body |= {
        "__slots__": names,
        "__match_args__": names,
        "__dataclass_fields__": _Fields(defaults),
        "__init__": _constructor(names, defaults),
        "__eq__": _equality(get),
        "__hash__": _hash(get),
        "__repr__": _repr,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__getstate__": _state,
        "__setstate__": _restore,
    }
    create: Any = type
    made: type[T] = create(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    return made


class FrozenError(AttributeError):
    """An attempt to change a frozen object."""


def _nothing(self: object) -> tuple[()]:
    return ()


_EARLY = 8
"""Objects of a class that are made without a constructor of its own; compiling one takes as long as 50."""


def _constructor(names: tuple[str, ...], defaults: dict[str, Any]) -> Callable[..., None]:
    """A constructor that writes the real one, which takes its place, when it has been called a few times."""
    count = len(names)
    rest = tuple(defaults.values())  # defaults are those of the last names
    setters: tuple[Callable[[Any, Any], None], ...] = ()
    left = _EARLY

    def early(self: object, *args: Any, **kwargs: Any) -> None:
        nonlocal left, setters
        left -= 1
        missing = count - len(args)
        if left < 0 or kwargs or missing < 0 or missing > len(rest):
            compiled = _compiled(type(self), names, defaults)
            type.__setattr__(type(self), "__init__", compiled)
            compiled(self, *args, **kwargs)
            return
        if not setters:
            slots = vars(type(self))
            setters = tuple(slots[name].__set__ for name in names)
        values = args + rest[-missing:] if missing else args
        for setter, value in zip(setters, values, strict=True):
            setter(self, value)

    return early


def _compiled(cls: type, names: tuple[str, ...], defaults: dict[str, Any]) -> Callable[..., None]:
    slots: dict[str, Any] = dict(vars(cls))
    params = ", ".join(f"{name}=_d_{name}" if name in defaults else name for name in names)
    lines = [f"  _s_{name}(self, {name})" for name in names] or ["  pass"]
    scope = {f"_d_{name}": value for name, value in defaults.items()}
    scope |= {f"_s_{name}": slots[name].__set__ for name in names}
    comma = ", " if names else ""
    exec("\n".join([f"def __init__(self{comma}{params}):", *lines]), scope)  # noqa: S102 - names of attributes
    made: Callable[..., None] = scope["__init__"]
    return made


def _hash(get: Callable[[Any], Any]) -> Callable[[Any], int]:
    def content_hash(self: Any) -> int:
        return hash(get(self))

    return content_hash


def _equality(get: Callable[[Any], Any]) -> Callable[[Any, object], Any]:
    def equal(self: Any, other: object) -> Any:
        if type(self) is not type(other):
            return NotImplemented
        return self is other or get(self) == get(other)

    return equal


def _repr(self: Any) -> str:
    parts = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
    return f"{type(self).__qualname__}({parts})"


def _refuse(self: object, name: str, *value: object) -> NoReturn:
    raise FrozenError(f"{type(self).__name__}.{name} cannot be changed")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__slots__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)


class _Fields:
    """What the functions of `dataclasses` ask a class for, made when they ask."""

    def __init__(self, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.made: dict[str, Any] | None = None

    def __get__(self, instance: object, owner: Any) -> dict[str, Any]:
        made = self.made
        if made is None:
            from dataclasses import make_dataclass

            annotations: dict[str, Any] = owner.__annotations__
            fields = [
                (name, kind, self.defaults[name]) if name in self.defaults else (name, kind)
                for name, kind in annotations.items()
            ]
            made = self.made = vars(make_dataclass(owner.__name__, fields))["__dataclass_fields__"]
        return made
