"""Run `lgc` in this process, in a folder of its own, and leave no trace in Python's own tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from lgc.cli import main
from lgc.cli.terminal import color_mode

ARTICLE = """\
from "./common.lgraph" import Note

enum Verdict { accept, revise }

state Article {
  topic:    str
  draft:    str?
  notes:    list[Note] = []
  score:    float = 0.0  range 0.0..1.0
  verdict:  Verdict?
  revision: int = 0

  mutation SetDraft(text: str) { draft = text  revision += 1 }
  mutation AddNote(note: Note) { notes += [note] }
  mutation Grade(score, verdict)
}

graph article(Article) {
  task write { reads topic, notes  records SetDraft  ensures draft }
  task grade { reads draft!  records Grade  ensures verdict }
  barrier sign_off {
    shows    draft, score
    timeout  2d
    decision approve
    decision reject(reason: str, stars: int) records AddNote(Note(author = "editor", text = reason))
    modify   SetDraft
    reroute  write
  }
  task publish { reads draft!, revision }

  start -> write -> grade
  grade -> sign_off when verdict == Verdict.accept
  grade -> write    when verdict == Verdict.revise max_visits 3
  grade -> end      else
  sign_off -> publish on approve
  sign_off -> write   on reject
  sign_off -> end     on timeout
  publish -> end
}
"""

COMMON = """\
record Note {
  author: str
  text:   str
}
"""

NODES = '''\
"""Tasks of the article."""

from article_lg import Grade, GradeContext, PublishContext, SetDraft, Verdict, WriteContext


class Nodes:
    async def write(self, ctx: WriteContext, /) -> None:
        ctx.emit(f"draft about {ctx.state.topic}\\n")
        ctx.record(SetDraft(text=f"{ctx.state.topic} {ctx.visit}, {len(ctx.state.notes)} notes"))

    def grade(self, ctx: GradeContext, /) -> None:
        done = ctx.visit > 1
        ctx.record(Grade(score=0.9 if done else 0.2, verdict=Verdict.accept if done else Verdict.revise))

    async def publish(self, ctx: PublishContext, /) -> None:
        ctx.emit("published\\n")
'''


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str


Lgc = Callable[..., Ran]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working directory; nothing above it is a project."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def article(place: Path) -> Path:
    """The folder with the article's graph and its nodes."""
    (place / "article.lgraph").write_text(ARTICLE)
    (place / "common.lgraph").write_text(COMMON)
    (place / "nodes.py").write_text(NODES)
    return place


@pytest.fixture
def lgc(
    place: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Lgc]:
    """Run a command line; `stdin` is what it may read."""
    modules, paths, finders = set(sys.modules), list(sys.path), list(sys.meta_path)

    def forget() -> None:
        for name in set(sys.modules) - modules:
            # What a command took from the user's folders, or generated: other tests have their own.
            found = getattr(sys.modules[name], "__file__", None) or ""
            if name.endswith("_lg") or str(found).startswith(str(place.parent)):
                del sys.modules[name]
        sys.path[:], sys.meta_path[:] = paths, finders
        color_mode.chosen = "auto"

    def run(*words: str | Path, stdin: bytes = b"") -> Ran:
        capfdbinary.readouterr()
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin), encoding="utf-8"))
        try:
            status = main([str(word) for word in words])
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            forget()
        taken = capfdbinary.readouterr()
        return Ran(status, taken.out.decode(), taken.err.decode())

    yield run
    forget()
