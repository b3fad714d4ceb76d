"""Hashes: how they are made and written, made again from stored text, and pinned.

The pinned files in tests/corpus/hash belong to `lg1`: whoever has to change one changes the name of the form.
"""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgc.compiler import canonical, check
from lgc.compiler import model as m
from lgc.compiler.canonical import jcs
from lgc.dsl.diagnostic import Severity
from lgc.dsl.source import Source
from lgc.runtime.changes.compare import compare
from lgc.runtime.changes.unparse import expression_text

CORPUS = Path(__file__).parents[1] / "corpus" / "hash"
PINNED: dict[str, dict[str, str]] = json.loads((CORPUS / "pinned.json").read_text())
PATHS = sorted({name.partition(":")[0] for name in PINNED})


def compiled(path: Path) -> m.Program:
    """The resolved graphs of a file of the corpus."""
    files = {each.name: each.read_bytes() for each in path.parent.glob("*.lgraph")}
    result = check([Source(path.name, path.read_text())], load=files.get)
    assert result.usable
    return result.program


PROGRAMS = {path: compiled(CORPUS / path) for path in PATHS}


def found(name: str) -> tuple[m.Program, m.Key]:
    """A pinned graph, by `path:graph`."""
    path, _, graph = name.partition(":")
    return PROGRAMS[path], m.Key(Path(path).name, graph)


# --- pinned -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PINNED)
def test_pinned(name: str) -> None:
    program, key = found(name)
    stored = (CORPUS / PINNED[name]["form"]).read_text().removesuffix("\n")
    assert canonical.canonical_text(program, key) == stored
    assert canonical.graph_hash(program, key).full == PINNED[name]["hash"]
    assert canonical.operational_hash(program, key).full == PINNED[name]["ops"]


@pytest.mark.parametrize("name", PINNED)
def test_a_stored_form_is_enough_to_hash(name: str) -> None:
    program, key = found(name)
    text = canonical.canonical_text(program, key)
    assert canonical.hash_of_text(text) == canonical.graph_hash(program, key)
    form = json.loads(text)
    turned = {key: form[key] for key in reversed(form)}
    assert canonical.hash_of_text(json.dumps(turned, indent=2)) == canonical.graph_hash(program, key)


@pytest.mark.parametrize("name", PINNED)
def test_text_and_form_are_one(name: str) -> None:
    program, key = found(name)
    assert jcs.write(canonical.canonical_form(program, key)) == canonical.canonical_text(program, key)
    assert jcs.write(canonical.operational_form(program, key)) == canonical.operational_text(program, key)


def test_how_a_hash_is_made() -> None:
    """The recipe in words of the standard library alone, for whoever checks it in another language."""
    program, key = found("rich/main.lgraph:work")
    form: dict[str, Any] = json.loads(canonical.canonical_text(program, key))

    def text(value: Any) -> str:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    hashes = {
        id_: sha256(f"{id_}\n{text(element)}".encode()).hexdigest()
        for id_, element in form["elements"].items()
    }
    assert hashes == canonical.elements(program, key)
    assert canonical.graph_hash(program, key).full == "lg1:" + sha256(text(hashes).encode()).hexdigest()


# --- as written -------------------------------------------------------------------------------------------


def test_how_a_hash_is_written() -> None:
    hash_ = canonical.graph_hash(*found("minimal.lgraph:g"))
    assert len(hash_.full) == 4 + 64
    assert hash_.full.startswith("lg1:")
    assert hash_.short == hash_.full[:20]
    assert str(hash_) == hash_.full
    assert canonical.operational_hash(*found("minimal.lgraph:g")).full.startswith("lg1o:")


def test_a_hash_is_recognised_in_full_and_short() -> None:
    hash_ = canonical.graph_hash(*found("minimal.lgraph:g"))
    digits = hash_.full.removeprefix("lg1:")
    assert all(hash_.matches(text) for text in (hash_.full, hash_.short, digits, digits[:16], digits[:40]))
    wrong = ("", "lg1:", digits[:15], digits + "0", "lg2:" + digits, "lg1o:" + digits, digits[1:])
    assert not any(hash_.matches(text) for text in wrong)


