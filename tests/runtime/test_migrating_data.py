"""Stored values belong to the new version's types, or there is a reason; nothing is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.runtime.positions import kinds, landed, start, state_of, stored, version

from lgc.runtime.errors import CheckpointCorrupted
from lgc.runtime.forms.version import Version, version_of_plan
from lgc.runtime.graph import bind
from lgc.runtime.machine.completion import complete, complete_joined
from lgc.runtime.machine.frame import Effect
from lgc.runtime.machine.position import begin, from_snapshot, to_snapshot
from lgc.runtime.migrating.moved import Moved, moved
from lgc.runtime.values.typed_json import Applied

GRAPH = "\ngraph g(S) { task a { reads * }  start -> a -> end }"
TYPES = """
enum E { x, y }
record R { n: int  m: str = "m" }
record Q { n: int }
union U = R | Q
state T { k: int = 0  range 0..9 }
"""


AN_R = {"kind": "R", "n": 1, "m": "m"}


def source(fields: str, types: str = TYPES) -> str:
    return f"{types}state S {{ {fields} }}{GRAPH}"


def pair(old: str, new: str, **values: Any) -> tuple[Version, Moved]:
    """The new version, and what becomes of a state with these stored values under the old one."""
    before, after = (version(text if "graph" in text else source(text)) for text in (old, new))
    data = json.loads(stored(start(before)))
    data["root"]["state"].update(values)
    return after, moved(json.dumps(data), before, after)


@pytest.mark.parametrize(
    ("old", "new", "value", "expected"),
    [
        ("f: int = 0", "f: float = 0.0", 7, 7.0),
        ("f: int = 0", "f: int?", 7, 7),
        ("f: int?", "f: int = 0", 7, 7),
        ("f: int?", "f: float?", None, None),
        ("f: list[int] = []", "f: list[float] = []", [1, 2], [1.0, 2.0]),
        ("f: list[int] = []", "f: list[int?] = []", [1, 2], [1, 2]),
        ("f: dict[int, int] = {}", "f: dict[int, float] = {}", {"3": 4}, {"3": 4.0}),
        ("f: int = 0", "f: int = 0  range 0..9", 9, 9),
        ("f: str = \"\"", "f: str = \"ab\"  length 2..3  pattern \"b\"", "ab", "ab"),
        ("f: float = 0.0", "f: float = 0.0  range 0.0..1.0", 1.0, 1.0),
        ("f: E = E.x", "f: E?", "y", "y"),
        ("f: R?", "f: U?", AN_R, AN_R),
        ("f: U?", "f: R?", AN_R, {"n": 1, "m": "m"}),
        ("f: T", "f: T  g: int = 3", {"k": 2}, {"k": 2}),
        ("f: json?", "f: json?  g: T", {"a": [1, None]}, {"a": [1, None]}),
    ],
)  # fmt: skip
def test_a_value_that_belongs(old: str, new: str, value: Any, expected: Any) -> None:
    after, done = pair(old, new, f=value)
    assert not kinds(done)
    assert state_of(done)["f"] == expected
    assert repr(state_of(done)["f"]).count(".") == repr(expected).count(".")  # 7.0 is not 7
    landed(done, after)


@pytest.mark.parametrize(
    ("old", "new", "value", "kind", "words"),
    [
        ("f: int = 0", "f: str = \"\"", 7, "value-misfit", "field `f` is `int`, and the new type is `str`"),
        ("f: float = 0.0", "f: int = 0", 3.0, "value-misfit", "is `float`"),
        ("f: str = \"\"", "f: date?", "2024-01-01", "value-misfit", "is `str`, and the new type is `date`"),
        ("f: int = 0", "f: duration = 1s", 5, "value-misfit", "the new type is `duration`"),
        ("f: int = 0", "f: decimal = 1", 5, "value-misfit", "the new type is `decimal`"),
        ("f: int = 0", "f: float = 0.0", 2**53 + 1, "value-misfit", "no `float` is equal"),
        ("f: int = 0", "f: float = 0.0", 10**400, "value-misfit", "no `float` is equal"),
        ("f: str = \"\"", "f: E = E.x", "x", "value-misfit", "is `str`, and the new type is `E`"),
        ("f: json?", "f: int?", 5, "value-misfit", "is `json`"),
        ("f: int?", "f: int = 0", None, "value-misfit", "is none"),
        ("f: list[int] = []", "f: set[int]?", [1], "value-misfit", "is `list[int]`"),
        ("f: dict[int, int] = {}", "f: dict[str, int] = {}", {"1": 1}, "value-misfit", "at `['1']` is `int`"),
        ("f: list[int] = []", "f: list[str] = []", [1], "value-misfit", "at `[0]` is `int`"),
        ("f: int = 0", "f: int = 0  range 0..9", 10, "constraint-broken", "field `f` is 10, outside 0..9"),
        ("f: int = 0", "f: int = 0  range ..9", 10, "constraint-broken", "outside ..9"),
        ("f: str = \"\"", "f: str = \"ab\"  length 2..", "a", "constraint-broken", "has length 1"),
        ("f: str = \"\"", "f: str = \"b\"  pattern \"^b\"", "ab", "constraint-broken", "the pattern ^b"),
        ("f: bytes?", "f: bytes?  length ..2", "__79", "constraint-broken", "has length 3"),
        ("f: decimal = 1", "f: decimal = 1  range 0.5..1.5", "2", "constraint-broken", "outside 0.5..1.5"),
        ("f: T", "f: int = 0", None, "value-misfit", "is `T`"),
        ("f: U?", "f: Q?  g: U?", AN_R, "value-misfit", "is a `R`, and the new type is `Q`"),
        ("f: R?", "f: Q?  g: R?", AN_R, "value-misfit", "is `R`, and the new type is `Q`"),
        ("f: int = 0", "g: int = 0", 5, "field-gone", "field `f` has a value and is not there"),
        ("f: int = 0", "f: int = 0  g: int", 5, "field-without-value", "field `g` (`int`) is new"),
    ],
)  # fmt: skip
def test_a_value_that_does_not(old: str, new: str, value: Any, kind: str, words: str) -> None:
    values = {} if old == "f: T" else {"f": value}
    _, done = pair(old, new, **values)
    assert kinds(done) == [kind]
    assert words in done.reasons[0].text
    assert done.reasons[0].condition == "data"
    assert done.reasons[0].element.startswith("state/field/")


def declared(types: str, fields: str) -> str:
    return source(fields, types)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("enum E { x, y }", "enum E { y }", "is `x`, which `E` no longer has"),
        ("enum E { x, y }", "enum E { x, y, z }", ""),
        ("enum E { x, y }", "enum F { x, y }", ""),
    ],
)
def test_enums(old: str, new: str, words: str) -> None:
    name = new.split()[1]
    old, new = (
        declared(old, "f: E = E.x  h: list[E] = []"),
        declared(new, f"f: {name} = {name}.y  h: list[{name}] = []"),
    )
    after, done = pair(old, new)
    if words:
        assert kinds(done) == ["value-misfit"]
        assert words in done.reasons[0].text
    else:
        assert state_of(done)["f"] == "x"
        landed(done, after)


def test_a_type_of_another_name_beside_the_old_one_is_no_rename() -> None:
    types = "enum E { x }  enum F { x }  "
    old = declared(types, "f: E = E.x  g: F = F.x")
    _, done = pair(old, declared(types, "f: F = F.x  g: E = E.x"))
    assert kinds(done) == ["value-misfit", "value-misfit"]


@pytest.mark.parametrize(
    ("new", "value", "words"),
    [
        ("record R { n: float  m: str = \"m\" }", {"n": 1.0, "m": "m"}, ""),
        ("record R { n: int  m: str = \"other\"  o: int = 4 }", {"n": 1, "m": "m", "o": 4}, ""),
        ("record R { n: int  m: str = \"m\"  o: int? }", {"n": 1, "m": "m", "o": None}, ""),
        ("record R { n: int  m: str = \"m\"  o: int }", None, "`o`"),
        ("record R { n: int }", None, "at `[0].m` has a value, and `R` has no field `m`"),
        ("record R { n: str  m: str = \"m\" }", None, "at `[0].n` is `int`"),
        ("record P { n: int  m: str = \"m\" }", {"n": 1, "m": "m"}, ""),
    ],
)  # fmt: skip
def test_records_inside_of_collections(new: str, value: Any, words: str) -> None:
    old = declared('record R { n: int  m: str = "m" }  ', "f: list[R] = []")
    name = new.split()[1]
    after, done = pair(old, declared(new, f"f: list[{name}] = []"), f=[{"n": 1, "m": "m"}])
    if words:
        assert kinds(done) == ["value-misfit"]
        assert words in done.reasons[0].text
    else:
        assert state_of(done)["f"] == [value]
        landed(done, after)


def test_members_of_unions_keep_their_tags() -> None:
    old = declared("record A { kind: str }  record B { b: int }  union U = A | B  ", "f: list[U] = []")
    types = "record A { kind: str }  record B { b: float }  record C { c: int }  union U = A | B | C  "
    new = declared(types, "f: list[U] = []")
    after, done = pair(old, new, f=[{"kind_": "A", "kind": "B"}, {"kind_": "B", "b": 1}])
    assert state_of(done)["f"] == [{"kind_": "A", "kind": "B"}, {"kind_": "B", "b": 1.0}]
    landed(done, after)


def test_a_member_that_left_its_union() -> None:
    old = declared("record A { a: int }  record B { b: int }  union U = A | B  ", "f: U?")
    new = declared("record A { a: int }  record B { b: int }  union U = B  ", "f: U?  g: A?")
    _, done = pair(old, new, f={"kind": "A", "a": 1})
    assert kinds(done) == ["value-misfit"]
    after, done = pair(old, new, f={"kind": "B", "b": 1})
    assert not kinds(done)
    assert landed(done, after).state.f.b == 1


def test_a_sub_state_is_asked_field_by_field() -> None:
    old = declared("state T { k: int = 0  gone: int = 1 }  ", "t: T")
    _, done = pair(old, declared("state T { k: int = 0 }  ", "t: T"))
    assert kinds(done) == ["value-misfit"]
    assert "`gone`" in done.reasons[0].text
    new = declared('state T { k: int = 5  gone: float = 0.0  more: str = "new" }  ', "t: T")
    _, done = pair(old, new)
    assert state_of(done) == {"t": {"k": 0, "gone": 1.0, "more": "new"}}
    _, done = pair(old, declared("state T { k: int = 9  range 5..9  gone: int = 1 }  ", "t: T"))
    assert "`k` is 0, outside 5..9" in done.reasons[0].text


def test_new_fields_begin_at_their_defaults() -> None:
    new = "f: int = 0  a: int = 3  b: str?  c: list[R] = [R(n = 1)]  d: T  e: E = E.y"
    after, done = pair("f: int = 0", new, f=2)
    assert state_of(done) == {
        "f": 2, "a": 3, "b": None, "c": [{"n": 1, "m": "m"}], "d": {"k": 0}, "e": "y",
    }  # fmt: skip
    assert landed(done, after).state.c[0].n == 1


def test_all_reasons_are_told_at_once() -> None:
    _, done = pair("a: int = 0  b: int = 0  c: int = 1", 'b: str = ""  c: int = 5  range 5..  d: int')
    assert kinds(done) == ["field-gone", "value-misfit", "constraint-broken", "field-without-value"]
    assert [reason.element for reason in done.reasons] == [f"state/field/{name}" for name in "abcd"]
    assert [bool(reason.place) for reason in done.reasons] == [False, True, True, True]


def test_the_same_version_is_left_as_it_is() -> None:
    module = version(source("f: int = 0"))
    text = stored(start(module))
    assert moved(text, module, module) == Moved(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "{}", '{"version":2,"root":{}}', '{"version":1,"root":{}}', '{"version":1,"root":[]}',
        '{"version":1,"root":{"node":"zz","since":1,"counts":{},"taken":{},"done":0,"state":{"f":1}}}',
        '{"version":1,"root":{"node":"a","since":1,"counts":{},"taken":{},"done":0,"state":{}}}',
        '{"version":1,"root":{"node":"a","since":1,"counts":{},"taken":{},"done":0,"state":{"f":1,"g":2}}}',
        '{"version":1,"root":{"node":"a","since":1,"counts":{},"taken":{"a->b":1},"done":0,"state":{"f":1}}}',
        '{"version":1,"root":' + "[" * 100_000,
        '{"version":1,"root":{"node":"a","since":1,"counts":{},"taken":{},"done":0,"state":{"f":"x"}}}',
        '{"version":1,"root":{"node":"a","since":1,"counts":[],"taken":{},"done":0,"state":{"f":[]}}}',
    ],
)  # fmt: skip
def test_what_is_no_position_of_the_old_version(text: str) -> None:
    old, new = version(source("f: int = 0")), version(source("f: float = 0.0"))
    with pytest.raises(CheckpointCorrupted, match="the snapshot is none of `g`"):
        moved(text, old, new)


def test_a_record_carries_a_tag_inside_of_unions_only() -> None:
    """Whether its class has one depends on the file that it stands in; without one every class reads it."""
    fields = "f: R?  g: list[R] = []  h: U?"
    _, done = pair(fields, f"{fields}  i: int = 0", f=AN_R, g=[AN_R], h=AN_R)
    plain = {"n": 1, "m": "m"}
    assert state_of(done) == {"f": plain, "g": [plain], "h": AN_R, "i": 0}


def test_generated_code_reads_what_was_moved(compiled: Callable[..., Any]) -> None:
    types = (
        "record A { copy: str  n: int }  record B { kind: str }  union U = A | B"
        "  state T { snapshot: int = 1  mutation Up(by: int) { snapshot += by } }  "
    )
    body = """
      parallel p { branch x { start -> s -> one -> two -> end }  branch y = one2 }
      subgraph s = h { on restore }  task one { records Put }  task two {}  task one2 {}
      start -> p -> end
    """
    fields = "f: list[U] = []  a: A?  restore: T  mutation Put(a)"
    inner = "graph h(T) { task i { records Up } start -> i -> end } "
    old = f"{types}{inner}state S {{ {fields} }} graph g(S) {{ {body} }}"
    new = old.replace("n: int }", 'n: float  more: str = "new" }').replace("A | B", "B | A")
    new = new.replace("task two {}", "task two { reads a }")
    before, after = compiled(old), compiled(new)
    graph = bind(before.G_PLAN, _Nodes())
    a = before.A(copy="c", n=3)
    root = begin(graph, before.S(f=[a, before.B(kind="k")], a=a), 1.0)
    complete(root.child("x").child(""), mutations=[before.Up(by=2)])
    complete_joined(root.child("x"), [""])
    complete(root.child("x"), mutations=[before.Put(a=a)])
    done = moved(to_snapshot(root), version_of_plan(before.G_PLAN), version_of_plan(after.G_PLAN))
    assert not kinds(done)
    there = from_snapshot(bind(after.G_PLAN, _Nodes()), done.snapshot, {})
    b = after.A(copy="c", n=3.0, more="new")
    assert there.state == after.S(f=[b, after.B(kind="k")], a=b)
    assert there.children["x"].effects == [
        Effect(("restore_",), Applied(after.Up(by=2))), Effect((), Applied(after.Put(a=b))),
    ]  # fmt: skip
    assert there.children["x"].node == "two"


class _Nodes:
    def __getattr__(self, name: str) -> Any:
        return lambda ctx: None  # pyright: ignore[reportUnknownLambdaType, reportUnknownVariableType]
