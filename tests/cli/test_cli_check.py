"""`lgc check`, `lgc explain`: what they look at, what they say, how they leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lgc.compiler.rule import Rule
from lgc.compiler.rules import RULES

Lgc = Callable[..., Any]

GOOD = """\
state S { count: int = 0  mutation Up() { count += 1 } }
graph g(S) { task a { reads count  records Up }  start -> a -> end }
"""
BROKEN = "state S { count: int = 0 }\ngraph g(S) { task a { reads count }  start -> a -> nowhere }\n"


def codes(report: str) -> list[str]:
    """The codes in a JSON report."""
    return [one["code"] for one in json.loads(report)["findings"]]


def test_a_sound_file(lgc: Lgc, article: Path) -> None:
    ran = lgc("check", "article.lgraph")
    assert (ran.status, ran.out, ran.err) == (0, "no findings in 2 files\n", "")


def test_findings_are_told_as_rustc_does(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(BROKEN)
    ran = lgc("check", "a.lgraph")
    assert ran.status == 1
    assert "error[LG101]" in ran.out
    assert "--> a.lgraph:2:52" in ran.out
    assert "1 error" in ran.out
    assert "\x1b" not in ran.out


def test_json(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(BROKEN)
    ran = lgc("check", "a.lgraph", "--format", "json")
    report = json.loads(ran.out)
    assert ran.status == 1
    assert report["version"] == 1
    assert report["summary"]["errors"] == len(report["findings"])
    found = next(one for one in report["findings"] if one["code"] == "LG101")
    assert found["file"] == "a.lgraph"
    assert found["range"]["start"] == {"line": 2, "column": 52}


@pytest.mark.parametrize("form", ["sarif", "github", "junit"])
def test_other_formats(lgc: Lgc, place: Path, form: str) -> None:
    (place / "a.lgraph").write_text(BROKEN)
    ran = lgc("check", "a.lgraph", "--format", form)
    assert ran.status == 1
    assert "LG101" in ran.out


def test_folders_stand_for_all_files_below(lgc: Lgc, place: Path) -> None:
    for name in ("b/two.lgraph", "a.lgraph", ".hidden/x.lgraph", "node_modules/y.lgraph"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(BROKEN)
    files = [one["file"] for one in json.loads(lgc("check", ".", "--format", "json").out)["findings"]]
    assert list(dict.fromkeys(files)) == ["a.lgraph", "b/two.lgraph"]
    assert lgc("check").status == 1  # without a path: everything below


def test_standard_input(lgc: Lgc, article: Path) -> None:
    text = (article / "article.lgraph").read_bytes()
    assert lgc("check", "-", stdin=text).status == 0
    ran = lgc("check", "-", "--stdin-name", "sub/x.lgraph", "--format", "json", stdin=text)
    assert ran.status == 1  # what it imports is looked for beside it
    assert {one["file"] for one in json.loads(ran.out)["findings"]} == {"sub/x.lgraph"}


def test_what_cannot_be_read_is_wrong_usage(lgc: Lgc, place: Path) -> None:
    (place / "real.lgraph").write_text(GOOD)
    (place / "empty").mkdir()
    for words in (("reel.lgraph",), ("empty",), ("nowhere/",)):
        ran = lgc("check", *words)
        assert ran.status == 2
        assert ran.err.startswith("error: ")
        assert ran.out == ""
    assert "did you mean real.lgraph?" in lgc("check", "reel.lgraph").err


def test_bytes_that_are_no_text(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_bytes(b"state S \xff {")
    ran = lgc("check", "a.lgraph", "--format", "json")
    assert ran.status == 1
    assert codes(ran.out) == ["LG001"]


def test_the_same_file_twice(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(BROKEN)
    once = lgc("check", "a.lgraph", "--format", "json").out
    assert lgc("check", "a.lgraph", "./a.lgraph", ".", "--format", "json").out == once


# --- which findings count ---------------------------------------------------------------------------------


def test_select_and_ignore(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(BROKEN)
    everything = codes(lgc("check", "a.lgraph", "--format", "json").out)
    assert "LG101" in everything
    assert codes(lgc("check", "a.lgraph", "--format", "json", "--select", "LG1").out) == ["LG101"]
    assert lgc("check", "a.lgraph", "--ignore", "LG1,LG3").status == 0
    assert lgc("check", "a.lgraph", "--select", "LG2").status == 0
    assert codes(lgc("check", "a.lgraph", "--format=json", "--ignore=LG", "--select=LG101").out) == ["LG101"]
    assert lgc("check", "a.lgraph", "--select", "101").status == 2
    assert lgc("check", "a.lgraph", "--select", "LG999").status == 2
    assert lgc("check", "a.lgraph", "--ignore", "LG101X").status == 2


def test_settings_choose_findings(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(BROKEN)
    (place / "lgc.toml").write_text('ignore = ["LG3"]\n[severity]\nLG101 = "warning"\n')
    ran = lgc("check")
    assert ran.status == 0
    assert "warning[LG101]" in ran.out
    assert lgc("check", "--strict").status == 1
    (place / "lgc.toml").write_text('severity = { LG101 = "off", LG302 = "off" }\n')
    assert lgc("check").out == "no findings in 1 file\n"


def test_syntax_errors_cannot_be_ignored(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text("graph {")
    assert lgc("check", "a.lgraph", "--ignore", "LG0", "--select", "LG5").status == 1


# --- explain ----------------------------------------------------------------------------------------------


def test_explain(lgc: Lgc) -> None:
    ran = lgc("explain", "LG101")
    assert ran.status == 0
    assert ran.out.startswith("LG101 undefined-name (error)\n")
    assert "Example\n" in ran.out
    assert "Repair\n" in ran.out
    assert lgc("explain", "lg101").out == lgc("explain", "undefined-name").out == ran.out
    assert json.loads(lgc("explain", "LG101", "--json").out)["name"] == "undefined-name"


def test_explain_lists_and_suggests(lgc: Lgc) -> None:
    listed = lgc("explain")
    assert listed.status == 0
    assert "\n\nGenerated code\nLG901  error     stale-code" in listed.out
    ran = lgc("explain", "LG999")
    assert ran.status == 2
    assert "nothing is called `LG999`" in ran.err
    assert "did you mean `undefined-name`?" in lgc("explain", "undefind-name").err
    family = json.loads(lgc("explain", "lg5", "--json").out)
    assert {rule["family"] for rule in family} == {"Data and races"}
    assert [rule["code"] for rule in family] == sorted(rule["code"] for rule in family)
    assert "Names" not in lgc("explain", "LG5").out


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_explain_says_whether_it_can_be_allowed_and_fixed(lgc: Lgc, rule: Rule) -> None:
    told = lgc("explain", rule.code).out
    assert (f"`// lgc: allow {rule.code} REASON`" in told) == rule.allowable
    assert ("cannot be allowed" in told.split("Repair")[-1]) != rule.allowable
    assert ("`lgc check --fix` makes it" in told) == rule.fixable
    data = json.loads(lgc("explain", rule.code, "--json").out)
    assert (data["allowable"], data["fixable"]) == (rule.allowable, rule.fixable)


# --- functions --------------------------------------------------------------------------------------------


def test_impls(lgc: Lgc, article: Path) -> None:
    assert lgc("check", ".", "--impls", "--nodes", "nodes:Nodes").status == 0
    assert lgc("check", ".", "--impls").status == 0  # no nodes named, none to miss
    text = (article / "nodes.py").read_text()
    text = text.replace("def grade(self, ctx: GradeContext, /)", "def grade(self)")
    (article / "nodes.py").write_text(text.replace("async def publish", "async def publihs"))
    ran = lgc("check", ".", "--impls", "--nodes", "nodes:Nodes", "--format", "json")
    assert ran.status == 1
    found = {one["message"]: one["code"] for one in json.loads(ran.out)["findings"]}
    assert set(found.values()) == {"LG203"}
    assert [message.split(":")[0] for message in found] == [
        "`grade` of `nodes",
        "`nodes",
    ]
    assert "`nodes:Nodes` has no function `publish`" in found
    assert lgc("check", ".", "--impls", "--nodes", "nowhere").status == 2


def test_impls_named_in_the_graph(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(
        'state S { n: int = 0  mutation M(x: int) = "os.path:nope" writes n }\n'
        'graph g(S) { task a { records M  impl "os.path:join"  retry 1 on "builtins:OSError" }\n'
        '  task b { impl "nowhere:f" }  start -> a -> b -> end }\n'
    )
    ran = lgc("check", "a.lgraph", "--impls")
    assert ran.status == 1
    assert ran.out.count("LG203") == 2
    assert "`os.path:nope` cannot be imported" in ran.out
    assert "`nowhere:f` cannot be imported" in ran.out
    assert lgc("check", "a.lgraph").status == 0  # nothing is imported without being asked to


def test_a_file_is_checked_once_however_it_is_named(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text("state S { x: Nope = 0 }\n")
    ran = lgc("check", "a.lgraph", "./a.lgraph", str(place / "a.lgraph"), ".", "--format", "github")
    assert ran.out.count("::error") == 1
    assert ran.out.startswith("::error file=a.lgraph,")


def test_what_the_settings_call_source_is_not_there(lgc: Lgc, place: Path) -> None:
    (place / "lgc.toml").write_text('source = ["flows"]\n')
    ran = lgc("check")
    assert ran.status == 2
    assert "flows: no such file or folder" in ran.err
    assert "`source` in lgc.toml names it" in ran.err
    assert "(empty path): no such file or folder" in lgc("check", "").err


def test_hidden_files_and_links_to_nothing(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text("enum E { a }\n")
    (place / ".#a.lgraph").symlink_to("someone@somewhere.1234")  # as an editor locks a file
    assert lgc("check", ".").out == "no findings in 1 file\n"
    (place / "b.lgraph").symlink_to("gone.lgraph")
    ran = lgc("check", ".")
    assert (ran.status, ran.err) == (2, "error: b.lgraph: a link to nothing\n")
    ran = lgc("check", "c.lgraph")
    assert "help: did you mean " in ran.err


def test_impls_in_modules_that_print_or_leave(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(
        "state S { n: int = 0  mutation Up() { n += 1 } }\n"
        'graph g(S) { task a { reads n  records Up  impl "talking:f" }  start -> a -> end }\n'
    )
    (place / "talking.py").write_text("print('hello')\ndef f(ctx): ...\n")
    (place / "leaving.py").write_text("raise SystemExit(7)\n")
    ran = lgc("check", ".", "--impls", "--format", "json")
    assert (ran.status, json.loads(ran.out)["findings"], ran.err) == (0, [], "hello\n")
    for nodes in ("leaving", "leaving.py"):
        ran = lgc("check", ".", "--impls", "--nodes", nodes)
        assert ran.status == 2
        assert "SystemExit: 7" in ran.err
    (place / "a.lgraph").write_text((place / "a.lgraph").read_text().replace("talking", "leaving"))
    ran = lgc("check", ".", "--impls")
    assert ran.status == 1
    assert "`leaving:f` cannot be imported: SystemExit: 7" in ran.out