# --- stored text that is none -----------------------------------------------------------------------------

GOOD = '{"elements":{"graph":{"max_steps":1,"name":"g","state":"S"}},"form":"lg1"}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "null",
        "[]",
        "{}",
        GOOD + "x",
        GOOD.replace("lg1", "lg2"),
        GOOD.replace('"graph"', '"grph"'),
        GOOD.replace('"graph":', '"node/../x":{},"graph":'),
        GOOD.replace('"graph":', '"node/a b":{},"graph":'),
        GOOD.replace('"graph":', '"node/a":[],"graph":'),
        GOOD.replace('"graph":', '"node/a":null,"graph":'),
        GOOD.replace('"graph":', '"node/a":{},"node/a":{},"graph":'),
        GOOD.replace('"name"', '"max_steps":1,"name"'),
        GOOD.replace('"form"', '"more":1,"form"'),
        GOOD.replace(":1,", ":1.0,"),
        GOOD.replace(":1,", ":NaN,"),
        GOOD.replace(":1,", ":9007199254740992,"),
        GOOD.replace('"S"', '"\\ud800"'),
        '{"elements":[],"form":"lg1"}',
        '{"elements":{},"form":"lg1"}',
        '{"elements":' * 100_000,
        "[" * 100_000,
        "1" * 10_000,
    ],
)
def test_what_is_no_form_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a canonical form"):
        canonical.hash_of_text(text)


@given(st.text())
def test_any_text_is_a_hash_or_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a canonical form"):
        canonical.hash_of_text(text)


@given(st.sampled_from(sorted(PINNED)), st.data())
def test_one_character_less_is_another_hash_or_a_value_error(name: str, data: st.DataObject) -> None:
    program, key = found(name)
    text = canonical.canonical_text(program, key)
    at = data.draw(st.integers(0, len(text) - 1))
    try:
        assert canonical.hash_of_text(text[:at] + text[at + 1 :]) != canonical.graph_hash(program, key)
    except ValueError as error:
        assert "not a canonical form" in str(error)


# --- graphs in graphs -------------------------------------------------------------------------------------


def test_graphs_that_contain_each_other_have_no_hash() -> None:
    program = PROGRAMS["rich/main.lgraph"]
    fetch = m.Key("pages.lgraph", "fetch")
    graph = program.graphs[fetch]
    inner = m.Subgraph("again", "", fetch, m.SameState(), None, "", graph.place)
    broken = replace(program, graphs={**program.graphs, fetch: replace(graph, nodes=(*graph.nodes, inner))})
    with pytest.raises(ValueError, match="`fetch` contains itself"):
        canonical.graph_hash(broken, m.Key("main.lgraph", "work"))


def test_graphs_may_be_nested_deep() -> None:
    program = PROGRAMS["minimal.lgraph"]
    first = program.graphs[m.Key("minimal.lgraph", "g")]
    graphs = {first.key: first}
    inner = first.key
    for number in range(3_000):
        key = m.Key("minimal.lgraph", f"g{number}")
        node = m.Subgraph("n", "", inner, m.SameState(), None, "", first.place)
        graphs[key] = replace(first, key=key, nodes=(node,))
        inner = key
    assert canonical.graph_hash(replace(program, graphs=graphs), inner).full.startswith("lg1:")


# --- read again -------------------------------------------------------------------------------------------


def guards(form: Any) -> dict[str, Any]:
    """Every guard, by where it stands."""
    return {
        f"{id_}/{number}": edge["guard"]
        for id_, element in form["elements"].items()
        if id_.startswith("edges/")
        for number, edge in enumerate(element.get("when", ()))
    }


def test_guards_shown_as_text_mean_what_they_meant() -> None:
    """What the unparser writes, compiled again, is the same form."""
    text = (CORPUS / "expressions.lgraph").read_text()
    program, key = found("expressions.lgraph:g")
    form = canonical.canonical_form(program, key)
    lines = [line for line in text.splitlines() if " when " not in line]
    at = next(index for index, line in enumerate(lines) if "a -> end else" in line)
    lines[at:at] = [f"  a -> b when {expression_text(guard)}" for guard in guards(form).values()]
    result = check([Source(key.path, "\n".join(lines))], load=lambda _: None)
    assert result.usable
    assert canonical.canonical_form(result.program, key) == form


