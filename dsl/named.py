"""From a class body to a named tuple: what `typing.NamedTuple` gives, made in a tenth of the time.

`typing.NamedTuple` compiles every annotation and a constructor for each class, which for the thirty classes
that a check needs takes longer than the check. Here annotations stay texts, and a constructor is compiled
when some tuples of its class have been made (see `frozen`).
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `frozen`
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from typing import NamedTuple as NamedTuple
else:
    from collections import _tuplegetter as _getter

    class _Maker(type):
        """Makes a subclass of `NamedTuple` a plain subclass of `tuple`."""

        def __new__(cls, name, bases, body):
            if not bases:
                return super().__new__(cls, name, bases, body)
            names = tuple(body.get("__annotations__", ()))
            defaults = {part: body.pop(part) for part in names if part in body}
            parts = {part: _getter(at, None) for at, part in enumerate(names)}
            made = {
                "__slots__": (),
                "__match_args__": names,
                "_fields": names,
                "__new__": _constructor(names, defaults),
                "__repr__": _repr,
                "__getnewargs__": _arguments,
                "_replace": _replace,
            }
            return type(name, (tuple,), made | body | parts)

    class NamedTuple(metaclass=_Maker):
        """The base of named tuples; fields with a default come last."""


_EARLY = 8
"""Tuples of a class that are made without a constructor of its own."""


def _constructor(names: tuple[str, ...], defaults: dict[str, Any]) -> Callable[..., Any]:
    """A constructor that writes the real one, which takes its place, when it has been called a few times."""
    count = len(names)
    rest = tuple(defaults.values())
    new: Any = tuple.__new__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    left = _EARLY

    def early(cls: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        missing = count - len(args)
        if left < 0 or kwargs or missing < 0 or missing > len(rest):
            compiled = _compiled(names, defaults)
            cls.__new__ = staticmethod(compiled)
            return compiled(cls, *args, **kwargs)
        return new(cls, args + rest[-missing:] if missing else args)

    return early


def _compiled(names: tuple[str, ...], defaults: dict[str, Any]) -> Callable[..., Any]:
    params = "".join(f", {name}=_d_{name}" if name in defaults else f", {name}" for name in names)
    values = "".join(f"{name}, " for name in names)
    scope: dict[str, Any] = {f"_d_{name}": value for name, value in defaults.items()}
    scope["_new"] = tuple.__new__  # pyright: ignore[reportUnknownMemberType]
    exec(f"def __new__(_cls{params}): return _new(_cls, ({values}))", scope)  # noqa: S102 - names of fields
    made: Callable[..., Any] = scope["__new__"]
    return made


def _repr(self: Any) -> str:
    parts = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
    return f"{type(self).__qualname__}({parts})"


def _arguments(self: Any) -> tuple[Any, ...]:
    return tuple(self)


def _replace(self: Any, /, **changes: Any) -> Any:
    values = [changes.pop(name, value) for name, value in zip(self._fields, self, strict=True)]
    if changes:
        raise ValueError(f"{type(self).__qualname__} has no field {', '.join(changes)}")
    return type(self)(*values)
