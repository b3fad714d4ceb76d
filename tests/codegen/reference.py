"""A second, plain evaluator of the language's expressions, to compare generated code with.

It reads LANGUAGE section 4 and nothing of the code generator: lists are tuples, sets frozensets, dicts dicts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Context, Decimal
from enum import Enum
from typing import Any, cast

from pydantic import BaseModel

from lgc.compiler import model as m

_DECIMALS = Context(prec=28)


class Fails(Exception):
    """The expression has no value."""


def plain(value: Any) -> Any:
    """A value of generated code as one of the evaluator."""
    match value:
        case list() | tuple() | set() | frozenset():
            items = cast("Any", value)
            parts = (plain(item) for item in items)
            return tuple(parts) if isinstance(value, list | tuple) else frozenset(parts)
        case Mapping():
            return {plain(k): plain(v) for k, v in cast("Any", value).items()}
        case Enum():
            return (type(value).__name__, str(value.value))
        case BaseModel():
            fields = {
                field.alias or name: plain(getattr(value, name))
                for name, field in type(value).model_fields.items()
                if name != "kind"
            }
            return (type(value).__name__, tuple(sorted(fields.items())))
        case _:
            return value


class Evaluator:
    """Evaluates over the fields of one state."""

    def __init__(self, program: m.Program, fields: Mapping[str, Any]) -> None:
        self.program = program
        self.fields = fields

    def __call__(self, expr: m.Expr) -> Any:
        match expr:
            case m.Const(value, type_):
                bare = type_.item if isinstance(type_, m.OptionalOf) else type_
                if bare == m.Scalar("float") and isinstance(value, int):
                    return float(value)
                return Decimal(value) if bare == m.Scalar("decimal") and isinstance(value, int) else value
            case m.EnumConst(key, member):
                return (key.name, member)
            case m.FieldRef(name):
                return self.fields[name]
            case m.Attr(base, name, safe):
                owner = self(base)
                if owner is None:
                    if safe:
                        return None
                    raise AssertionError("the checker lets no none through")
                return dict(owner[1])[name]
            case m.Index(base, key):
                return self._index(self(base), self(key))
            case m.Call(function, args):
                return getattr(self, f"_{function}")(expr, *(self(arg) for arg in args))
            case m.MakeRecord(key, fields):
                given = {name: self._fit(value, self._field(key, name)) for name, value in fields}
                for field in self.program.records[key].fields:
                    if field.name not in given:
                        given[field.name] = None if field.default is None else self(field.default)
                return (key.name, tuple(sorted(given.items())))
            case m.MakeList(items, type_):
                bare = type_.item if isinstance(type_, m.OptionalOf) else type_
                inner = bare.item if isinstance(bare, m.ListOf | m.SetOf) else bare
                values = tuple(self._fit(item, inner) for item in items)
                return frozenset(values) if isinstance(bare, m.SetOf) else values
            case m.MakeDict(items):
                return {self(key): self(value) for key, value in items}
            case m.Unary("not", operand):
                return not self(operand)
            case m.Unary(_, operand):
                value = self(operand)
                return value.copy_negate() if isinstance(value, Decimal) else -value
            case m.Binary():
                return self._binary(expr)
            case m.IsRecord(operand, record):
                value = self(operand)
                return value is not None and value[0] == record.name
            case m.Conditional(then, condition, otherwise):
                return self(then) if self(condition) else self(otherwise)
            case m.Widen(operand):
                return self._float(expr, self(operand))
            case _:
                raise AssertionError(expr)

    def _field(self, key: m.Key, name: str) -> m.Type:
        return next(f.type for f in self.program.records[key].fields if f.name == name)

    def _fit(self, expr: m.Expr, wanted: m.Type) -> Any:
        value = self(expr)
        return float(value) if wanted == m.Scalar("float") and expr.type == m.Scalar("int") else value

    def _index(self, owner: Any, key: Any) -> Any:
        if isinstance(owner, tuple) and not isinstance(key, str):
            items = cast("Any", owner)
            if -len(items) <= key < len(items):
                return items[key]
        if isinstance(owner, dict) and key in owner:
            return cast("Any", owner)[key]
        raise Fails

    def _binary(self, expr: m.Binary) -> Any:
        left = self(expr.left)
        match expr.op:
            case "and":
                return left and self(expr.right)
            case "or":
                return left or self(expr.right)
            case "??":
                return self(expr.right) if left is None else left
            case _:
                right = self(expr.right)
        match expr.op:
            case "==":
                return left == right
            case "!=":
                return left != right
            case "<":
                return left < right
            case "<=":
                return left <= right
            case ">":
                return left > right
            case ">=":
                return left >= right
            case "in":
                return left in right
            case "not in":
                return left not in right
            case _:
                return self._arithmetic(expr.op, left, right, expr.type)

    def _arithmetic(self, op: str, left: Any, right: Any, type_: m.Type) -> Any:
        if type_ == m.Scalar("decimal"):
            left, right = Decimal(left), Decimal(right)
        try:
            match op:
                case "+":
                    return _DECIMALS.add(left, right) if isinstance(left, Decimal) else left + right
                case "-":
                    return _DECIMALS.subtract(left, right) if isinstance(left, Decimal) else left - right
                case "*":
                    return _DECIMALS.multiply(left, right) if isinstance(left, Decimal) else left * right
                case "/":
                    return _DECIMALS.divide(left, right) if isinstance(left, Decimal) else left / right
                case "//":
                    if isinstance(left, Decimal):
                        whole = _DECIMALS.divide_int(left, right)
                        return whole - 1 if whole * right != left and (left < 0) != (right < 0) else whole
                    return left // right
                case _:
                    if isinstance(left, Decimal):
                        rest = _DECIMALS.remainder(left, right)
                        return rest + right if rest and (rest < 0) != (right < 0) else rest
                    return left % right
        except ArithmeticError:
            raise Fails from None

    # --- functions ------------------------------------------------------------------------------------------

    def _len(self, _: m.Call, value: Any) -> int:
        return len(value)

    def _abs(self, _: m.Call, value: Any) -> Any:
        return value if value >= 0 else -value

    def _min(self, _: m.Call, *values: Any) -> Any:
        items = list(values[0]) if len(values) == 1 else list(values)
        if not items:
            raise Fails
        best = items[0]
        for item in items[1:]:
            best = item if item < best else best
        return best

    def _max(self, _: m.Call, *values: Any) -> Any:
        items = list(values[0]) if len(values) == 1 else list(values)
        if not items:
            raise Fails
        best = items[0]
        for item in items[1:]:
            best = item if item > best else best
        return best

    def _sum(self, expr: m.Call, items: Any) -> Any:
        total: Any = {"float": 0.0, "decimal": Decimal(0)}.get(getattr(expr.type, "name", ""), 0)
        for item in items:
            total = total + item
        return total

    def _round(self, _: m.Call, value: Any, digits: int | None = None) -> Any:
        try:
            if digits is not None and isinstance(value, Decimal):
                return value.quantize(Decimal(1).scaleb(-digits), context=_DECIMALS)
            if digits is None:
                return round(value)
            if digits < -1_000 and abs(value) < 10**400:
                return type(value)(0)
            return value if digits > 1_000 else round(value, digits)
        except (ValueError, ArithmeticError):
            raise Fails from None

    def _str(self, _: m.Call, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        return cast("Any", value)[1] if isinstance(value, tuple) else str(value)

    def _int(self, _: m.Call, value: Any) -> int:
        try:
            return int(value)
        except (ValueError, ArithmeticError):
            raise Fails from None

    def _float(self, _: m.Expr, value: Any) -> float:
        try:
            number = float(value)
        except (ValueError, ArithmeticError):
            raise Fails from None
        if not math.isfinite(number):
            raise Fails
        return number

    def _lower(self, _: m.Call, value: str) -> str:
        return value.lower()

    def _upper(self, _: m.Call, value: str) -> str:
        return value.upper()

    def _strip(self, _: m.Call, value: str) -> str:
        return value.strip()

    def _startswith(self, _: m.Call, value: str, part: str) -> bool:
        return value[: len(part)] == part

    def _endswith(self, _: m.Call, value: str, part: str) -> bool:
        return not part or value[-len(part) :] == part

    def _contains(self, _: m.Call, where: Any, value: Any) -> bool:
        return value in where

    def _get(self, _: m.Call, where: Any, key: Any, default: Any) -> Any:
        try:
            return self._index(where, key)
        except Fails:
            return default

    def _first(self, _: m.Call, items: Any, default: Any) -> Any:
        return items[0] if items else default

    def _last(self, _: m.Call, items: Any, default: Any) -> Any:
        return items[-1] if items else default

    def _keys(self, _: m.Call, value: dict[Any, Any]) -> tuple[Any, ...]:
        return tuple(value.keys())

    def _values(self, _: m.Call, value: dict[Any, Any]) -> tuple[Any, ...]:
        return tuple(value.values())

    def _any(self, _: m.Call, items: Any) -> bool:
        return True in items

    def _all(self, _: m.Call, items: Any) -> bool:
        return False not in items
