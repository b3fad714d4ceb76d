"""Generated code is accepted by formatters and by strict type checkers, and makes them refuse wrong nodes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

GOOD = """
from article_lg import (
    AddNote, Article, ArticleMutation, CheckFactsContext, CheckStyleContext, Grade, GradeContext,
    PublishContext, SetDraft, SoftenContext, Verdict, WriteContext, article,
)
from app.models import Model
from common_lg import Note
from graphs_lg import ReviewLookContext, review
from types_lg import Circle, Point
import functions


class Nodes:
    async def write(self, ctx: WriteContext, /) -> None:
        text = ctx.state.model.complete(ctx.params["prompt"]) + ctx.state.topic
        ctx.record(SetDraft(text=text + str(len(ctx.state.notes)) + str(ctx.params["temperature"] + 1)))

    def check_facts(self, ctx: CheckFactsContext) -> None:
        ctx.record(AddNote(note=Note(author="a", text=ctx.state.draft.upper())))

    async def check_style(self, context: CheckStyleContext) -> None: ...
    async def soften(self, ctx: SoftenContext, /) -> None: ...

    async def grade(self, ctx: GradeContext, /) -> None:
        ctx.record(Grade(score=0.5, verdict=Verdict.accept))

    async def publish(self, ctx: PublishContext, /) -> None:
        ctx.emit(ctx.state.draft)


def applied(mutation: ArticleMutation) -> str:
    return mutation.text if isinstance(mutation, SetDraft) else ""


class Reviewer:
    def look(self, ctx: ReviewLookContext, /) -> None:
        ctx.goto("end")
        ctx.goto("again")


one = article(Nodes())
two = article(functions)
three = review(Reviewer())
state = Article(topic="x", model=Model())
shape = Circle(radius=1.0, centre=Point(x=1.0))
"""

FUNCTIONS = """
from article_lg import (
    CheckFactsContext, CheckStyleContext, GradeContext, PublishContext, SoftenContext, WriteContext,
)


async def write(ctx: WriteContext) -> None: ...
def check_facts(ctx: CheckFactsContext) -> None: ...
async def check_style(ctx: CheckStyleContext) -> None: ...
async def soften(ctx: SoftenContext) -> None: ...
async def grade(ctx: GradeContext) -> None: ...
async def publish(ctx: PublishContext) -> None: ...
"""

# Every marked line is an error, no other is.
BAD = """
from article_lg import (
    AddNote, Article, Grade, PublishContext, SetDraft, SoftenContext, Verdict, WriteContext, article,
)
from common_lg import Note
from graphs_lg import ReviewLookContext, review
from hostile_lg import Object2


async def write(ctx: WriteContext, /) -> None:
    ctx.state.draft  # bad: not read
    ctx.record(Grade(score=0.1, verdict=None))  # bad: not declared
    ctx.record(SetDraft(text=1))  # bad: a str
    ctx.record(SetDraft(test="x"))  # bad: no such parameter
    ctx.goto("end")  # bad: no goto
    ctx.state.notes.append(Note(author="", text=""))  # bad: read-only
    ctx.state.topic = "x"  # bad: read-only
    ctx.params["nothing"]  # bad: no such param


async def soften(ctx: SoftenContext, /) -> None:
    ctx.state.draft.upper()
    ctx.record(AddNote(note=Note(author="", text="")))
    ctx.record(AddNote(note="x"))  # bad: a Note
    ctx.params["x"]  # bad: no params


async def publish(ctx: PublishContext, /) -> None:
    ctx.record(SetDraft(text=""))  # bad: none declared


async def look(ctx: ReviewLookContext, /) -> None:
    ctx.goto("start")  # bad: not declared


class Incomplete:
    def look(self, ctx: WriteContext, /) -> None: ...


review(Incomplete())  # bad: another context
article(Incomplete())  # bad: tasks missing
Article()  # bad: no topic
Verdict.nothing  # bad: no such member
Object2(json=1, copy=2, dict={1: 2})
Object2(copy="x")  # bad: an int
Object2(copy_=2)  # bad: no such field
"""


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    bin_ = Path(sys.executable).parent
    return subprocess.run([str(bin_ / command[0]), *command[1:]], cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="session")
def project(built: Path) -> Path:
    (built / "good.py").write_text(GOOD)
    (built / "functions.py").write_text(FUNCTIONS)
    (built / "bad.py").write_text(BAD)
    settings = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": [str(ROOT / "src")],
        "venvPath": str(Path(sys.executable).parents[2]),
        "venv": Path(sys.executable).parents[1].name,
    }
    (built / "pyrightconfig.json").write_text(json.dumps(settings))
    return built


def generated(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*_lg.py"))


def test_formatters_leave_it_alone(built: Path) -> None:
    result = run("ruff", "format", "--isolated", "--diff", *generated(built), cwd=built)
    assert result.returncode == 0, result.stdout


def test_linters_find_nothing(built: Path) -> None:
    result = run("ruff", "check", "--isolated", "--ignore-noqa", "--no-cache", *generated(built), cwd=built)
    assert result.returncode == 0, result.stdout


@pytest.fixture(scope="session")
def pyright(project: Path) -> list[dict[str, Any]]:
    result = run("pyright", "--project", "pyrightconfig.json", "--outputjson", cwd=project)
    report = json.loads(result.stdout)
    assert report["summary"]["filesAnalyzed"] >= len(generated(project)) + 3
    return [d for d in report["generalDiagnostics"] if d["severity"] == "error"]


def test_strict_pyright_accepts_it_and_good_nodes(pyright: list[dict[str, Any]]) -> None:
    assert [d for d in pyright if not d["file"].endswith("bad.py")] == []


def test_strict_pyright_refuses_bad_nodes(pyright: list[dict[str, Any]]) -> None:
    found = {d["range"]["start"]["line"] for d in pyright if d["file"].endswith("bad.py")}
    assert found == marked()


def marked() -> set[int]:
    return {number for number, line in enumerate(BAD.splitlines()) if "# bad" in line}


def test_strict_mypy_agrees(project: Path) -> None:
    command = [
        "mypy",
        "--strict",
        "--explicit-package-bases",
        "--cache-dir",
        "/dev/null",
        "--no-error-summary",
    ]
    result = subprocess.run(
        [
            str(Path(sys.executable).parent / command[0]),
            *command[1:],
            "--python-executable",
            sys.executable,
            ".",
        ],
        cwd=project,
        capture_output=True,
        text=True,
        env={"MYPYPATH": f"{ROOT / 'src'}:.", "PATH": ""},
    )
    lines = [line for line in result.stdout.splitlines() if ": error:" in line]
    assert [line for line in lines if not line.startswith("bad.py")] == []
    found = {int(match.group(1)) - 1 for line in lines if (match := re.match(r"bad\.py:(\d+):", line))}
    assert found == marked()
