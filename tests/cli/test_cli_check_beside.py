"""A file that is checked by itself: what other files of its project do with it counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Lgc

PART = """\
state Part {
  title: str = ""
  words: int = 0
  draft: str?

  mutation Count(words)
}

graph part(Part) {
  task count { reads title, draft!  records Count }

  start -> count -> end
}
"""
BOOK = """\
from "./parts/part.lgraph" import part

state Book {
  titles: list[str]
  total:  int = 0

  mutation Add(n: int) { total += n }
}

graph book(Book) {
  map each = part {
    over titles as title
    in   title = title, draft = "x"
    out  Add(words)
  }
  task report { reads total }

  start -> each -> report -> end
}
"""
ALONE = ["LG504", "LG504", "LG501"]  # `title`, `words`, `draft!`


def codes(lgc: Lgc, *words: str, stdin: str = "") -> list[str]:
    ran = lgc("check", *words, stdin=stdin.encode())
    assert ran.status in (0, 1)
    return [part.partition("]")[0] for part in ran.out.split("[")[1:] if part.startswith("LG")]


@pytest.fixture
def project(place: Path) -> Path:
    (place / "lgc.toml").touch()
    (place / "parts").mkdir()
    (place / "parts" / "part.lgraph").write_text(PART)
    (place / "book.lgraph").write_text(BOOK)
    return place


@pytest.mark.parametrize("what", [".", "parts", "parts/part.lgraph", "book.lgraph"])
def test_one_file_is_judged_as_it_is_among_all(what: str, project: Path, lgc: Lgc) -> None:
    assert codes(lgc, what) == []
    assert codes(lgc, what, "--no-cache") == []
    assert codes(lgc, str(project / what)) == []


def test_what_an_editor_gives_too(project: Path, lgc: Lgc) -> None:
    assert codes(lgc, "-", "--stdin-name", "parts/part.lgraph", stdin=PART) == []
    more = PART.replace("  mutation", "  extra: int = 0\n\n  mutation", 1)
    assert codes(lgc, "-", "--stdin-name", "parts/part.lgraph", stdin=more) == ["LG504"]


def test_the_same_when_files_that_use_it_come_and_go(project: Path, lgc: Lgc) -> None:
    book = project / "book.lgraph"
    assert codes(lgc, "parts/part.lgraph") == []
    book.write_text(BOOK.replace('draft = "x"', "draft = none"))
    assert codes(lgc, "parts/part.lgraph") == ["LG501"]
    book.unlink()
    assert codes(lgc, "parts/part.lgraph") == ALONE
    book.write_text(BOOK)
    assert codes(lgc, "parts/part.lgraph") == []


def test_nothing_is_said_of_files_that_were_not_asked_for(project: Path, lgc: Lgc) -> None:
    book = project / "book.lgraph"
    book.write_text(BOOK + "state Broken { n: itn }\n")
    assert codes(lgc, "parts/part.lgraph") == []
    assert codes(lgc, "book.lgraph") == ["LG101"]
    book.write_text(BOOK + "task (")
    assert codes(lgc, "parts/part.lgraph") == []


def test_files_outside_the_project_do_not_count(project: Path, lgc: Lgc) -> None:
    (project / "parts" / "lgc.toml").touch()
    assert codes(lgc, "parts/part.lgraph") == ALONE
