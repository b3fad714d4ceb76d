"""Hashes: how they are made and written, made again from stored text, and pinned.

The pinned files in tests/corpus/hash belong to `lg1`: whoever has to change one changes the name of the form.
"""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgc.compiler import canonical, check, jcs
from lgc.compiler import model as m
from lgc.dsl.source import Source
from lgc.runtime.changes import compare
from lgc.runtime.unparse import expression_text

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
