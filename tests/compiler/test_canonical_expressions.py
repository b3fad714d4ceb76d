"""What the canonical form of expressions keeps apart and what it takes for the same, on hand-made trees."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import get_args
from uuid import UUID

import pytest

from lgc.compiler import model as m
from lgc.compiler.canonical import jcs
from lgc.compiler.canonical.expressions import expression_form
from lgc.compiler.canonical.values import Labels, bound_form, constant_form, type_form
from lgc.dsl.source import Place, Source, Span

P = Place(Source("a.lgraph", ""), Span(0, 0))
INT, FLOAT, BOOL, STR, DECIMAL = (m.Scalar(name) for name in ("int", "float", "bool", "str", "decimal"))
POINT = m.Key("a.lgraph", "Point")


def const(value: m.ConstValue, type_: m.Type = INT) -> m.Const:
    return m.Const(value, type_, P)


def field(name: str) -> m.FieldRef:
    return m.FieldRef(name, INT, P)


def binary(op: str, left: m.Expr, right: m.Expr) -> m.Binary:
    return m.Binary(op, left, right, BOOL, P)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def form(expr: m.Expr) -> jcs.Json:
    return expression_form(expr, Labels())


A, B, C, D = (field(name) for name in "abcd")


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        (None, m.NoneOnly(), None),
        (True, BOOL, True),
        (1, INT, 1),
        (2**53, INT, ["int", "9007199254740992"]),
        (-(2**53), INT, ["int", "-9007199254740992"]),
        (1, FLOAT, ["float", "1"]),
        (1, m.OptionalOf(FLOAT), ["float", "1"]),
        (1.0, FLOAT, ["float", "1"]),
        (0.1, FLOAT, ["float", "0.1"]),
        (1e21, FLOAT, ["float", "1e+21"]),
        (0.0, FLOAT, ["float", "0"]),
        (-0.0, FLOAT, ["float", "-0"]),
        (float("inf"), FLOAT, ["float", "inf"]),
        (1, DECIMAL, ["decimal", "1"]),
        (Decimal("1.50"), DECIMAL, ["decimal", "1.50"]),
        ("1", STR, "1"),
        (b"\x00\xff", m.Scalar("bytes"), ["bytes", "00ff"]),
        (
            datetime(2024, 2, 29, 12, tzinfo=UTC),
            m.Scalar("datetime"),
            ["datetime", "2024-02-29T12:00:00+00:00"],
        ),
        (date(2024, 2, 29), m.Scalar("date"), ["date", "2024-02-29"]),
        (timedelta(minutes=1), m.Scalar("duration"), ["duration", 60_000_000]),
        (timedelta.max, m.Scalar("duration"), ["duration", ["int", "86399999999999999999"]]),
        (UUID(int=1), m.Scalar("uuid"), ["uuid", "00000000-0000-0000-0000-000000000001"]),
    ],
)
def test_constants_are_told_apart(value: m.ConstValue, type_: m.Type, expected: jcs.Json) -> None:
    assert constant_form(value, type_) == expected


def test_an_integer_longer_than_python_prints_has_a_form() -> None:
    assert form(const(10**5000)) != form(const(10**5000 + 1))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, 1.0, Decimal(1), Decimal("1.00")), 1),
        ((0, -0.0, Decimal("-0.0"), Decimal("0E+5")), 0),
        ((1000, 1e3, Decimal("1E+3")), 1000),
        ((0.5,), ["float", "0.5"]),
        ((Decimal("0.5"), Decimal("0.500"), Decimal("5E-1")), ["decimal", "0.5"]),
        ((Decimal("-12.340"),), ["decimal", "-12.34"]),
        ((Decimal("1E+999999999"), Decimal("10E+999999998")), ["decimal", "1e999999999"]),
        ((2**53, float(2**53)), ["int", "9007199254740992"]),
    ],
)
def test_bounds_are_numbers_to_compare_with(values: tuple[m.Number, ...], expected: jcs.Json) -> None:
    assert [bound_form(value) for value in values] == [expected] * len(values)


def test_every_scalar_is_its_name() -> None:
    for name in get_args(m.ScalarName):
        assert type_form(m.Scalar(name), Labels()) == name


def test_comparisons_look_to_the_right() -> None:
    assert form(binary(">", A, B)) == form(binary("<", B, A)) == ["<", ["field", "b"], ["field", "a"]]
    assert form(binary(">=", A, B)) == form(binary("<=", B, A)) == ["<=", ["field", "b"], ["field", "a"]]
    assert form(binary("<", A, B)) != form(binary("<", B, A))
    assert form(binary("==", A, B)) != form(binary("==", B, A))


@pytest.mark.parametrize("op", ["and", "or", "??"])
def test_how_these_group_means_nothing_but_their_order_does(op: str) -> None:
    assert form(binary(op, A, binary(op, B, C))) == form(binary(op, binary(op, A, B), C))
    assert form(binary(op, A, binary(op, B, C))) != form(binary(op, A, binary(op, C, B)))


def test_mixed_and_or_keep_their_groups() -> None:
    assert form(binary("and", A, binary("or", B, C))) != form(binary("or", binary("and", A, B), C))
    assert form(binary("??", A, binary("or", B, C))) == [
        "??",
        ["field", "a"],
        ["or", ["field", "b"], ["field", "c"]],
    ]


def test_arithmetic_is_done_from_the_left() -> None:
    assert form(binary("-", binary("-", A, B), C)) == [
        "left",
        *_names("a"),
        "-",
        *_names("b"),
        "-",
        *_names("c"),
    ]
    assert form(binary("-", A, binary("-", B, C))) != form(binary("-", binary("-", A, B), C))
    assert form(binary("+", A, binary("+", B, C))) != form(binary("+", binary("+", A, B), C))  # floats round
    assert form(binary("*", binary("+", A, B), C)) != form(binary("+", binary("*", A, B), C))


def _names(*names: str) -> list[jcs.Json]:
    return [["field", name] for name in names]


def test_a_minus_belongs_to_its_literal() -> None:
    minus_two = m.Unary("-", const(2), INT, P)
    assert form(minus_two) == form(const(-2)) == -2
    assert form(m.Unary("-", const(0.0, FLOAT), FLOAT, P)) == ["float", "-0"]
    assert form(m.Unary("-", const(Decimal("1.0"), DECIMAL), DECIMAL, P)) == ["decimal", "-1.0"]
    assert form(m.Unary("-", A, INT, P)) == ["neg", ["field", "a"]]


def test_an_integer_used_as_a_float_is_one() -> None:
    assert form(m.Widen(const(2), FLOAT, P)) == form(const(2.0, FLOAT))
    assert form(m.Widen(m.Unary("-", const(2), INT, P), FLOAT, P)) == form(const(-2.0, FLOAT))
    assert form(m.Widen(A, FLOAT, P)) == ["widen", ["field", "a"]]
    assert form(const(2)) != form(const(2.0, FLOAT))


def test_names_of_different_kinds_differ() -> None:
    forms = [
        form(A),
        form(m.ParamRef("a", INT, P)),
        form(m.ItemRef("a", INT, P)),
        form(const("a", STR)),
        form(m.Visits("a", INT, P)),
        form(m.EnumConst(m.Key("x", "a"), "a", INT, P)),
        form(m.Attr(A, "a", False, INT, P)),
        form(m.Attr(A, "a", True, INT, P)),
        form(m.IsRecord(A, m.Key("x", "a"), BOOL, P)),
        form(m.Call("len", (A,), INT, P)),
        form(m.Call("abs", (A,), INT, P)),
        form(m.Index(A, A, INT, P)),
        form(m.Steps(INT, P)),
    ]
    assert len({jcs.write(each) for each in forms}) == len(forms)


def test_a_record_s_arguments_are_named() -> None:
    one = m.MakeRecord(POINT, (("x", A), ("y", B)), m.RecordType(POINT), P)
    other = m.MakeRecord(POINT, (("y", B), ("x", A)), m.RecordType(POINT), P)
    assert form(one) == form(other) == ["record", "Point", {"x": ["field", "a"], "y": ["field", "b"]}]
    assert form(one) != form(m.MakeRecord(POINT, (("x", B), ("y", A)), m.RecordType(POINT), P))


def test_only_constant_sets_have_no_order() -> None:
    def made(type_: m.Type, *items: m.Expr) -> jcs.Json:
        return form(m.MakeList(items, type_, P))

    numbers, others = (const(1), const(-2)), (const(-2), const(1))
    assert made(m.SetOf(INT), *numbers) == made(m.SetOf(INT), *others, const(1))
    assert made(m.OptionalOf(m.SetOf(INT)), *numbers) == made(m.SetOf(INT), *numbers)
    assert made(m.ListOf(INT), *numbers) != made(m.ListOf(INT), *others)
    assert made(m.SetOf(INT), A, B) != made(m.SetOf(INT), B, A)
    assert made(m.SetOf(INT)) != made(m.ListOf(INT))


def test_conditionals_and_entries_keep_their_places() -> None:
    assert form(m.Conditional(A, B, C, INT, P)) == ["if", *_names("b", "a", "c")]
    entries = m.MakeDict(((A, B), (C, D)), m.DictOf(STR, INT), P)
    assert form(entries) == ["dict", _names("a", "b"), _names("c", "d")]
    assert form(m.MakeDict(((C, D), (A, B)), m.DictOf(STR, INT), P)) != form(entries)


def test_two_declarations_of_one_name_are_two() -> None:
    labels = Labels()
    left, right = m.Key("left", "Note"), m.Key("right", "Note")
    assert [labels(left), labels(right), labels(left)] == ["Note", "Note#2", "Note"]


@pytest.mark.parametrize("depth", [200, 5_000])
def test_depth_is_no_limit(depth: int) -> None:
    deep: m.Expr = A
    for _ in range(depth):
        deep = m.Unary("not", m.Conditional(B, binary("-", A, deep), C, INT, P), BOOL, P)
    assert jcs.write(form(deep)).count('"not"') == depth
    chain: m.Expr = A
    for _ in range(depth):
        chain = binary("and", chain, B)
    assert form(chain) == ["and", ["field", "a"], *[["field", "b"]] * depth]
