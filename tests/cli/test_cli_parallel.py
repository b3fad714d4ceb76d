"""Groups of files that are checked in other processes: the same findings, and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lgc.parallel import shares

GOOD = """\
state S { n: int = 0  mutation Add() { n += 1 } }
graph g(S) { task a { reads n  records Add }  start -> a -> end }
"""
BAD = GOOD.replace("records Add", "records Adds")
START = "import sys; from lgc import checks, parallel; checks.PAYS = 0; parallel.processors = lambda: 3\n"
RUN = "from lgc.cli import main; sys.exit(main(sys.argv[1:]))\n"


def ran(folder: Path, *words: str, before: str = "") -> tuple[int, str, str]:
    run = subprocess.run(
        [sys.executable, "-c", START + before + RUN, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return run.returncode, run.stdout, run.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of many files, some with findings, some joined."""
    (tmp_path / "lgc.toml").touch()
    for number in range(12):
        (tmp_path / f"f{number}.lgraph").write_text((GOOD if number % 3 else BAD) + f"// {number}\n")
    (tmp_path / "x.lgraph").write_text('from "./f0.lgraph" import S\n' + BAD.partition("\n")[2])
    (tmp_path / "no_text.lgraph").write_bytes(b"graph \xff")
    return tmp_path


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_the_report_is_that_of_one_process(folder: Path, form: str) -> None:
    words = ("check", "--no-cache", "--format", form)
    alone = ran(folder, *words, before="parallel.processors = lambda: 1\n")
    assert ran(folder, *words) == alone
    assert alone[0] == 1
    assert "LG001" in alone[1]


def test_processes_are_really_used(folder: Path) -> None:
    assert " in 3 processes: 14 files" in ran(folder, "check", "--no-cache", "--stats")[2]


@pytest.mark.parametrize(
    "harm", ["os.kill(os.getpid(), 9)", "os._exit(0)", "1 / 0", "raise KeyboardInterrupt", "return 7"]
)
def test_what_a_process_could_not_do_is_done_here(folder: Path, harm: str) -> None:
    before = (
        "import os; own = os.getpid(); inner = checks._Work._check\n"
        "def broken(self, *rest):\n"
        f"    if os.getpid() != own: {harm}\n"
        "    return inner(self, *rest)\n"
        "checks._Work._check = broken\n"
    )
    words = ("check", "--no-cache")
    assert ran(folder, *words, before=before) == ran(folder, *words)


def test_ctrl_c_leaves_nobody_behind(folder: Path) -> None:
    before = (
        "import os, time; own = os.getpid(); inner = checks._Work._check\n"
        "def slow(self, *rest):\n"
        "    sys.stderr.write(f'{os.getpid()}\\n'); sys.stderr.flush(); time.sleep(60)\n"
        "checks._Work._check = slow\n"
    )
    words = [sys.executable, "-c", START + before + RUN, "check", "--no-cache"]
    with subprocess.Popen(
        words, cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stderr is not None
        processes = [int(run.stderr.readline()) for _ in range(3)]
        run.send_signal(signal.SIGINT)  # to the first process alone, as a script would
        rest = run.stderr.read()
    assert run.returncode == 130
    assert rest == "error: interrupted\n"
    deadline = time.monotonic() + 10
    while any(alive(process) for process in processes):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_work_is_shared_by_weight() -> None:
    assert shares([5, 1, 1, 1, 1, 1], 2) == [[0], [1, 2, 3, 4, 5]]
    assert shares([1], 4) == [[0]]
    assert sorted(n for one in shares([3] * 10, 3) for n in one) == list(range(10))
