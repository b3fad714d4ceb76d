"""Which elements are taken for renamed, and which are not."""

import json
from typing import Any

import pytest

from lgc.compiler import canonical, check
from lgc.dsl.source import Source
from lgc.runtime.changes.compare import compare
from lgc.runtime.changes.kind import ARTICLE, CHECK
from lgc.runtime.changes.likely import likely_renames
from lgc.runtime.forms.version import Version

WRITE = [("node", "write", "compose")]


def version(text: str) -> Version:
    program = check([Source("x.lgraph", text)], load=lambda path: None).program
    key = [*program.graphs][-1]
    return Version(canonical.graph_hash(program, key).full, canonical.canonical_text(program, key))


def edited(text: str, *edits: tuple[str, str]) -> Version:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return version(text)


def renames(base: str, *edits: tuple[str, str]) -> list[tuple[str, str, str]]:
    return [(one.what, one.old, one.new) for one in likely_renames(version(base), edited(base, *edits))]


COMPOSE = (("task write", "task compose"), ("-> write", "-> compose"), ("goto write", "goto compose"))


@pytest.mark.parametrize(
    ("edits", "found"),
    [
        (COMPOSE, WRITE),
        ((*COMPOSE, ("task compose { reads draft ", "task compose { reads draft, count ")), WRITE),
        ((("score", "rating"),), [("field", "score", "rating")]),
        ((("SetDraft", "PutText"),), [("mutation", "SetDraft", "PutText")]),
        (
            (*COMPOSE, ("task grade", "task rate"), ("-> grade", "-> rate"), ("grade ->", "rate ->"),
             ("reroute  grade", "reroute rate")),
            [("node", "grade", "rate"), *WRITE],
        ),
        ((("  count:   int = 0\n", "  words:   str?\n"), ("  count += 1", "  words = text")), []),
        (
            (("  task publish { reads draft!  effect once }", "  decision publish2"),
             ("-> publish", "-> publish2"), ("publish ->", "publish2 ->")),
            [],
        ),
    ],
)  # fmt: skip
def test_what_went_and_what_came(
    edits: tuple[tuple[str, str], ...], found: list[tuple[str, str, str]]
) -> None:
    assert renames(ARTICLE, *edits) == found


def test_two_that_are_equally_likely_are_not_told_apart() -> None:
    other = (("task facts", "task x1"), ("task style", "task x2"), ("= facts", "= x1"), ("= style", "= x2"))
    told = renames(CHECK, *other)
    assert told == [("node", "facts", "x1"), ("node", "style", "x2")]  # their branches tell them apart
    alike: dict[str, Any] = {"graph": {"name": "g"}, "edges/a": {"plain": [{"to": "end"}]}}
    task = {"kind": "task", "effect": "pure"}
    old = Version("lg1:0", json.dumps({"form": "lg1", "elements": {**alike, "node/one": task}}))
    new = Version(
        "lg1:1", json.dumps({"form": "lg1", "elements": {**alike, "node/ona": task, "node/onb": task}})
    )
    assert likely_renames(old, new) == ()


def test_the_comparison_assumes_nothing() -> None:
    old, new = version(ARTICLE), edited(ARTICLE, *COMPOSE)
    (rename,) = likely_renames(old, new)
    assert rename.score >= 0.7
    assert "nothing else in it differs" in rename.evidence
    assert any("reached from `start`" in words and "leads to `grade`" in words for words in rename.evidence)
    names = [change.name for change in compare(old.canonical, new.canonical)]
    assert "node-removed" in names
    assert "node-added" in names


def test_work_is_bounded_on_large_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    from lgc.runtime.changes import likely

    count = 0
    judged = likely._judged  # pyright: ignore[reportPrivateUsage]

    def counting(*args: Any) -> Any:
        nonlocal count
        count += 1
        return judged(*args)

    monkeypatch.setattr(likely, "_judged", counting)

    def chain(name: str) -> Version:
        elements: dict[str, Any] = {"graph": {"name": "g"}, "edges/start": {"plain": [{"to": f"{name}0"}]}}
        for at in range(300):
            after = f"{name}{at + 1}" if at < 299 else "end"
            elements[f"node/{name}{at}"] = {"kind": "task", "effect": "pure", "records": [f"M{at}"]}
            elements[f"edges/{name}{at}"] = {"plain": [{"to": after}]}
            elements[f"state/mutation/M{at}"] = {"params": [], "body": []}
        return Version(f"lg1:{name}", json.dumps({"form": "lg1", "elements": elements}))

    found = likely_renames(chain("n"), chain("m"))
    assert ("n7", "m7") in {(one.old, one.new) for one in found}
    assert count <= 300 * 12
