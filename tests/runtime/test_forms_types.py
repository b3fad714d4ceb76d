"""Values of every type: a form reads, refuses and writes the JSON that generated code does."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from tests.runtime.forms_driver import Chance

from lgc.runtime import SerializationError
from lgc.runtime.forms.version import version_of_plan
from lgc.runtime.values.state import broken_constraint
from lgc.runtime.values.typed_json import decode_checkpoint, decode_field, encode_field, encode_state

Compile = Callable[..., Any]

TEXT = """
enum E { a, b, upper }
record R { n: int = 0  e: E = E.a  next: R?  many: list[R] = []  json: json = none  _x: bytes = "a" }
record Q { u: U?  at: dict[E, U] = {}  copy: str = "c" }
record K { kind: int }
union U = R | Q
union V = K | Alone
record Alone { day: date = "2024-02-29" }
state In { x: int = 3  range 0..9  schema: list[In2] = []  nothing: str? }
record In2 { f: float = 0.5 }
state S {
  f_str: str  f_int: int = 7  f_float: float = 0.5  f_bool: bool = false  f_bytes: bytes = "hi"
  f_decimal: decimal = 1.50  f_datetime: datetime = "2024-01-02T03:04:05Z"  f_date: date = "2024-01-02"
  f_duration: duration = 90s  f_uuid: uuid = "00000000-0000-4000-8000-000000000000"  f_json: json = none
  ol: list[int]?  od: dict[str, float]?  os: set[uuid]?  l: list[list[E]] = []  s: set[E] = []
  d: dict[uuid, list[decimal?]] = {}  r: R = R(n = 1, next = R())  q: Q = Q(u = R(n = 2))  u: U?
  us: list[U] = []
  v: V = K(kind = 3)  vs: dict[int, V?] = {}  alone: Alone = Alone()  inner: In  es: set[int] = [3, 1]
  short: str = "abc" length 1..5 pattern "^[a-z]*$"  exact: decimal? range 0.5..2.5
  items: list[int] = [] length ..2
  copy: float? range 0..  self: int = 1  _private: str = "p"
  mutation M(f_int)
}
graph g(S) { task n { reads *  records M }  start -> n -> end }
"""

BAD: tuple[Any, ...] = (
    None, True, 0, 1, -1, 1.5, 1e400, "", "x", "abcdefgh", "NaN", "1.5", "2024-13-01", [], [None], [1, "a"],
    {}, [{"kind": "Q"}],
    {"kind": "R"}, {"kind": "Q", "n": 1}, {"kind": "Nope"}, {"n": 1, "more": 2}, {"kind": 3}, {"kind_": "K"},
    {"a": "b"}, "a", "upper", "UPPER", "YQ==", "P1D", [[["a"]]], {"x": 12}, 10**30, "00000000-0000",
)  # fmt: skip


def read(kind: Any, text: str, original: Any) -> Any:
    """What a state reads, as generated code writes it; or that it refuses."""
    try:
        state = kind.restore(decode_checkpoint(kind, text), {})
    except SerializationError as error:
        return "refused", error.path
    again = encode_state(state)
    return json.loads(encode_state(original.restore(decode_checkpoint(original, again), {}))), broken(state)


def broken(state: Any) -> bool:
    """Whether a constraint is broken."""
    return broken_constraint(state) is not None


@pytest.fixture(scope="module")
def kinds(compiled_once: Callable[[str], Any]) -> tuple[Any, Any, Any]:
    """The generated state, that of the form, and the version."""
    plan = compiled_once(TEXT).G_PLAN
    version = version_of_plan(plan)
    return plan.state, version.graph.plan.state, version


@pytest.fixture(scope="module")
def compiled_once() -> Callable[[str], Any]:
    """A function from a text to its generated module."""
    import sys
    from types import ModuleType

    from lgc.compiler import check
    from lgc.compiler.codegen import generate
    from lgc.dsl.source import Source

    def made(text: str) -> Any:
        checked = check([Source("types.lgraph", text)], load=lambda path: None)
        wrong = [d for d in checked.diagnostics if d.severity == "error"]
        assert not wrong, wrong
        module = ModuleType("form_types_lg")
        sys.modules[module.__name__] = module
        code = generate(checked.program, checked.program.modules[0], version="0")
        exec(compile(code, "form_types_lg.py", "exec"), module.__dict__)  # noqa: S102
        return module

    return made


def test_defaults_are_the_same(kinds: Any) -> None:
    original, form, _ = kinds
    assert read(form, '{"f_str":""}', original) == read(original, '{"f_str":""}', original)
    assert encode_state(form(f_str="")) != "" and set(form.__lg_fields__) == set(original.__lg_fields__)


def test_values_of_chance_are_read_and_written_alike(kinds: Any) -> None:
    original, form, version = kinds
    chance = Chance(version, Random(1))
    seen: set[str] = set()
    for _ in range(150):
        text = json.dumps(chance.value(["state", "S"]))
        expected = read(original, text, original)
        assert read(form, text, original) == expected, text
        assert expected[0] != "refused", (text, expected)
        seen |= {name for name, value in json.loads(text).items() if value}
    assert seen == set(original.__lg_fields__)


def test_what_does_not_fit_is_refused_alike(kinds: Any) -> None:
    original, form, version = kinds
    refused = 0
    for name in original.__lg_fields__:
        for value in BAD:
            text = json.dumps({"f_str": "", name: value})
            expected = read(original, text, original)
            assert read(form, text, original)[0] == expected[0], text
            refused += expected[0] == "refused"
    assert refused > 300
    for text in (
        "",
        "[]",
        "{}",
        '{"f_str":1}',
        '{"f_str":"","nope":1}',
        '{"f_str":"a","f_str2":1}',
        "\ud800",
    ):
        assert read(form, text, original)[0] == read(original, text, original)[0] == "refused"
    assert version.graph.plan.state is form


def test_a_field_is_read_and_written_by_itself(kinds: Any) -> None:
    original, form, version = kinds
    chance = Chance(version, Random(2))
    for name, field in chance.fields("state").items():
        data = chance.value(field["type"])
        values = [decode_field(kind, name, data) for kind in (original, form)]
        texts = [
            encode_field(kind, name, value) for kind, value in zip((original, form), values, strict=True)
        ]
        assert decode_field(original, name, texts[1]) == values[0], (name, data, texts)


def test_limits_that_are_broken_are_broken_alike(kinds: Any) -> None:
    original, form, _ = kinds
    for more in (
        {"short": ""}, {"short": "ABC"}, {"short": "abcdef"}, {"exact": "0.4"}, {"exact": "2.50"},
        {"exact": "3"},
        {"items": [1, 2]}, {"items": [1, 2, 3]}, {"copy": -0.5}, {"copy": 3}, {"inner": {"x": 10}},
        {"inner": {"x": -1}}, {"inner": {"x": 9}},
    ):  # fmt: skip
        text = json.dumps({"f_str": "", **more})
        states = [kind.restore(decode_checkpoint(kind, text), {}) for kind in (original, form)]
        assert broken(states[0]) is broken(states[1]), more


def test_a_tag_is_read_where_no_union_is_wanted(kinds: Any) -> None:
    # A form does not tell whether its records carry one: that depends on the file in which the union stands.
    _, form, _ = kinds
    for tag in ("", '"kind":"R",'):
        state = form.restore(decode_checkpoint(form, f'{{"f_str":"","r":{{{tag}"n":5}}}}'), {})
        assert json.loads(encode_state(state))["r"]["n"] == 5
    with pytest.raises(SerializationError):
        decode_checkpoint(form, '{"f_str":"","r":{"kind":"Q","n":5}}')
