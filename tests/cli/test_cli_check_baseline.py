"""Accepted findings: comments and the baseline, on the command line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Lgc = Callable[..., Any]

LOST = """\
state Job {
  done: bool = false

  mutation Finish(done)
}

graph work(Job) {
  task plan { reads done  records Finish }
  task lost

  start -> plan -> end
  lost -> end
}
"""
ALLOWED = LOST.replace("  task lost", "  // lgc: allow LG303 wired in the next release\n  task lost")
CLEAN = LOST.replace("  task lost\n", "").replace("  lost -> end\n", "")


def report(ran: Any) -> dict[str, Any]:
    return dict(json.loads(ran.out))


def accepted(place: Path, name: str = "accepted.toml") -> list[dict[str, Any]]:
    """The entries of a baseline."""
    table = tomllib.loads((place / name).read_text())
    assert table["version"] == 1
    return list(table.get("accepted", []))


@pytest.fixture
def baseline(lgc: Lgc, place: Path) -> Path:
    """A project with one accepted finding; the file is named in its settings."""
    (place / "a.lgraph").write_text(LOST)
    (place / "lgc.toml").write_text('baseline = "accepted.toml"\n')
    ran = lgc("check", "--write-baseline", "--reason", "wired in the next release")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == "accepted.toml: 1 accepted finding (1 new)\n"
    return place / "accepted.toml"


# --- comments ---------------------------------------------------------------------------------------------


def test_what_a_comment_allows_is_told_and_stops_nothing(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(ALLOWED)
    ran = lgc("check", "a.lgraph", "--strict")
    assert (ran.status, ran.out) == (0, "no findings in 1 file (1 suppressed)\n")
    assert lgc("hash", "a.lgraph").status == 0
    assert lgc("build", "a.lgraph", "--out", "out").status == 0
    (silenced,) = report(lgc("check", "a.lgraph", "--format", "json"))["suppressed"]
    assert silenced["code"] == "LG303"
    assert silenced["suppression"]["kind"] == "comment"
    assert silenced["suppression"]["reason"] == "wired in the next release"
    assert silenced["suppression"]["range"]["start"]["line"] == 9


def test_what_does_not_count_is_not_told_as_suppressed(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(ALLOWED)
    assert lgc("check", "a.lgraph", "--ignore", "LG303").out == "no findings in 1 file\n"


# --- the file ---------------------------------------------------------------------------------------------


def test_accepted_findings_are_silenced(lgc: Lgc, place: Path, baseline: Path) -> None:
    assert lgc("check").out == "no findings in 1 file (1 suppressed)\n"
    (entry,) = accepted(place)
    assert entry["code"] == "LG303"
    assert entry["file"] == "a.lgraph"
    assert entry["message"] == "node `lost` can never be reached"
    assert entry["reason"] == "wired in the next release"
    told = report(lgc("check", "--format", "json"))
    assert told["summary"]["suppressed"] == 1
    assert told["suppressed"][0]["fingerprint"] == entry["fingerprint"]
    assert told["suppressed"][0]["suppression"]["kind"] == "baseline"
    (result,) = json.loads(lgc("check", "--format", "sarif").out)["runs"][0]["results"]
    assert result["suppressions"][0]["kind"] == "external"
    assert result["partialFingerprints"] == {"lgcFinding/v1": entry["fingerprint"]}


def test_from_any_folder_and_after_moved_lines(
    lgc: Lgc, place: Path, baseline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "a.lgraph").write_text("// A remark.\n\n" + LOST.replace("task lost", "task   lost // left"))
    (place / "sub").mkdir()
    for folder, path in (
        (place / "sub", "../a.lgraph"),
        (place.parent, "work/a.lgraph"),
        (place, place / "a.lgraph"),
    ):
        monkeypatch.chdir(folder)
        ran = lgc("check", path)
        assert (ran.status, ran.out) == (0, "no findings in 1 file (1 suppressed)\n"), path


def test_the_project_s_own_baseline_counts_for_every_command(lgc: Lgc, place: Path, baseline: Path) -> None:
    assert lgc("hash", "a.lgraph").status == 0
    baseline.unlink()
    (place / "lgc.toml").write_text("")
    assert lgc("hash", "a.lgraph").status == 1


def test_new_findings_are_told(lgc: Lgc, place: Path, baseline: Path) -> None:
    (place / "a.lgraph").write_text(
        LOST.replace("  task lost", "  task gone\n  task lost").replace("  lost", "  gone -> end\n  lost")
    )
    ran = lgc("check")
    assert ran.status == 1
    assert "`gone`" in ran.out
    assert "`lost`" not in ran.out
    assert ran.out.endswith("1 error in 1 file (1 suppressed)\n")


def test_one_that_no_longer_occurs_is_told(lgc: Lgc, place: Path, baseline: Path) -> None:
    (place / "a.lgraph").write_text(CLEAN)
    ran = lgc("check")
    assert ran.status == 0
    assert "warning[LG107]: accepted finding LG303 in a.lgraph no longer occurs" in ran.out
    assert "--> accepted.toml:6:1" in ran.out
    assert lgc("check", "--strict").status == 1
    assert lgc("check", "--ignore", "LG107").out == "no findings in 1 file\n"
    (place / "b.lgraph").write_text(CLEAN)
    assert lgc("check", "b.lgraph").out == "no findings in 1 file\n"  # its file was not looked at
    (place / "a.lgraph").unlink()
    assert "no longer occurs" in lgc("check", "b.lgraph").out  # it is gone


def test_nothing_is_said_to_be_gone_while_errors_hide_it(lgc: Lgc, place: Path, baseline: Path) -> None:
    (place / "a.lgraph").write_text(LOST.replace("start ->", "start"))
    assert "LG107" not in lgc("check").out


def test_without_a_reason(lgc: Lgc, place: Path, baseline: Path) -> None:
    baseline.write_text(baseline.read_text().replace("wired in the next release", "  "))
    ran = lgc("check")
    assert ran.status == 1
    assert "error[LG007]: LG303 in a.lgraph is accepted without a reason" in ran.out
    assert "LG303]" not in ran.out


@pytest.mark.parametrize(
    ("day", "status"), [("2001-01-31", 1), ('"2001-01-31"', 1), ("9999-12-31", 0), ('"9999-12-31"', 0)]
)
def test_until_a_day(lgc: Lgc, place: Path, baseline: Path, day: str, status: int) -> None:
    baseline.write_text(baseline.read_text() + f"expires = {day}\n")
    ran = lgc("check")
    assert ran.status == status
    assert ("was accepted until 2001-01-31" in ran.out) == bool(status)
    assert ("error[LG303]" in ran.out) == bool(status)


def test_what_cannot_be_accepted(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(LOST.replace("-> plan", "-> plam"))
    ran = lgc("check", "--write-baseline", "--baseline", "b.toml", "--reason", "x")
    assert ran.status == 1
    assert "1 finding that cannot be accepted" in ran.err
    assert "error[LG101]" in ran.err
    assert all(one["code"] != "LG101" for one in accepted(place, "b.toml"))
    found = report(lgc("check", "--format", "json"))["findings"]
    fingerprint = next(one["fingerprint"] for one in found if one["code"] == "LG101")
    (place / "b.toml").write_text(
        f'version = 1\n[[accepted]]\ncode = "LG101"\nfile = "a.lgraph"\nfingerprint = "{fingerprint}"\n'
        'reason = "x"\n'
    )
    ran = lgc("check", "--baseline", "b.toml")
    assert "error[LG007]: LG101 (undefined-name) cannot be accepted" in ran.out
    assert "error[LG101]" in ran.out


# --- writing ----------------------------------------------------------------------------------------------


def test_writing_again_keeps_what_people_wrote(lgc: Lgc, place: Path, baseline: Path) -> None:
    text = baseline.read_text().replace("[[accepted]]", "# asked Ada about it\n[[accepted]]")
    text = text.replace('reason = "wired', 'expires = 9999-12-31\nreason = "wired')
    baseline.write_text("# Our own words.\n" + text)
    before = baseline.read_text()
    assert lgc("check", "--write-baseline").err == "accepted.toml: 1 accepted finding\n"
    assert baseline.read_text() == before
    (place / "a.lgraph").write_text(
        LOST.replace("  task lost", "  task gone\n  task lost").replace("  lost", "  gone -> end\n  lost")
    )
    ran = lgc("check", "--write-baseline")
    assert ran.err.splitlines() == [
        "accepted.toml: 2 accepted findings (1 new)",
        "1 entry without a reason: write it into the file, or give `--reason TEXT`",
    ]
    assert baseline.read_text().startswith(before.split("# asked")[0])
    assert "# asked Ada about it\n[[accepted]]" in baseline.read_text()
    assert [one["reason"] for one in accepted(place)] == ["", "wired in the next release"]
    assert lgc("check").status == 1
    lgc("check", "--write-baseline", "--reason", "not wired either")
    assert [one["reason"] for one in accepted(place)] == ["not wired either", "wired in the next release"]
    (place / "a.lgraph").write_text(CLEAN)
    assert lgc("check", "--write-baseline").err == "accepted.toml: 0 accepted findings (2 removed)\n"
    assert accepted(place) == []
    assert baseline.read_text().startswith("# Our own words.\n")


def test_entries_of_other_files_stay(lgc: Lgc, place: Path, baseline: Path) -> None:
    (place / "b.lgraph").write_text(CLEAN)
    lgc("check", "b.lgraph", "--write-baseline")
    assert len(accepted(place)) == 1


def test_where_to_write_must_be_known(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(LOST)
    ran = lgc("check", "--write-baseline")
    assert ran.status == 2
    assert "`--baseline FILE`" in ran.err


def test_any_message_survives(place: Path) -> None:
    from lgc.baseline import Found, read_baseline, written

    odd = 'a "quoted" \\ \x00\x1f\x7f\t\n\u2028 \ud800 ä 日本 # [[accepted]]\n[[accepted]]'
    text = written(None, [Found("LG303", odd, odd, "f" * 16)], {}, odd)
    (entry,) = read_baseline("b.toml", text).entries
    assert entry.message == odd.replace("\ud800", "?")
    assert entry.place.position.line == 6
    again = written(read_baseline("b.toml", text), [Found("LG303", entry.file, entry.message, "f" * 16)], {})
    assert again == text


# --- files that are no baseline ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "`version` is not 1"),
        (b"version = 2\n", "`version` is not 1"),
        (b"version = 1\naccepted = 3\n", "`accepted` must be tables"),
        (b"version = 1\naccepted = [3]\n", "entry 1 must be a table"),
        (b"version = 1\nother = 3\n", "`other` is not known"),
        (b"version = 1\n[[accepted]]\n", "entry 1: `code` is missing"),
        (b'version = 1\n[[accepted]]\ncode = "LG303"\nfile = "a"\n', "entry 1: `fingerprint` is missing"),
        (b'version = 1\n[[accepted]]\nreson = "x"\n', "did you mean `reason`?"),
        (b"version = 1\n[[accepted]]\ncode = 3\n", "`code` must be a string"),
        (b'version = 1\n[[accepted]]\ncode="a"\nfile="b"\nfingerprint="c"\nexpires = 3\n', "must be a day"),
        (b'version = 1\n[[accepted]]\ncode="a"\nfile="b"\nfingerprint="c"\nexpires = "x"\n', "must be a day"),
        (b"version = [\n", "b.toml: "),
        (b"\xff", "b.toml is not UTF-8"),
    ],
)
def test_a_file_that_is_no_baseline(lgc: Lgc, place: Path, data: bytes, told: str) -> None:
    (place / "a.lgraph").write_text(LOST)
    (place / "b.toml").write_bytes(data)
    for words in (("--baseline", "b.toml"), ("--baseline", "b.toml", "--write-baseline")):
        ran = lgc("check", *words)
        assert ran.status == 2
        assert ran.out == ""
        assert ran.err.startswith("error: b.toml")
        assert told in ran.err
    assert (place / "b.toml").read_bytes() == data


def test_a_baseline_that_is_not_there(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(LOST)
    for name in ("nowhere.toml", "."):
        ran = lgc("check", "--baseline", name)
        assert ran.status == 2
        assert ran.err.startswith(f"error: {name}: ")
