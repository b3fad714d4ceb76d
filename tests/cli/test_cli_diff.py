"""`lgc diff`: what it takes on both sides, what it says, and when it fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lgc.runtime.store import open_store
from lgc.runtime.store.records import RunRecord, RunStatus

Lgc = Callable[..., Any]

INNER = """
state Page { url: str  text: str? = none  mutation SetText(text) }
graph fetch(Page) {
  task load { reads url  records SetText }
  start -> load -> end
}
state Work { topic: str  texts: list[str] = []  mutation Keep(line: str) { texts += [line] } }
graph work(Work) {
  subgraph page = fetch { in url = topic  out Keep(text ?? "") }
  task report { reads texts }
  start -> page -> report -> end
}
"""


@pytest.fixture
def old(article: Path) -> Path:
    """The article as it was."""
    path = article / "old.lgraph"
    path.write_text((article / "article.lgraph").read_text())
    return path


def edit(path: Path, *edits: tuple[str, str]) -> Path:
    text = path.read_text()
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text)
    return path


def renamed(path: Path) -> Path:
    """A node is called otherwise."""
    return edit(path, ("task publish", "task post"), ("-> publish", "-> post"), ("publish ->", "post ->"))


def as_it_was(path: Path) -> Path:
    return path


def ahead(path: Path) -> Path:
    """Something comes after everything else."""
    return edit(
        path, ("  start -> write", "  task file { reads draft }\n  start -> write"),
        ("  publish -> end", "  publish -> file -> end"),
    )  # fmt: skip


def found(ran: Any) -> Any:
    (one,) = json.loads(ran.out)["graphs"]
    return one


def test_the_verdict_comes_first_then_places_then_changes(lgc: Lgc, article: Path, old: Path) -> None:
    renamed(article / "article.lgraph")
    ran = lgc("diff", "old.lgraph", "article.lgraph")
    assert ran.status == 0
    lines = ran.out.splitlines()
    assert lines[0].startswith("article: incompatible lg1:")
    assert "    grade, sign_off, write: compatible" in lines
    assert "    publish: incompatible" in lines
    assert "      - node `publish` is not there" in lines
    assert lines.index("    publish: incompatible") < lines.index("  changes")
    assert any(line.startswith("    - node `publish` was removed  [node-removed: ") for line in lines)


def test_the_same_graph(lgc: Lgc, article: Path, old: Path) -> None:
    edit(old, ("  task grade", "  // Laid out otherwise.\n\n  task   grade"))
    ran = lgc("diff", "old.lgraph", "article.lgraph", "--fail-on", "compatible")
    assert ran.status == 0
    assert ran.out.startswith("article: identical lg1:")
    assert len(ran.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "verdict", "fails_on"),
    [
        (as_it_was, "identical", set[str]()),
        (ahead, "compatible", {"compatible"}),
        (renamed, "incompatible", {"compatible", "migratable", "incompatible"}),
    ],
)
def test_when_it_fails(
    lgc: Lgc, article: Path, old: Path, change: Callable[[Path], Path], verdict: str, fails_on: set[str]
) -> None:
    change(article / "article.lgraph")
    for form in ("text", "json", "markdown"):
        ran = lgc("diff", "old.lgraph", "article.lgraph", "--format", form)
        assert (ran.status, ran.err) == (0, "")
        assert verdict in ran.out
    for level in ("compatible", "migratable", "incompatible"):
        ran = lgc("diff", "old.lgraph", "article.lgraph", "--fail-on", level)
        assert ran.status == (1 if level in fails_on else 0)


def test_a_migration_counts_where_it_is_sound(lgc: Lgc, article: Path, old: Path) -> None:
    new = renamed(article / "article.lgraph")
    hash_ = lgc("hash", "old.lgraph", "--short").out.split()[0]
    plain = new.read_text()
    new.write_text(plain + f'\nmigrate article from "{hash_}" {{\n  rename node publish to post\n}}\n')
    ran = lgc("diff", "old.lgraph", "article.lgraph", "--fail-on", "incompatible")
    assert ran.status == 0
    assert ran.out.startswith("article: migratable")
    assert "the migration at article.lgraph:41:" in ran.out
    assert lgc("diff", "old.lgraph", "article.lgraph", "--fail-on", "migratable").status == 1
    new.write_text(plain + '\nmigrate article from "lg1:0123456789abcdef" {\n}\n')
    ran = lgc("diff", "old.lgraph", "article.lgraph")
    assert ran.out.startswith("article: incompatible")
    assert "no migration is from this version: those declared are from lg1:0123456789abcdef" in ran.out
    new.write_text(plain + f'\nmigrate article from "{hash_}" {{\n  rename node publisch to post\n}}\n')
    ran = lgc("diff", "old.lgraph", "article.lgraph", "--fail-on", "incompatible")
    assert ran.status == 1
    assert "note: the migration does not count: " in ran.out


def test_how_it_is_run_is_a_remark(lgc: Lgc, article: Path, old: Path) -> None:
    edit(
        article / "article.lgraph",
        ("timeout  2d", "timeout  36h"),
        ("records Grade ", "records Grade  retry 3 "),
    )
    ran = lgc("diff", "old.lgraph", "article.lgraph", "--fail-on", "compatible")
    assert ran.status == 0
    assert ran.out.startswith("article: identical")
    assert "~ node `sign_off` changed its timeout from `2d` to `36h`" in ran.out
    assert "+ node `grade` now has the retry `3 " in ran.out
    (article / "old.json").write_text(lgc("hash", "old.lgraph", "--canonical").out)
    assert "timeout" not in lgc("diff", "old.json", "article.lgraph").out
    one = found(lgc("diff", "old.lgraph", "article.lgraph", "--format", "json"))
    assert [change["path"] for change in one["operational"]] == ["retry", "timeout"]
    assert "36h" in lgc("diff", "old.lgraph", "article.lgraph", "--format", "markdown").out


def test_json_leaves_nothing_out(lgc: Lgc, article: Path, old: Path) -> None:
    from lgc.cli.comparison import compare_sides
    from lgc.cli.versions import both_sides

    renamed(article / "article.lgraph")
    told = json.loads(lgc("diff", "old.lgraph", "article.lgraph", "--format", "json").out)
    assert (told["version"], told["old"], told["new"]) == (1, "old.lgraph", "article.lgraph")
    (compared,) = compare_sides(*both_sides("old.lgraph", "article.lgraph")).graphs
    (one,) = told["graphs"]
    plain = json.loads(json.dumps(compared.judged.to_json()))
    for change in one["changes"]:
        assert change.pop("class") in ("never", "values", "place", "history", "always")
    assert {key: one[key] for key in plain} == plain
    assert one["files"] == {"old": "old.lgraph", "new": "article.lgraph"}


# --- sides ------------------------------------------------------------------------------------------------


def test_canonical_forms_of_graphs_that_run_others(lgc: Lgc, article: Path) -> None:
    (article / "work.lgraph").write_text(INNER)
    (article / "lines.json").write_text(lgc("hash", "work.lgraph", "--canonical").out)
    (article / "whole.json").write_text(lgc("hash", "work.lgraph", "--canonical", "--json").out)
    laid_out = json.loads(lgc("hash", "work.lgraph:work", "--canonical").out)
    (article / "one.json").write_text("\ufeff" + json.dumps(laid_out, indent=4))
    edit(article / "work.lgraph", ("task load { reads url", "task load { reads url, text"))
    for name in ("lines.json", "whole.json"):
        told = json.loads(lgc("diff", name, "work.lgraph", "--format", "json").out)
        assert told["summary"] == {"compatible": 2}
        assert "page/load" in [place["node"] for place in told["graphs"][1]["places"]]
    ran = lgc("diff", "one.json", "work.lgraph:work", "--format", "json")
    assert found(ran)["changes"][0]["name"] == "subgraph-changed"
    ran = lgc("diff", "lines.json", "whole.json:work")  # one side says which
    assert ran.out.startswith("work: identical")
    stdin = (article / "lines.json").read_bytes()
    assert (
        json.loads(lgc("diff", "-", "lines.json", "--format", "json", stdin=stdin).out)["verdict"]
        == "identical"
    )


def test_standard_input(lgc: Lgc, article: Path, old: Path) -> None:
    text = (article / "article.lgraph").read_bytes()
    ran = lgc("diff", "old.lgraph", "-", "--stdin-name", "article.lgraph", stdin=text)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("article: identical")
    ran = lgc("diff", "old.lgraph", "-", stdin=text.replace(b"start ->", b"start -< "))
    assert ran.status == 1
    assert "the new side (-) has" in ran.err


def test_graphs_by_name_and_by_file(lgc: Lgc, article: Path, old: Path) -> None:
    def summary(*words: str) -> Any:
        return json.loads(lgc("diff", *words, "--format", "json").out)["summary"]

    for side in ("a", "b"):
        folder = article / side
        folder.mkdir()
        for name in ("one", "two"):  # two graphs of the same name
            (folder / f"{name}.lgraph").write_text(INNER)
    edit(article / "b/two.lgraph", ("graph work(", "graph other("))
    assert summary("a", "a") == {"identical": 4}
    ran = lgc("diff", "a", "b")
    assert ran.out.startswith("incompatible: 1 removed, 3 identical, 1 added of 5 graphs")
    assert "work (a/two.lgraph): removed" in ran.out
    assert "other: added" in ran.out
    assert "if `work` is called `other` now" in ran.out
    edit(article / "article.lgraph", ("graph article", "graph paper"))
    ran = lgc("diff", "old.lgraph", "article.lgraph")  # two single graphs
    assert ran.out.startswith("paper: compatible")


async def keep(url: str, *forms: tuple[str, str, str]) -> None:
    """A store with runs under graphs: hash, name and form of each, the last one the newest."""
    async with open_store(url) as store:
        for number, (hash_, name, canonical) in enumerate(forms):
            await store.put_graph(hash_, name, canonical)
            if name != "fetch":
                await store.create_run(
                    RunRecord(
                        f"run-{number}", name, hash_, RunStatus.WAITING, "{}", float(number), float(number)
                    )
                )


def stored(lgc: Lgc, path: str) -> list[tuple[str, str, str]]:
    entries = json.loads(lgc("hash", path, "--canonical", "--json").out)["graphs"]
    texts = lgc("hash", path, "--canonical").out.splitlines()
    return [(entry["hash"], entry["graph"], text) for entry, text in zip(entries, texts, strict=True)]


def test_graphs_of_a_store(lgc: Lgc, article: Path, old: Path) -> None:
    (article / "work.lgraph").write_text(INNER)
    first = stored(lgc, "article.lgraph")
    renamed(article / "article.lgraph")
    second = stored(lgc, "article.lgraph")
    asyncio.run(keep("runs#1.db", *first, *second, *stored(lgc, "work.lgraph")))
    before = (article / "runs#1.db").read_bytes()
    hash_ = first[0][0]
    for written in (hash_, hash_[:20], hash_[4:20], hash_[4:]):
        ran = lgc("diff", f"store:runs#1.db#{written}", "old.lgraph")
        assert ran.out.startswith("article: identical"), ran.err
    told = json.loads(lgc("diff", "store:runs#1.db#", ".", "--format", "json").out or "{}")
    assert told == {}  # no hash behind the last #
    (article / "runs#1.db").rename(article / "runs.db")
    told = json.loads(lgc("diff", "store:runs.db", "work.lgraph", "--format", "json").out)
    assert told["summary"] == {"removed": 1, "identical": 1, "added": 1}
    assert "has runs of `article` under 2 versions" in told["notes"][0]
    inner = stored(lgc, "work.lgraph")[0][0]
    assert lgc("diff", f"store:runs.db#{inner[:22]}", "work.lgraph:fetch").out.startswith("fetch: identical")
    assert (article / "runs.db").read_bytes() == before  # only read


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("store:nope.db", "."), "there is no store at nope.db"),
        (("store:runs.db#123", "."), "`123` is no hash of a graph"),
        (("store:runs.db#" + "0" * 16, "."), "holds no graph lg1:0000000000000000"),
        (("store:runs.db#" + "0" * 64, "."), "holds no graph lg1:0000000000000000"),
        (("nope.lgraph", "."), "no such file or folder"),
        (("article.lgraph:artcle", "."), "did you mean `article`?"),
        (("bad.json", "."), "bad.json: not a canonical form"),
        (("hashes.json", "."), "holds hashes, not forms"),
        (("deep.json", "."), "nested"),
        (("empty", "common.lgraph"), "no"),
        (("nodes.py", "old.lgraph"), "LG"),
    ],
)
def test_what_cannot_be_read(lgc: Lgc, article: Path, old: Path, words: tuple[str, str], said: str) -> None:
    asyncio.run(keep("runs.db", *stored(lgc, "old.lgraph")))
    (article / "bad.json").write_text('{"elements": {"graph": {}, "form": "lg1"}')
    (article / "hashes.json").write_text(lgc("hash", "old.lgraph", "--json").out)
    (article / "deep.json").write_text('{"elements": ' + "[" * 200_000)
    (article / "empty").mkdir()
    old.rename(article / "other.txt")
    ran = lgc("diff", *words)
    assert ran.status == (1 if said == "LG" else 2)
    assert ran.out == ""
    assert said in ran.err
    assert "internal error" not in ran.err


def test_passwords_are_not_shown_and_nothing_steers_the_terminal(lgc: Lgc, article: Path, old: Path) -> None:
    from lgc.cli.versions import Given

    url = "store:postgresql://ada:secret@db.example/runs#lg1:0123456789abcdef"
    assert "secret" not in Given(url, ()).shown
    form = json.loads(lgc("hash", "old.lgraph", "--canonical").out)
    form["elements"]["graph"]["name"] = "\x1b[31mred\u202e"
    form["elements"]["graph"]["state"] = "\x1b]0;x\x07"
    (article / "hostile.json").write_text(json.dumps(form))
    for shown in ("text", "markdown"):
        ran = lgc("diff", "old.lgraph", "hostile.json", "--format", shown)
        assert ran.status == 0
        assert not {"\x1b", "\u202e", "\x07"} & set(ran.out)


def test_two_processes_say_the_same_as_one(
    lgc: Lgc, article: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lgc import parallel
    from lgc.cli import apart

    renamed(article / "article.lgraph")
    (article / "work.lgraph").write_text(INNER)
    (article / "b").mkdir()
    (article / "b/work.lgraph").write_text(INNER.replace("reads url ", "reads url, text "))
    one = [
        lgc("diff", *words, "--format", "json") for words in (("old.lgraph", "article.lgraph"), (".", "b"))
    ]
    asked: list[object] = []
    forked = parallel.in_processes

    def counted(*given: Any) -> Any:
        asked.append(given)
        return forked(*given)

    monkeypatch.setattr(apart, "PAYS", 0)
    monkeypatch.setattr(parallel, "processors", lambda: 2)
    monkeypatch.setattr(parallel, "in_processes", counted)
    two = [
        lgc("diff", *words, "--format", "json") for words in (("old.lgraph", "article.lgraph"), (".", "b"))
    ]
    assert [ran.out for ran in two] == [ran.out for ran in one]
    assert len(asked) == 2
    old.write_text("graph g(S) { start -> end }")
    ran = lgc("diff", "old.lgraph", "article.lgraph")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.count("the old side (old.lgraph) has") == 1
    assert ran.err.count("LG101") == 1
