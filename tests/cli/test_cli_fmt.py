"""`lgc fmt`: what it touches and what it leaves alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

Lgc = Callable[..., Any]

UGLY = "state S { count:int=0 }   // kept\ngraph g(S) { task a { reads count } start->a->end }\n"
NEAT = """\
state S {
  count: int = 0
}  // kept

graph g(S) {
  task a { reads count }
  start -> a -> end
}
"""


def test_writes_the_layout(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(UGLY)
    (place / "b.lgraph").write_text(NEAT)
    ran = lgc("fmt", ".")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == "1 file reformatted, 1 file left as it was\n"
    assert (place / "a.lgraph").read_text() == NEAT
    assert sorted(one.name for one in place.iterdir()) == ["a.lgraph", "b.lgraph"]


def test_check_writes_nothing(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(UGLY)
    ran = lgc("fmt", "--check", "a.lgraph")
    assert ran.status == 1
    assert "would reformat a.lgraph" in ran.err
    assert (place / "a.lgraph").read_text() == UGLY
    (place / "a.lgraph").write_text(NEAT)
    assert lgc("fmt", "--check", "a.lgraph").status == 0


def test_diff_writes_nothing(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(UGLY)
    ran = lgc("fmt", "--diff", "a.lgraph")
    assert ran.status == 1
    assert "--- a.lgraph\n+++ a.lgraph\n" in ran.out
    assert "+  task a { reads count }\n" in ran.out
    assert (place / "a.lgraph").read_text() == UGLY


def test_standard_input_to_standard_output(lgc: Lgc) -> None:
    ran = lgc("fmt", "-", stdin=UGLY.encode())
    assert (ran.status, ran.out, ran.err) == (0, NEAT, "")
    assert lgc("fmt", "-", "--check", stdin=UGLY.encode()).status == 1


def test_a_file_with_syntax_errors_is_not_touched(lgc: Lgc, place: Path) -> None:
    broken = "graph g(S) {   task   }\n"
    (place / "a.lgraph").write_text(broken)
    (place / "b.lgraph").write_text(UGLY)
    ran = lgc("fmt", "a.lgraph", "b.lgraph")
    assert ran.status == 1
    assert "error[LG002]" in ran.err
    assert (place / "a.lgraph").read_text() == broken
    assert (place / "b.lgraph").read_text() == NEAT  # the others are laid out all the same
    ran = lgc("fmt", "-", stdin=broken.encode())
    assert (ran.status, ran.out) == (1, "")


def test_mode_and_links_stay(lgc: Lgc, place: Path) -> None:
    (place / "real.lgraph").write_text(UGLY)
    os.chmod(place / "real.lgraph", 0o640)  # noqa: PTH101
    (place / "link.lgraph").symlink_to("real.lgraph")
    assert lgc("fmt", "link.lgraph").status == 0
    assert (place / "link.lgraph").is_symlink()
    assert (place / "real.lgraph").read_text() == NEAT
    assert stat.S_IMODE((place / "real.lgraph").stat().st_mode) == 0o640
