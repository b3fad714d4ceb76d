"""`lgc.check_paths`: from Python, what `lgc check` says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lgc as package

Lgc = Callable[..., Any]

ROOT = Path(__file__).parents[2]
GRAPH = """\
state S {
  old: int = 0
  n: int = 0
  mutation Up() { n += 1 }
}
graph g(S) {
  task a { reads n  records Up }
  // lgc: allow LG303 comes with the next release
  task later { reads n }
  task lost { reads n }
  start -> a -> end
  later -> end
  lost -> end
}
"""


@pytest.fixture
def flow(place: Path) -> Path:
    (place / "lgc.toml").write_text('[severity]\nLG504 = "error"\nLG303 = "warning"\n')
    path = place / "flows/a.lgraph"
    path.parent.mkdir()
    path.write_text(GRAPH)
    return path


def codes(report: package.Report) -> list[tuple[str, str]]:
    return [(one.code, str(one.severity)) for one in report.findings]


def test_settings_and_comments_count(flow: Path) -> None:
    report = package.check_paths("flows")
    assert codes(report) == [("LG504", "error"), ("LG303", "warning")]
    assert [one.reason for one in report.suppressed] == ["comes with the next release"]
    assert (report.ok, report.files) == (False, ("flows/a.lgraph",))
    assert codes(package.check_paths(flow.parent, select=["LG3"])) == [("LG303", "warning")]
    assert package.check_paths(flow, ignore="LG504").ok


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "junit"])
def test_a_report_is_that_of_the_command(flow: Path, lgc: Lgc, form: str) -> None:
    assert package.check_paths(".").render(form) == lgc("check", ".", "--format", form).out


def test_colours_and_unknown_formats(flow: Path, lgc: Lgc) -> None:
    report = package.check_paths("flows/a.lgraph")
    assert report.render(color=True) == lgc("check", "flows/a.lgraph", "--color", "always").out
    with pytest.raises(ValueError, match="there are text, json"):
        report.render("yaml")


def test_the_baseline_counts(flow: Path, lgc: Lgc) -> None:
    lgc("check", ".", "--write-baseline", "--baseline", "accepted.toml", "--reason", "old")
    accepted = package.check_paths(baseline=flow.parents[1] / "accepted.toml")
    assert (accepted.ok, accepted.findings, len(accepted.suppressed)) == (True, (), 3)
    assert json.loads(accepted.render("json"))["summary"]["suppressed"] == 3


def test_what_is_remembered_changes_nothing(flow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LGC_CACHE_DIR", raising=False)
    first = package.check_paths(flow)
    assert (flow.parents[1] / ".lgc_cache").is_dir()
    again = package.check_paths(flow)
    assert (again.findings, again.suppressed) == (first.findings, first.suppressed)
    assert package.check_paths(flow, cache=False).findings == first.findings


def test_what_cannot_be_read_is_raised(flow: Path) -> None:
    with pytest.raises(package.ProjectError, match="no such file"):
        package.check_paths("nope.lgraph")
    with pytest.raises(package.ProjectError, match="is not a code") as caught:
        package.check_paths(flow, select=["LG99"])
    assert caught.value.hint
    with pytest.raises(package.ProjectError, match=r"none\.toml: no such file"):
        package.check_paths(flow, baseline="none.toml")
    flow.write_text("graph {")
    assert [code for code, _ in codes(package.check_paths(flow))][:1] == ["LG002"]


def test_the_page_about_it_runs(flow: Path) -> None:
    page = (ROOT / "docs/python-api.md").read_text(encoding="utf-8").partition("## Checking")[2]
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, {})  # noqa: S102 - the documentation's own code
