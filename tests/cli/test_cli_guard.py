"""The entry: exit status, wrong usage, colours, interruptions; nothing but sentences reaches the user."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lgc as package
from lgc.cli.app import COMMANDS

Lgc = Callable[..., Any]

ROOT = Path(__file__).parents[2]
GOOD = """\
state S { count: int = 0  mutation Up() { count += 1 } }
graph g(S) { task a { reads count  records Up }  start -> a -> end }
"""
SLOW = """\
import asyncio

async def a(ctx):
    print("here", flush=True)
    await asyncio.sleep(60)
"""


def process(*words: str, cwd: Path) -> subprocess.Popen[bytes]:
    """A real process."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-m", "lgc", *words], cwd=cwd, stdout=pipe, stderr=pipe)


def test_version_is_that_of_the_project(lgc: Lgc) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert package.__version__ == project["version"]
    assert lgc("--version").out == f"lgc {project['version']}\n"
    assert lgc("--debug", "--version").out == f"lgc {project['version']}\n"


def test_every_command_has_help(lgc: Lgc) -> None:
    overview = lgc("--help")
    assert overview.status == 0
    for name in COMMANDS:
        assert f"  {name} " in overview.out
        ran = lgc(name, "--help")
        assert ran.status == 0
        assert ran.out.startswith(f"Usage: lgc {name} ")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("chekc",), "did you mean `check`?"),
        (("check", "--fromat", "json"), "did you mean `--format`?"),
        (("check", "--format", "yaml"), "lgc check --help"),
        (("run",), "lgc run --help"),
        (("--nope",), "lgc --help"),
        (("log", "r1", "--from-step", "0"), "lgc log --help"),
    ],
)
def test_wrong_usage(lgc: Lgc, words: tuple[str, ...], hint: str) -> None:
    ran = lgc(*words)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert hint in ran.err


def test_no_words_show_the_overview(lgc: Lgc) -> None:
    ran = lgc()
    assert ran.status == 2
    assert "Usage: lgc" in ran.out


def test_bad_settings(lgc: Lgc, place: Path) -> None:
    (place / "a.lgraph").write_text(GOOD)
    for text, message in (
        ("out = 5", "`out` must be a string"),
        ("ot = 'gen'", "did you mean `out`?"),
        ("out = ", "lgc.toml: "),
        ('severity = { LG101 = "loud" }', "LG101 must be one of"),
    ):
        (place / "lgc.toml").write_text(text)
        ran = lgc("check", "a.lgraph")
        assert ran.status == 2
        assert message in ran.err