whole = st.sampled_from(["n", "m", "3", "-2", "len(xs)", "steps()", "point?.x ?? 1"])
truth = st.sampled_from(["p", "q", "true", "maybe == none", "shape is Point", '"a" in ys', "visits(a) > 1"])


def more(
    inner: st.SearchStrategy[tuple[str, str]],
) -> st.SearchStrategy[tuple[str, str]]:
    """Larger pairs of a number and a truth, every part in parentheses (`//` may be taken for a comment)."""

    def made(one: tuple[str, str], two: tuple[str, str], op: str, test: str, join: str) -> tuple[str, str]:
        number = {
            "neg": f"-({one[0]})",
            "??": f"(maybe ?? ({one[0]}))",
            "if": f"(({one[0]}) if ({two[1]}) else ({two[0]}))",
        }.get(op, f"(({one[0]}) {op} ({two[0]}))")
        tested = f"(({one[0]}) {test} ({two[0]}))"
        return number, f"({tested} {join} (not ({two[1]})))" if join else f"(not {tested})"

    ops, tests = ["+", "-", "*", "neg", "??", "if"], ["<", "<=", ">", ">=", "==", "!="]
    joins = ["and", "or", "==", ""]
    return st.builds(made, inner, inner, *map(st.sampled_from, (ops, tests, joins)))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.recursive(st.tuples(whole, truth), more, max_leaves=12), min_size=5, max_size=20))
def test_any_expression_reads_as_what_it_was(pairs: list[tuple[str, str]]) -> None:
    text = (CORPUS / "expressions.lgraph").read_text()
    lines = [line for line in text.splitlines() if " when " not in line]
    at = next(index for index, line in enumerate(lines) if "a -> end else" in line)

    def form(tests: list[str]) -> list[Any]:
        edges = [f"  a -> b when {test}" for test in tests]
        result = check(
            [Source("a.lgraph", "\n".join([*lines[:at], *edges, *lines[at:]]))], load=lambda _: None
        )
        wrong = [finding for finding in result.diagnostics if not finding.code.startswith(("LG307", "LG4"))]
        assert not [finding for finding in wrong if finding.severity is Severity.ERROR]
        return list(guards(canonical.canonical_form(result.program, m.Key("a.lgraph", "g"))).values())

    forms = form([f"({test}) == (({number}) < 7)" for number, test in pairs])
    assert form([expression_text(each) for each in forms]) == forms


def test_as_deep_as_the_language_goes() -> None:
    text = (CORPUS / "expressions.lgraph").read_text()
    deep = "not " * 190 + "q"
    chain = " + ".join(["n"] * 90)
    extra = f"  a -> b when {deep}\n  a -> b when {chain} - {chain} > 0\n  a -> end else\n"
    result = check([Source("a.lgraph", text.replace("  a -> end else\n", extra))], load=lambda _: None)
    assert result.usable
    stored = canonical.canonical_text(result.program, m.Key("a.lgraph", "g"))
    assert canonical.hash_of_text(stored) == canonical.graph_hash(result.program, m.Key("a.lgraph", "g"))
    shallower = stored.replace('["not",["field","q"]]', '["field","q"]')
    assert {c.element for c in compare(stored, shallower) if c.new} == {"edges/a"}


@pytest.mark.parametrize("name", PINNED)
def test_a_form_and_a_new_one_can_be_compared(name: str) -> None:
    program, key = found(name)
    text = canonical.canonical_text(program, key)
    assert compare(text, text) == ()
    fewer = json.loads(text)
    gone = [id_ for id_ in fewer["elements"] if id_ != "graph"]
    for id_ in gone:
        del fewer["elements"][id_]
    assert {change.element for change in compare(text, fewer)} == set(gone)
    assert {change.element for change in compare(fewer, text)} == set(gone)
