"""`lgc check --watch`: findings come and go with the files, and so do the files."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CLEAN = """\
state Job {
  done: bool = false

  mutation Finish(done)
}

graph work(Job) {
  task plan { reads done  records Finish }

  start -> plan -> end
}
"""


@pytest.fixture
def watched(place: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that watches `a.lgraph`."""
    (place / "a.lgraph").write_text(CLEAN)
    words = [sys.executable, "-m", "lgc", "check", "--watch", "a.lgraph"]
    with subprocess.Popen(words, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        yield run
        run.kill()


def put(path: Path, text: str) -> None:
    """Write a file at once, as editors do: nobody sees half of it."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def summary(run: subprocess.Popen[bytes]) -> str:
    """The next summary line of the process."""
    assert run.stdout
    for line in run.stdout:
        if b" in 1 file" in line:
            return line.decode().strip()
    return ""


def complaint(run: subprocess.Popen[bytes]) -> str:
    """The next error that is no finding."""
    assert run.stderr
    return next((line.decode().strip() for line in run.stderr if line.startswith(b"error")), "")


def test_findings_come_and_go(place: Path, watched: subprocess.Popen[bytes]) -> None:
    assert summary(watched) == "no findings in 1 file"
    put(place / "a.lgraph", CLEAN.replace("start ->", "start"))
    assert summary(watched).startswith("1 error in 1 file")
    put(place / "a.lgraph", CLEAN)
    assert summary(watched) == "no findings in 1 file"
    (place / "a.lgraph").unlink()
    assert complaint(watched) == "error: a.lgraph: no such file or folder"
    put(place / "a.lgraph", CLEAN.replace("plan -> end", "plan -> ned"))
    assert summary(watched).startswith("1 error in 1 file")
    watched.send_signal(signal.SIGINT)
    assert watched.wait(30) == 130


def test_settings_are_watched(place: Path) -> None:
    put(place / "lgc.toml", 'ignore = ["LG3"]\n')
    put(place / "a.lgraph", CLEAN.replace("  start", "  task lost\n\n  lost -> end\n  start"))
    words = [sys.executable, "-m", "lgc", "check", "--watch", "a.lgraph"]
    with subprocess.Popen(words, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert summary(run) == "no findings in 1 file"
        put(place / "lgc.toml", "ignore = [\n")
        assert complaint(run).startswith("error: lgc.toml: ")
        put(place / "lgc.toml", "ignore = []\n")
        assert summary(run) == "1 error in 1 file"
        run.kill()


def test_what_cannot_be_watched(place: Path) -> None:
    for path in ("-", "nowhere.lgraph"):
        words = [sys.executable, "-m", "lgc", "check", "--watch", path]
        ran = subprocess.run(words, cwd=place, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        assert ran.returncode == 2
        assert ran.stderr.startswith(b"error: ")
