"""From the canonical JSON of types, expressions and statements back to lgraph text, for people to read.

The text has the fewest parentheses that keep its meaning; where a reader might wonder (`??`, `if`) it has
some more. What is not a known form is shown as JSON: this is for messages and must never fail.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

DEEPEST = 220  # operands inside operands; deeper ones are shown as `…`

_CONDITIONAL, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _POSTFIX, _ATOM = range(10)
_ARITHMETIC = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "//": _PRODUCT, "%": _PRODUCT}
_COMPARISONS = frozenset({"==", "!=", "<", "<=", "in", "not in"})
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode
_LITERALS = frozenset({"int", "float", "decimal", "duration", "bytes", "datetime", "date", "uuid"})
_DURATIONS = ((86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms"))


def type_text(form: Any) -> str:
    """A type as in `field: TYPE`."""
    match form:
        case str():
            return form
        case ["optional", item]:
            return f"{type_text(item)}?"
        case ["list" | "set" as kind, item]:
            return f"{kind}[{type_text(item)}]"
        case ["dict", key, value]:
            return f"dict[{type_text(key)}, {type_text(value)}]"
        case ["enum" | "record" | "union" | "state" | "opaque", str() as name]:
            return name
        case _:
            return json_text(form)


def expression_text(form: Any) -> str:
    """An expression as one would write it."""
    return _text(form, _CONDITIONAL, 0)


def arguments_text(form: Any) -> str:
    """Arguments by name: `score = 0.5, verdict = Verdict.accept`."""
    args = as_object(form)
    if args is None:
        return json_text(form)
    return ", ".join(f"{name} = {expression_text(args[name])}" for name in sorted(args))


def call_text(form: Any) -> str:
    """A mutation or a decision with its arguments: `Grade(score = 0.5)`; without any just its name."""
    match form:
        case [str() as name, args]:
            return f"{name}({arguments_text(args)})" if args else name
        case _:
            return json_text(form)


def params_text(form: Any) -> str:
    """Parameters with their types: `score: float, verdict: Verdict`."""
    parts: list[str] = []
    for param in as_list(form):
        match param:
            case [str() as name, type_]:
                parts.append(f"{name}: {type_text(type_)}")
            case _:
                parts.append(json_text(param))
    return ", ".join(parts)


def statements_text(form: Any) -> str:
    """The body of a mutation on one line."""
    return "  ".join(_statement(statement) for statement in as_list(form))


def json_text(form: Any) -> str:
    """Anything, as compact JSON."""
    try:
        return _encode(form)
    except RecursionError:
        return "…"


def same(old: Any, new: Any) -> bool:
    """Whether two forms are the same JSON; Python alone takes `1` for `true`."""
    return bool(old == new) and json_text(old) == json_text(new)


def as_list(form: Any) -> Sequence[Any]:
    """The items of a JSON array; nothing for anything else."""
    return cast("Sequence[Any]", form) if isinstance(form, list | tuple) else ()


def as_object(form: Any) -> Mapping[str, Any] | None:
    """A JSON object; None for anything else."""
    return cast("Mapping[str, Any]", form) if isinstance(form, Mapping) else None


def _statement(form: Any) -> str:
    statement = as_object(form)
    if statement is None or not as_list(statement.get("path")):
        return json_text(form)
    target = ".".join(str(name) for name in as_list(statement["path"]))
    if "key" in statement:
        target += f"[{expression_text(statement['key'])}]"
    op, value = str(statement.get("op")), expression_text(statement.get("value"))
    match op:
        case "del":
            return f"del {target}"
        case "set":
            return f"{target} = {value}"
        case "add":
            return f"{target} += {value}"
        case "sub":
            return f"{target} -= {value}"
        case "max" | "min":
            return f"{target} = {op}({target}, {value})"
        case _:
            return json_text(form)


# --- expressions ------------------------------------------------------------------------------------------


def _text(form: Any, around: int, depth: int) -> str:
    """The text of a form inside something that binds as tightly as `around`."""
    if depth > DEEPEST:
        return "…"
    text, binds = _written(form, depth + 1)
    return text if binds >= around else f"({text})"


def _written(form: Any, depth: int) -> tuple[str, int]:
    """The text of a form and how tightly it binds."""
    match form:
        case None:
            return "none", _ATOM
        case bool():
            return ("true" if form else "false"), _ATOM
        case int():
            return str(form), (_SIGN if form < 0 else _ATOM)
        case str():
            return json.dumps(form, ensure_ascii=False), _ATOM
        case ["field" | "param" | "item", str() as name]:
            return name, _ATOM
        case ["enum", str() as name, str() as member]:
            return f"{name}.{member}", _ATOM
        case [
            "int" | "float" | "decimal" | "duration" | "bytes" | "datetime" | "date" | "uuid" as kind,
            value,
        ]:
            text = _literal(kind, value)
            return text, (_SIGN if text.startswith("-") else _ATOM)
        case ["or", _, _, *_]:
            return " or ".join(_text(part, _AND, depth) for part in form[1:]), _OR
        case ["and", _, _, *_]:
            return " and ".join(_text(part, _NOT, depth) for part in form[1:]), _AND
        case ["??", _, _, *_]:
            return " ?? ".join(_text(part, _SIGN, depth) for part in form[1:]), _CONDITIONAL
        case ["not", operand]:
            return f"not {_text(operand, _NOT, depth)}", _NOT
        case ["<" | "<=" as op, left, right] if _is_literal(left) and not _is_literal(right):
            mirrored = op.replace("<", ">")  # most likely it was written so: `score > 0.5`
            return f"{_text(right, _SUM, depth)} {mirrored} {_text(left, _SUM, depth)}", _COMPARISON
        case [str() as op, left, right] if op in _COMPARISONS:
            return f"{_text(left, _SUM, depth)} {op} {_text(right, _SUM, depth)}", _COMPARISON
        case ["is", operand, str() as record]:
            return f"{_text(operand, _SUM, depth)} is {record}", _COMPARISON
        case ["left", first, *rest] if len(rest) % 2 == 0 and rest:
            return _from_left(first, rest, depth)
        case ["if", condition, then, otherwise]:
            parts = [_text(part, _OR, depth) for part in (then, condition, otherwise)]
            return f"{parts[0]} if {parts[1]} else {parts[2]}", _CONDITIONAL
        case _:
            return _written_postfix(form, depth)


def _written_postfix(form: Any, depth: int) -> tuple[str, int]:
    match form:
        case ["neg", operand]:
            return f"-{_text(operand, _POSTFIX, depth)}", _SIGN
        case ["widen", operand]:
            return _written(operand, depth)
        case ["attr", base, str() as name]:
            return f"{_text(base, _POSTFIX, depth)}.{name}", _POSTFIX
        case ["attr?", base, str() as name]:
            return f"{_text(base, _POSTFIX, depth)}?.{name}", _POSTFIX
        case ["index", base, key]:
            return f"{_text(base, _POSTFIX, depth)}[{_text(key, _CONDITIONAL, depth)}]", _POSTFIX
        case ["visits", str() as name]:
            return f"visits({name})", _ATOM
        case ["steps"]:
            return "steps()", _ATOM
        case ["call", str() as name, *args]:
            return f"{name}({_listed(args, depth)})", _ATOM
        case ["record", str() as name, fields]:
            values = as_object(fields) or {}
            given = ", ".join(f"{key} = {_text(values[key], _CONDITIONAL, depth)}" for key in sorted(values))
            return f"{name}({given})", _ATOM
        case ["list" | "set", *items]:
            return f"[{_listed(items, depth)}]", _ATOM
        case ["dict", *entries]:
            return f"{{{', '.join(_entry(entry, depth) for entry in entries)}}}", _ATOM
        case _:
            return json_text(form), _ATOM


def _from_left(first: Any, rest: Sequence[Any], depth: int) -> tuple[str, int]:
    """`a + b - c`: operators done from left to right, with parentheses where they need them."""
    text, binds = _written(first, depth)
    for op, operand in zip(rest[::2], rest[1::2], strict=True):
        level = _ARITHMETIC.get(str(op), _PRODUCT)
        text = text if binds >= level else f"({text})"
        text, binds = f"{text} {op} {_text(operand, level + 1, depth)}", level
    return text, binds


def _listed(items: Sequence[Any], depth: int) -> str:
    return ", ".join(_text(item, _CONDITIONAL, depth) for item in items)


def _entry(entry: Any, depth: int) -> str:
    match entry:
        case [key, value]:
            return f"{_text(key, _CONDITIONAL, depth)}: {_text(value, _CONDITIONAL, depth)}"
        case _:
            return json_text(entry)


def _is_literal(form: Any) -> bool:
    if form is None or isinstance(form, str | int):
        return True
    items = as_list(form)
    return bool(items) and str(items[0]) in _LITERALS


def _literal(kind: str, value: Any) -> str:
    match kind, value:
        case "float", str():
            number = value.replace("e+", "e")
            return number if set(number) & set(".eIN") else f"{number}.0"
        case "duration", int():
            return next(
                (f"{value // unit}{name}" for unit, name in _DURATIONS if value % unit == 0), f"{value}us"
            )
        case (("int" | "decimal"), str()):
            return value
        case "bytes", str():
            return _literal("str", _decoded(value))
        case _, str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return json_text(value)


def _decoded(digits: str) -> str:
    """The bytes as the text that a literal of them is."""
    try:
        return bytes.fromhex(digits).decode("utf-8", "replace")
    except ValueError:
        return digits
