"""From the written expression of a `set` step to its loose form: JSON without types.

Such an expression is over the state of an older graph. Who moves a run has the old state's values and its
stored types, and computes with them; the module that is generated from the new graph has only this:

    ["name", NAME]  ["attr", x, f]  ["attr?", x, f]  ["call", FUNCTION, args…]  ["record", NAME, {f: x}]

and the rest as in the canonical form of expressions: constants (`["float", "0.5"]`,
`["duration", MICROSECONDS]`), `["index", x, k]`, `["list", …]`, `["dict", [k, v], …]`, `["not", x]`,
`["neg", x]`, `["is", x, NAME]`, `["if", condition, then, otherwise]`, `or`, `and`, `??`, `["left", …]`,
comparisons (`a > b` is `b < a`). A name is a field of the old state or an enum: `E.a` is
`["attr", ["name", "E"], "a"]`. Nothing is widened, and a string may be meant as a date: types tell.
"""

from __future__ import annotations

import json
from typing import assert_never

from ...dsl import ast
from ..canonical.expressions import binary_form
from ..canonical.jcs import Json
from ..canonical.values import float_form, integer_form
from ..context import Unit
from ..resolve.expressions import DEEPEST
from ..resolve.functions import FUNCTIONS

_GUARDS_ONLY = ("visits", "steps")


def loose_text(unit: Unit, written: ast.Expr) -> str:
    """The loose form as JSON on one line; reports what can stand in no `set` (LG203, LG006)."""
    return json.dumps(_Loose(unit).form(written), ensure_ascii=False, separators=(",", ":"))


class _Loose:
    """Turns one expression into its form."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.depth = 0

    def form(self, written: ast.Expr) -> Json:
        """The form of an expression; null for what was reported."""
        while isinstance(written, ast.Paren):
            written = written.inner
        if self.depth >= DEEPEST:
            message = f"this expression is nested more than {DEEPEST} deep"
            self.unit.error("LG006", message, written.span, help="split it: several fields or migrations")
            return None
        self.depth += 1
        found = self._form(written)
        self.depth -= 1
        return found

    def _form(self, written: ast.Expr) -> Json:
        match written:
            case ast.NoneLit():
                return None
            case ast.BoolLit(value=truth):
                return truth
            case ast.IntLit(value=number):
                return integer_form(number)
            case ast.FloatLit(value=number):
                return float_form(number)
            case ast.StrLit(value=text):
                return text
            case ast.DurationLit(milliseconds=length):
                return _duration(length)
            case ast.Ref(name=name):
                return ["name", name]
            case ast.Attr(base=base, name=name, safe=safe):
                return ["attr?" if safe else "attr", self.form(base), name.text]
            case ast.Index(base=base, key=key):
                return ["index", self.form(base), self.form(key)]
            case ast.Call():
                return self._call(written)
            case ast.ListExpr(items=items):
                return ["list", *map(self.form, items)]
            case ast.DictExpr(items=entries):
                return ["dict", *([self.form(key), self.form(value)] for key, value in entries)]
            case ast.Unary(op=op, operand=operand):
                return ["not", self.form(operand)] if op == "not" else self._negative(operand)
            case ast.Binary(op=op, left=left, right=right):
                parts = self.form(left), self.form(right)
                return binary_form(op, *(parts[::-1] if op in (">", ">=") else parts))
            case ast.Is(operand=operand, record=record):
                return ["is", self.form(operand), record.text]
            case ast.Conditional(then=then, condition=condition, otherwise=otherwise):
                return ["if", self.form(condition), self.form(then), self.form(otherwise)]
            case ast.Paren():
                return self.form(written)
            case _:
                assert_never(written)

    def _negative(self, operand: ast.Expr) -> Json:
        while isinstance(operand, ast.Paren):
            operand = operand.inner
        match operand:
            case ast.IntLit(value=number):
                return integer_form(-number)
            case ast.FloatLit(value=number):
                return float_form(-number)
            case ast.DurationLit(milliseconds=length):
                return _duration(-length)
            case _:
                return ["neg", self.form(operand)]

    def _call(self, written: ast.Call) -> Json:
        """A function, or else a record: its fields have names."""
        name = written.name.text
        if name in _GUARDS_ONLY:
            message = f"`{name}` can be asked only in the guard of an edge"
            help = "a migration computes from the old state alone"
            self.unit.error("LG203", message, written.span, help=help)
            return None
        if name in FUNCTIONS:
            named = next((arg.name for arg in written.args if arg.name is not None), None)
            if named is not None:
                help = f"write {FUNCTIONS[name].usage}"
                self.unit.error("LG203", f"`{name}` takes no named arguments", named.span, help=help)
            return ["call", name, *(self.form(arg.value) for arg in written.args)]
        fields: dict[str, Json] = {}
        for arg in written.args:
            if arg.name is None:
                self._no_function(written.name, arg)
                return None
            if arg.name.text in fields:
                self.unit.error("LG203", f"field `{arg.name.text}` is given twice", arg.name.span)
            fields[arg.name.text] = self.form(arg.value)
        return ["record", name, fields]

    def _no_function(self, name: ast.Name, unnamed: ast.Arg) -> None:
        symbol = self.unit.symbols.get(name.text)
        if symbol is not None and symbol.kind == "record":
            help = f"write `{name.text}(field = …)`"
            message = f"the fields of record `{name.text}` are given by name"
            self.unit.error("LG203", message, unnamed.span, help=help)
        else:
            self.unit.undefined("no function", name, FUNCTIONS, code="LG203")


def _duration(milliseconds: int) -> Json:
    return ["duration", integer_form(milliseconds * 1000)]
