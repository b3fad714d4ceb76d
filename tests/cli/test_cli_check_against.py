"""`lgc check --against`: migrations and the stored forms of the graphs that they are from."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lgc.compiler import check
from lgc.compiler.canonical import canonical_text, graph_hash
from lgc.compiler.migrations.forms import Forms
from lgc.compiler.migrations.reading import read_form
from lgc.compiler.rules import BY_CODE
from lgc.dsl.source import Source

CORPUS = Path(__file__).parents[1] / "corpus" / "check"
OLD = """\
state Job {
  length: int = 0
  legacy: str = ""

  mutation Length(length, legacy)
}

graph work(Job) {
  task draft { reads length, legacy  records Length }

  start -> draft -> end
}
"""
NEW = """\
state Job {
  size: int = 0

  mutation Measure(size)
}

graph work(Job) {
  task plan { reads size  records Measure }

  start -> plan -> end
}

migrate work from "HASH" {
  rename node draft to plan
  rename field length to size
  STEP
  drop field legacy
}
"""
WHOLE = "rename mutation Length to Measure"


def form_of(text: str) -> tuple[str, str]:
    """The canonical JSON of the only graph of a text, and its hash."""
    program = check([Source("a.lgraph", text)], load=lambda _: None).program
    (key,) = program.graphs
    return canonical_text(program, key), graph_hash(program, key).full


FORM, HASH = form_of(OLD)


@pytest.fixture
def project(place: Path) -> Callable[[str], None]:
    """Writes `work.lgraph` with a migration that has this step, and `old.json` with the form before."""

    def write(step: str, hash: str = HASH) -> None:
        (place / "work.lgraph").write_text(NEW.replace("HASH", hash).replace("STEP", step))
        (place / "old.json").write_text(FORM + "\n")

    return write


def codes(out: str) -> list[str]:
    found: list[dict[str, Any]] = json.loads(out)["findings"]
    return [one["code"] for one in found]


def test_what_is_wrong_is_found_only_beside_the_old_graph(lgc: Any, project: Callable[..., None]) -> None:
    project("")
    assert lgc("check", "work.lgraph").status == 0
    ran = lgc("check", "work.lgraph", "--against", "old.json")
    assert (ran.status, re.findall(r"LG\d+", ran.out)) == (1, ["LG709"])
    project(WHOLE)
    assert lgc("check", "work.lgraph", "--against", "old.json").status == 0


def test_a_hash_that_is_not_among_the_forms(lgc: Any, project: Callable[..., None]) -> None:
    project(WHOLE, "lg1:" + "5" * 64)
    assert lgc("check", "work.lgraph").status == 0
    ran = lgc("check", "work.lgraph", "--against", "old.json", "--format", "json")
    assert (ran.status, codes(ran.out)) == (1, ["LG701"])
    (finding,) = json.loads(ran.out)["findings"]
    assert HASH[:20] in finding["help"]


def test_the_first_16_digits_are_enough(lgc: Any, project: Callable[..., None]) -> None:
    project(WHOLE, HASH[:20])
    assert lgc("check", "work.lgraph", "--against", "old.json").status == 0
    project(WHOLE, HASH[:19])
    ran = lgc("check", "work.lgraph", "--against", "old.json", "--format", "json")
    assert codes(ran.out) == ["LG701"]
    assert f"write `{HASH[:20]}`" in ran.out


def test_an_older_graph_without_a_migration_is_no_finding(lgc: Any, place: Path) -> None:
    text = NEW[: NEW.index("migrate")].rstrip() + "\n"
    (place / "work.lgraph").write_text(text)
    (place / "old.json").write_text(FORM)
    assert lgc("check", "work.lgraph", "--against", "old.json").status == 0


def test_forms_come_from_many_places(lgc: Any, place: Path, project: Callable[..., None]) -> None:
    project("")
    (place / "old.lgraph").write_text(OLD)
    (place / "listed.json").write_text(lgc("hash", "--canonical", "--json", "old.lgraph").out)
    other, _ = form_of(OLD.replace("legacy", "other"))
    (place / "lines.jsonl").write_text(f"{other}\n\n{FORM}\n")
    for words in (
        ["--against", "old.lgraph"],
        ["--against", "old.lgraph:work"],
        ["--against", "listed.json"],
        ["--against", "lines.jsonl"],
        ["--against", "lines.jsonl", "--against", "old.json"],
    ):
        ran = lgc("check", "work.lgraph", *words, "--format", "json")
        assert (ran.status, codes(ran.out)) == (1, ["LG709"]), words


def test_every_graph_of_a_store(lgc: Any, place: Path, project: Callable[..., None]) -> None:
    (place / "old.lgraph").write_text(OLD)
    (place / "nodes.py").write_text("class Nodes:\n    def draft(self, ctx):\n        pass\n")
    (place / "lgc.toml").write_text("")
    assert lgc("build", "old.lgraph", "--out", ".").status == 0
    words = ["--nodes", "nodes:Nodes", "--store", "runs.db"]
    assert lgc("run", "old.lgraph", *words).status == 0
    before = (place / "runs.db").read_bytes()
    project("")
    ran = lgc("check", "work.lgraph", "--against", "store:runs.db", "--format", "json")
    assert (ran.status, codes(ran.out)) == (1, ["LG709"])
    project(WHOLE)
    assert lgc("check", "work.lgraph", "--against", "store:runs.db").status == 0
    assert lgc("check", "work.lgraph", "--against", f"store:runs.db#{HASH}").status == 0
    assert (place / "runs.db").read_bytes() == before


def test_a_git_revision(lgc: Any, place: Path, project: Callable[..., None]) -> None:
    def git(*words: str) -> None:
        settings = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *settings, *words], cwd=place, check=True, capture_output=True)

    (place / "lgc.toml").write_text("")
    (place / "work.lgraph").write_text(OLD)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "before")
    project("")
    ran = lgc("check", "work.lgraph", "--against", "git:HEAD", "--format", "json")
    assert (ran.status, codes(ran.out)) == (1, ["LG709"])
    ran = lgc("check", "work.lgraph", "--against", "git:HEAD:work.lgraph", "--format", "json")
    assert codes(ran.out) == ["LG709"]


def test_what_is_remembered_does_not_hide_it(lgc: Any, project: Callable[..., None]) -> None:
    project("")
    for _ in range(2):
        assert lgc("check", "work.lgraph").status == 0
        assert lgc("check", "work.lgraph", "--against", "old.json").status == 1


def test_it_may_be_allowed_and_accepted(lgc: Any, place: Path, project: Callable[..., None]) -> None:
    project("")
    words = ["check", "work.lgraph", "--against", "old.json", "--baseline", "accepted.toml"]
    assert lgc(*words, "--write-baseline", "--reason", "no such run is left").status == 0
    assert lgc(*words).status == 0
    assert lgc("check", "work.lgraph", "--baseline", "accepted.toml", "--strict").status == 0
    text = (place / "work.lgraph").read_text()
    (place / "work.lgraph").write_text(text.replace("migrate", "// lgc: allow LG709 none is left\nmigrate"))
    assert lgc("check", "work.lgraph", "--against", "old.json", "--strict").status == 0
    assert lgc("check", "work.lgraph", "--strict").status == 0


def test_misspelt_names_are_repaired(lgc: Any, place: Path, project: Callable[..., None]) -> None:
    project("rename mutation Lenght to Measure")
    ran = lgc("check", "work.lgraph", "--against", "old.json", "--fix")
    assert ran.status == 0, ran.out
    assert WHOLE in (place / "work.lgraph").read_text()


def test_forms_are_watched(place: Path, project: Callable[..., None]) -> None:
    project(WHOLE)
    words = [sys.executable, "-m", "lgc", "check", "--watch", "work.lgraph", "--against", "old.json"]
    with subprocess.Popen(words, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout
        summaries = (line.decode() for line in run.stdout if b" in 1 file" in line)
        assert "no findings" in next(summaries)
        (place / "new.json").write_text(form_of(OLD.replace("legacy", "other"))[0])
        (place / "new.json").replace(place / "old.json")
        assert "1 error" in next(summaries)
        run.kill()


def nested(levels: int) -> str:
    type = '["list",' * levels + '"int"' + "]" * levels
    return FORM.replace('"type":"int"', f'"type":{type}')


HOSTILE = {
    "nothing": b"",
    "white space": b" \n\n",
    "words": b"hello",
    "no text": b"\xff\xfe{}",
    "a number": b"7",
    "null": b"null",
    "a list": b"[]",
    "no elements": b'{"form":"lg1"}',
    "another edition": FORM.replace('"form":"lg1"', '"form":"lg2"').encode(),
    "half of it": FORM[: len(FORM) // 2].encode(),
    "twice a key": FORM.replace('"form":"lg1"', '"form":"lg1","form":"lg1"').encode(),
    "brackets": b"[" * 100_000,
    "deep": nested(5_000).encode(),
    "deeper than sources": nested(300).encode(),
    "no type": FORM.replace('"type":"int"', '"type":"integer"').encode(),
    "a type that is not there": FORM.replace('"type":"int"', '"type":["record","Note"]').encode(),
    "a kind that is not there": FORM.replace('"kind":"task"', '"kind":"robot"').encode(),
    "no kind": FORM.replace('"kind":"task"', '"kind":[]').encode(),
    "an element that is not there": FORM.replace('"node/draft"', '"nodes/draft"').encode(),
    "numbers that are none": FORM.replace('"max_steps":10000', '"max_steps":NaN').encode(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_form_is_refused(name: str, lgc: Any, place: Path, project: Callable[..., None]) -> None:
    project(WHOLE)
    (place / "bad.json").write_bytes(HOSTILE[name])
    ran = lgc("check", "work.lgraph", "--against", "bad.json")
    assert ran.status == 2
    assert ran.err.startswith("error: bad.json")
    assert "Traceback" not in ran.err and "internal" not in ran.err


@pytest.mark.parametrize("where", ["nothing.json", "store:nothing.db", "store:text.db", "store:a.db#zz"])
def test_what_is_not_there_is_refused(
    where: str, lgc: Any, place: Path, project: Callable[..., None]
) -> None:
    project(WHOLE)
    (place / "text.db").write_text("hello")
    ran = lgc("check", "work.lgraph", "--against", where)
    assert (ran.status, ran.out) == (2, "")
    assert "internal" not in ran.err


def test_findings_of_other_commands_say_whose_they_are(lgc: Any, place: Path) -> None:
    (place / "lgc.toml").write_text("")
    scenario, code = BY_CODE["LG801"], BY_CODE["LG901"]
    (place / "a.lgraph").write_text(scenario.example)
    ran = lgc("test", "a.lgraph")
    assert ran.status == 1 and "LG801" in ran.out
    assert f"found by `{scenario.by}`" in lgc("explain", "LG801").out
    (place / "a.lgraph").write_text(scenario.repair)
    assert lgc("test", "a.lgraph").status == 0
    assert lgc("build", "a.lgraph", "--out", "out", "--check").status == 1
    assert lgc("build", "a.lgraph", "--out", "out").status == 0
    (place / "a.lgraph").write_text(code.example.replace("= 0", "= 1"))
    ran = lgc("build", "a.lgraph", "--out", "out", "--check")
    assert ran.status == 1 and "LG901" in ran.out + ran.err
    assert f"found by `{code.by}`" in lgc("explain", "LG901").out
    assert "not look for it" not in lgc("explain", "LG708").out


def test_standard_input_is_one_thing(lgc: Any, project: Callable[..., None]) -> None:
    project(WHOLE)
    assert lgc("check", "-", "--against", "-").status == 2


def ways(value: Any) -> list[tuple[Any, ...]]:
    """The ways to all values inside a JSON value."""
    inside: list[tuple[Any, Any]] = []
    kind = str(type(value).__name__)
    if kind == "dict":
        inside = list(value.items())
    elif kind == "list":
        inside = [(at, value[at]) for at in range(len(value))]
    return [way for key, one in inside for way in ((key,), *((key, *rest) for rest in ways(one)))]


def test_forms_with_one_part_replaced_are_read_or_refused() -> None:
    """Whatever stands in a form: a ValueError, or a shape that migrations can be checked against."""
    folder = CORPUS / "migrate_nodes"
    old, new = ((folder / name).read_text() for name in ("old.lgraph", "main.lgraph"))
    program = check([Source("old.lgraph", old)], load=lambda _: None).program
    key = next(key for key in program.graphs if key.name == "g")
    form = json.loads(canonical_text(program, key))
    chance = random.Random(7)
    read = refused = 0
    for way in chance.sample(ways(form), 80):
        changed = json.loads(json.dumps(form))
        at = changed
        for step in way[:-1]:
            at = at[step]
        at[way[-1]] = chance.choice([None, 7, "", "x", "check/one", [], {}, [["optional", "int"]], {"a": 1}])
        text = json.dumps(changed)
        try:
            shape = read_form(text)
        except ValueError as problem:
            assert str(problem).startswith("not a canonical form")
            refused += 1
            continue
        source = re.sub(r"lg1:[0-9a-f]{64}", shape.hash, new)
        check([Source("main.lgraph", source)], load=lambda _: None, forms=Forms([text]))
        read += 1
    assert read > 10 and refused > 10
