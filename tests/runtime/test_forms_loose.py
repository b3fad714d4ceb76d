"""Expressions of `set` steps: computed over old values, without types."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from lgc.runtime import EvaluationError
from lgc.runtime.forms.loose import evaluate_loose
from lgc.runtime.forms.version import Version, version_of_plan

Compile = Callable[..., Any]

TEXT = """
enum E { a, b }
record R { n: int = 0  since: date?  note: str = "" }
record Q { e: E }
union U = R | Q
state In { x: int = 3 }
state S {
  i: int = 2  f: float = 0.5  d: decimal = 1.50  s: str = "hi"  t: str?  b: bool = true
  xs: list[int] = [3, 4]  ss: set[str] = ["a", "b"]  table: dict[str, int] = {"k": 7}  e: E = E.a
  r: R = R(n = 5, note = "x")  q: R?  u: U = Q(e = E.b)  day: date = "2024-02-29"  inner: In
  js: json = none  ids: dict[uuid, int] = {}
  mutation M(i)
}
graph g(S) { task n { reads *  records M }  start -> n -> end }
"""

# Expression as written (what the compiler makes of it follows), and its value.
CASES: list[tuple[str, Any]] = [
    ("i + 1", 3), ("f * 2", 1.0), ("d + 1.25", Decimal("2.75")), ("d > 1.4", True), ("d == 1.5", True),
    ("-i", -2), ("i // 0.3", 6.0), ("i / 4", 0.5), ("i % 2 == 0 and b", True), ("not b or i < 3", True),
    ("b == true", True), ("i == true", False), ("t == none", True), ('t ?? "none"', "none"),
    ('s + "!"', "hi!"), ('upper(s) if b else ""', "HI"), ("len(xs) + sum(xs)", 9), ("xs + [i]", (3, 4, 2)),
    ("xs[0]", 3), ("xs[-1]", 4), ("get(xs, 9, 1)", 1), ('table["k"]', 7), ('get(table, "z", 0)', 0),
    ("keys(table)", ("k",)), ("first([], 1)", 1), ("max(i, 9)", 9), ("max(xs)", 4), ("round(f)", 0),
    ('ss == ["b", "a"]', True), ('"a" in ss', True), ('contains(ss, "z")', False), ("3 in xs", True),
    ('e == E.a', True), ("e in [E.b]", False), ("str(e)", "a"), ("r.n + 1", 6), ("q?.n ?? 1", 1),
    ("u is Q", True), ("u is R", False), ("u.e == E.b", True), ('day < "2025-01-01"', True),
    ('day == "2024-02-29"', True), ("inner.x", 3), ("str(i)", "2"), ('int("7") + i', 9),
    ("js == none", True), ("xs == [3, 4]", True), ('startswith(s, "h")', True), ("abs(-f)", 0.5),
    ("{s: i}", {"hi": 2}), ("any([b, false])", True), ("E.b", "b"), ("float(i)", 2.0), ("2 < f", False),
]  # fmt: skip


@pytest.fixture(scope="module")
def world() -> tuple[Version, dict[str, Any], Callable[..., list[str]]]:
    """The version, the fields of its state at the start, and what writes expressions as they are stored."""
    import sys
    from types import ModuleType

    from lgc.compiler import check
    from lgc.compiler.codegen import generate
    from lgc.dsl.source import Source

    def compiled(text: str) -> Any:
        checked = check([Source("loose.lgraph", text)], load=lambda path: None)
        wrong = [d for d in checked.diagnostics if d.severity == "error" and not d.code.startswith("LG7")]
        assert not wrong, wrong
        module = ModuleType("loose_lg")
        sys.modules[module.__name__] = module
        code = generate(checked.program, checked.program.modules[0], version="0")
        exec(compile(code, "loose_lg.py", "exec"), module.__dict__)  # noqa: S102
        return module

    version = version_of_plan(compiled(TEXT).G_PLAN)
    source = version.hash[:20]

    def written(*expressions: str) -> list[str]:
        steps = "".join(f"  set i = {expression}\n" for expression in expressions)
        (migration,) = compiled(f'{TEXT}migrate g from "{source}" {{\n{steps}}}\n').G_PLAN.migrations
        return [step.expression for step in migration.steps]

    kind: Any = version.graph.plan.state
    state = kind()
    fields = {name: getattr(state, attribute) for name, attribute in kind.__lg_fields__.items()}
    return version, fields, written


def test_expressions_as_written(world: Any) -> None:
    version, fields, written = world
    forms = written(*(text for text, _ in CASES))
    for (text, expected), form in zip(CASES, forms, strict=True):
        found: Any = evaluate_loose(form, fields, version)
        assert found == expected and isinstance(found, bool) is isinstance(expected, bool), text


def test_a_record_takes_literals_as_its_fields_want_them(world: Any) -> None:
    version, fields, written = world
    (form,) = written('R(n = i, since = "2024-01-02", note = s)')
    made: Any = evaluate_loose(form, fields, version)
    assert json.loads(made.model_dump_json()) == {"n": 2, "since": "2024-01-02", "note": "hi"}


def test_a_newer_version_has_the_first_word(world: Any, compiled: Compile) -> None:
    version, fields, _ = world
    text = TEXT.replace("enum E { a, b }", "enum E { a, b, later }").replace(
        "e: E }", 'e: E  why: str = "" }'
    )
    newer = version_of_plan(compiled(text).G_PLAN)
    later = json.dumps(["attr", ["name", "E"], "later"])
    assert evaluate_loose(later, fields, version, (newer,)) == "later"
    with pytest.raises(EvaluationError, match="later"):
        evaluate_loose(later, fields, version)
    # An old member in a new record: both have one name, the values are those of two classes.
    made: Any = evaluate_loose(
        json.dumps(["record", "Q", {"e": ["name", "e"], "why": "so"}]), fields, version, (newer,)
    )
    assert json.loads(made.model_dump_json()) == {"e": "a", "why": "so"}


@pytest.mark.parametrize(
    "form",
    [
        '["name", "nothing"]', '["name", "E"]', '["field", "i"]', '["visits", "n"]', '["steps"]', "[]", "{}",
        '["attr", ["name", "E"], "z"]', '["attr", ["name", "s"], "__class__"]',
        '["attr", ["name", "s"], "upper"]',
        '["call", "eval", "1"]', '["call", "len"]', '["record", "Nothing", {}]', '["record", "R", {"z": 1}]',
        '["left", ["name", "i"], "**", 2]', '["left", ["name", "s"], "*", 1000000000]', "nonsense",
        '["index", ["name", "xs"], 9]', '["left", 1, "/", 0]', '["attr", ["name", "q"], "n"]',
        '["<", ["name", "i"], ["name", "s"]]', '["decimal", "x"]', '["record", "R", {"n": "x"}]',
        '["not", ' * 300 + "true" + "]" * 300, '["not", ' * 100_000,
    ],
    ids=lambda form: form[:40],
)  # fmt: skip
def test_what_cannot_be_computed_is_an_evaluation_error(world: Any, form: str) -> None:
    version, fields, _ = world
    with pytest.raises(EvaluationError):
        evaluate_loose(form, fields, version)
