"""`lgc check --fix`: what it repairs, what it leaves alone, and what it keeps of a file."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Lgc = Callable[..., Any]

BROKEN = """\
state Job {
  score: int = 0

  mutation Grade(score)
}

graph work(Job) {
  task plan { records Graed }
  task mend { reads scor };

  start -> plan
  plan -> mend when score > 3
  plan -> end
  mend -> end
}
"""
REPAIRED = (
    BROKEN.replace("Graed", "Grade")
    .replace("scor }", "score }")
    .replace(";", "")
    .replace("plan -> end", "plan -> end else")
)


def test_it_repairs_and_says_what_it_did(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(BROKEN)
    told = lgc("check", "a.lgraph")
    assert told.status == 1
    assert told.out.endswith("4 errors in 1 file (4 fixable with `lgc check --fix`)\n")
    ran = lgc("check", "a.lgraph", "--fix")
    assert (ran.status, ran.out, ran.err) == (0, "no findings in 1 file\n", "fixed 4 findings in 1 file\n")
    assert (place / "a.lgraph").read_text() == REPAIRED
    again = lgc("check", "a.lgraph", "--fix")
    assert (again.status, again.err) == (0, "nothing to fix\n")


def test_what_remains_decides_the_status(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(BROKEN.replace("  start", "  task lost\n  lost -> end\n  start"))
    ran = lgc("check", "a.lgraph", "--fix", "--format", "json")
    assert ran.status == 1
    assert [one["code"] for one in json.loads(ran.out)["findings"]] == ["LG303"]
    assert ran.err == "fixed 4 findings in 1 file\n"


def test_line_ends_byte_order_mark_mode_and_links_stay(lgc: Lgc, place: Path) -> None:
    data = b"\xef\xbb\xbf" + ("// ä\n" + BROKEN).replace("\n", "\r\n").encode()
    (place / "real.lgraph").write_bytes(data)
    (place / "real.lgraph").chmod(0o640)
    (place / "a.lgraph").symlink_to("real.lgraph")
    assert lgc("check", "a.lgraph", "--fix").status == 0
    after = b"\xef\xbb\xbf" + ("// ä\n" + REPAIRED).replace("\n", "\r\n").encode()
    assert (place / "real.lgraph").read_bytes() == after
    assert (place / "a.lgraph").is_symlink()
    assert stat.S_IMODE((place / "real.lgraph").stat().st_mode) == 0o640
    assert sorted(path.name for path in place.iterdir()) == ["a.lgraph", "real.lgraph"]


def test_diff_writes_nothing(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(BROKEN)
    ran = lgc("check", "a.lgraph", "--fix", "--diff")
    assert ran.status == 1
    assert ran.err == "would fix 4 findings in 1 file\n"
    assert "--- a.lgraph\n+++ a.lgraph\n" in ran.out
    assert "-  plan -> end\n" in ran.out
    assert "+  plan -> end else\n" in ran.out
    assert (place / "a.lgraph").read_text() == BROKEN
    (place / "a.lgraph").write_text(REPAIRED)
    clean = lgc("check", "a.lgraph", "--diff")
    assert (clean.status, clean.out) == (0, "")


def test_standard_input_goes_to_standard_output(lgc: Lgc, place: Path) -> None:
    ran = lgc("check", "-", "--fix", stdin=BROKEN.encode())
    assert (ran.status, ran.out) == (0, REPAIRED)
    assert ran.err == "no findings in 1 file\nfixed 4 findings in 1 file\n"
    clean = lgc("check", "-", "--fix", stdin=REPAIRED.replace("\n", "\r\n").encode())
    assert clean.out == REPAIRED.replace("\n", "\r\n")


def test_imported_files_that_were_not_given_are_not_changed(lgc: Lgc, place: Path) -> None:
    (place / "inner.lgraph").write_text(BROKEN)
    outer = "graph other(Job) {\n  task plan { reads score }\n  start -> plan -> end\n}\n"
    (place / "outer.lgraph").write_text('from "./inner.lgraph" import Jobb\n\n' + outer)
    ran = lgc("check", "outer.lgraph", "--fix")
    assert ran.err.startswith("fixed ")
    assert ran.err.endswith(" in 1 file\n")
    assert (place / "inner.lgraph").read_text() == BROKEN
    assert "import Job" in (place / "outer.lgraph").read_text()


def test_only_findings_that_count_are_fixed(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(BROKEN.replace(";", ""))
    ran = lgc("check", "a.lgraph", "--fix", "--select", "LG403")
    assert ran.err == "fixed 1 finding in 1 file\n"
    text = (place / "a.lgraph").read_text()
    assert "plan -> end else" in text
    assert "Graed" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("records Graed", "records Gradd"),  # two names are as near as one
        ("reads scor }", "reads sc }"),  # too short to tell
    ],
)
def test_a_guess_is_no_repair(lgc: Lgc, place: Path, old: str, new: str) -> None:
    text = BROKEN.replace(";", "").replace(old, new).replace("  mutation Grade(score)", _TWO)
    (place / "a.lgraph").write_text(text)
    lgc("check", "a.lgraph", "--fix")
    assert new in (place / "a.lgraph").read_text()


_TWO = "  mutation Grade(score)\n  mutation Gradu(score)"


def test_a_number_is_no_slip_of_the_pen(lgc: Lgc, place: Path) -> None:
    text = BROKEN.replace("mend -> end", "mend -> step2\n  step2 -> end").replace(
        "  task mend", "  task step1\n  task mend"
    )
    (place / "a.lgraph").write_text(text)
    lgc("check", "a.lgraph", "--fix")
    assert "mend -> step2" in (place / "a.lgraph").read_text()


def test_two_plain_edges_are_left_to_the_user(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(REPAIRED.replace("plan -> end else", "plan -> end\n  plan -> mend"))
    before = (place / "a.lgraph").read_text()
    ran = lgc("check", "a.lgraph", "--fix")
    assert ran.status == 1
    assert (place / "a.lgraph").read_text() == before


def test_names_that_stand_twice_in_a_list(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(REPAIRED.replace("reads score", "reads score, score"))
    assert lgc("check", "a.lgraph", "--fix").status == 0
    assert (place / "a.lgraph").read_text() == REPAIRED


def test_an_outcome_that_is_misspelt(lgc: Lgc, place: Path) -> None:
    text = REPAIRED.replace("  mend -> end", "  mend -> end\n  mend -> plan on eror max_visits 3")
    (place / "a.lgraph").write_text(text)
    lgc("check", "a.lgraph", "--fix")
    assert "mend -> plan on error max_visits 3" in (place / "a.lgraph").read_text()


def test_a_file_never_gets_more_errors(lgc: Lgc, place: Path) -> None:
    # `plam` is near `plan` alone, but then the edge would stand there twice, and more would be wrong.
    text = (
        "state Job { n: int = 0 }\ngraph work(Job) {\n  task plan\n  task plat { reads n }\n"
        "  start -> plat -> plan -> end\n  plan -> end on tymeout\n}\n"
    )
    (place / "a.lgraph").write_text(text)
    before = json.loads(lgc("check", "a.lgraph", "--format", "json").out)["summary"]["errors"]
    lgc("check", "a.lgraph", "--fix")
    after = json.loads(lgc("check", "a.lgraph", "--format", "json").out)["summary"]["errors"]
    assert after <= before


def test_a_file_that_cannot_be_written(lgc: Lgc, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "a.lgraph").write_text(BROKEN)

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(Path, "replace", refuse)
    ran = lgc("check", "a.lgraph", "--fix")
    assert ran.status == 2
    assert "permission denied" in ran.err
    assert (place / "a.lgraph").read_text() == BROKEN
    assert [path.name for path in place.iterdir()] == ["a.lgraph"]


@pytest.mark.parametrize(
    "words",
    [
        ("--fix", "--watch"),
        ("--diff", "--format", "json"),
        ("--fix", "--write-baseline", "--baseline", "b.toml"),
        ("--reason", "x"),
    ],
)
def test_what_does_not_go_together(lgc: Lgc, place: Path, words: tuple[str, ...]) -> None:
    (place / "a.lgraph").write_text(BROKEN)
    ran = lgc("check", "a.lgraph", *words)
    assert ran.status == 2
    assert ran.err.startswith("error: ")
    assert (place / "a.lgraph").read_text() == BROKEN


def test_a_file_that_nobody_may_write_stays(lgc: Lgc, place: Path) -> None:
    for name in ("a.lgraph", "b.lgraph"):
        (place / name).write_text("state S { n: int = 0; }\n")
    (place / "a.lgraph").chmod(0o444)
    ran = lgc("check", "a.lgraph", "--fix")
    assert (ran.status, ran.err) == (2, "error: a.lgraph: is read-only, and was not written\n")
    assert ";" in (place / "a.lgraph").read_text()
    assert lgc("check", "b.lgraph", "--fix").status == 0