def test_the_nearest_settings_win(lgc: Lgc, place: Path) -> None:
    (place / "inner").mkdir()
    (place / "inner/a.lgraph").write_text("state S { x: Nope = 0 }\n")
    (place / "pyproject.toml").write_text('[tool.lgc]\nignore = ["LG1"]\n')
    assert lgc("check", "inner/a.lgraph").status == 0
    (place / "inner/lgc.toml").write_text("")
    assert lgc("check", "inner/a.lgraph").status == 1
    (place / "inner/lgc.toml").unlink()
    (place / "inner/pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert lgc("check", "inner/a.lgraph").status == 0


def test_imports_stay_in_the_project(lgc: Lgc, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "p/sub").mkdir(parents=True)
    (place / "p/lgc.toml").write_text("")
    (place / "outside.lgraph").write_text("enum E { a }\n")
    (place / "p/inside.lgraph").write_text("enum E { a }\n")
    (place / "p/sub/ok.lgraph").write_text('from "../inside.lgraph" import E\nstate S { e: E = E.a }\n')
    (place / "p/sub/no.lgraph").write_text('from "../../outside.lgraph" import E\nstate S { e: E = E.a }\n')
    for folder, start in (
        (place, "p/sub/"),
        (place / "p", "sub/"),
        (place / "p/sub", ""),
        (place, f"{place}/p/sub/"),
    ):
        monkeypatch.chdir(folder)
        assert lgc("check", f"{start}ok.lgraph", "--select", "LG104").status == 0, start
        ran = lgc("check", f"{start}no.lgraph", "--select", "LG104")
        assert ran.status == 1, start
        assert "leaves the project" in ran.out


def test_colours(lgc: Lgc, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "a.lgraph").write_text("graph {")
    assert "\x1b" not in lgc("check", "a.lgraph").out
    assert "\x1b" in lgc("check", "a.lgraph", "--color", "always").out
    assert "\x1b" in lgc("--color=always", "check", "a.lgraph").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in lgc("check", "a.lgraph").out
    assert "\x1b" not in lgc("check", "a.lgraph", "--color=never").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in lgc("check", "a.lgraph").out
    assert lgc("check", "--color", "sometimes", "a.lgraph").status == 2


def test_a_bug_is_told_in_a_sentence(lgc: Lgc, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh no")

    (place / "a.lgraph").write_text(GOOD)
    monkeypatch.setattr("lgc.cli.findings.found_in", broken)
    ran = lgc("check", "a.lgraph")
    assert ran.status == 2
    assert ran.err.startswith("error: internal error: ZeroDivisionError: oh no\n")
    assert "Traceback" not in ran.err
    assert "Traceback" in lgc("check", "a.lgraph", "--debug").err


def test_a_reader_that_has_seen_enough(place: Path) -> None:
    (place / "a.lgraph").write_text("x " * 20_000)
    with process("check", "a.lgraph", cwd=place) as run:
        assert run.stdout and run.stderr
        run.stdout.close()
        assert run.wait(30) == 0
        assert run.stderr.read() == b""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_interrupted_and_killed_runs_go_on(place: Path, lgc: Lgc) -> None:
    (place / "g.lgraph").write_text(GOOD)
    (place / "nodes.py").write_text(SLOW)
    for sign, status in ((signal.SIGINT, 130), (signal.SIGKILL, -9)):
        run_id = f"r{status}"
        with process("run", "g.lgraph", "--nodes", "nodes", "--run-id", run_id, cwd=place) as run:
            assert run.stdout and run.stderr
            assert any(b"here" in line for line in run.stdout), run.stderr.read()
            run.send_signal(sign)
            assert run.wait(30) == status
            told = run.stderr.read().decode()
        if status == 130:
            assert f"lgc resume {run_id}" in told
            assert "Traceback" not in told
    (place / "nodes.py").write_text("async def a(ctx): ...\n")
    assert "done after" in lgc("resume", "r130").out
    assert "done after" in lgc("resume", "r-9").out


def test_watching_checks_again(place: Path) -> None:
    (place / "a.lgraph").write_text(GOOD)
    with process("check", "--watch", ".", cwd=place) as run:
        assert run.stdout and run.stderr
        assert b"no findings" in run.stdout.readline()
        (place / "b.lgraph").write_text("graph {\n")
        assert run.stdout.readline().startswith(b"error[LG")
        run.send_signal(signal.SIGINT)
        assert run.wait(30) == 130


def test_interrupted_while_click_is_imported(lgc: Lgc, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(words: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("lgc.cli.guard._command", interrupted)
    monkeypatch.setitem(sys.modules, "click", None)  # half of it
    ran = lgc("check", ".")
    assert (ran.status, ran.out, ran.err) == (130, "", "error: interrupted\n")

    def again(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lgc.cli.guard.say", again)
    ran = lgc("check", ".")
    assert (ran.status, ran.out, ran.err) == (130, "", "error: interrupted\n")


def test_interrupted_inside_code_made_from_text(place: Path) -> None:
    # Python remembers such an interrupt, and a module run with -m would end by the signal.
    (place / "a.lgraph").write_text(GOOD)
    hook = "import time\ntime.sleep = lambda seconds: exec('raise KeyboardInterrupt')\n"
    (place / "sitecustomize.py").write_text(hook)
    words = [sys.executable, "-m", "lgc", "check", "--watch", "."]
    env = {**os.environ, "PYTHONPATH": str(place)}
    ran = subprocess.run(words, cwd=place, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 130
    assert ran.stdout == "no findings in 1 file\n"
    assert ran.stderr.endswith("error: interrupted\n")


def test_an_interrupt_that_python_swallows_ends_a_watch(place: Path) -> None:
    # One that comes while a callback of a weak reference runs is only told of by Python.
    (place / "a.lgraph").write_text(GOOD)
    hook = """\
import os, signal, time, weakref
class Thing: ...
def sleep(seconds):
    global calls
    calls += 1
    if calls == 1:
        thing = Thing()
        def callback(_):
            signal.raise_signal(signal.SIGINT)
        seen = weakref.ref(thing, callback)
        del thing
    elif calls > 3:
        os._exit(3)
calls = 0
time.sleep = sleep
"""
    (place / "sitecustomize.py").write_text(hook)
    words = [sys.executable, "-m", "lgc", "check", "--watch", "."]
    env = {**os.environ, "PYTHONPATH": str(place)}
    ran = subprocess.run(words, cwd=place, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (130, "no findings in 1 file\n")


@pytest.mark.skipif(os.name != "posix", reason="a shell")
def test_no_standard_output(place: Path) -> None:
    (place / "a.lgraph").write_text("graph {\n")
    words = f"{sys.executable} -m lgc check a.lgraph"
    for closed in (">&-", ">&- 2>&-"):
        ran = subprocess.run(
            f"{words} {closed}",
            shell=True,
            cwd=place,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "")
