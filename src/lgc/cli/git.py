"""Git's own commands, as this program runs them: without a prompt, without a shell, in plain English."""

from __future__ import annotations

import os
import subprocess
from typing import IO

from .terminal import Failure

# A hook is run with these; the repository that is meant is that of the path.
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


def run(folder: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command of git in a folder. Raises Failure where there is no git."""
    try:
        return subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, check=False, env=_environment()
        )
    except FileNotFoundError:
        raise Failure("git is not installed", "install it, or compare files") from None
    except ValueError:  # a zero byte in a word
        raise Failure("that is no revision that git knows") from None


def answer(folder: str, *words: str) -> str:
    """What git prints. Raises Failure with what it says."""
    ran = run(folder, *words)
    if ran.returncode:
        where = os.path.relpath(folder)
        said = told(ran)
        if "dubious ownership" in said:
            here = os.path.abspath(folder)
            hint = f"if you trust it: `git config --global --add safe.directory {here}` (or its top)"
            raise Failure(f"{where}: the git repository belongs to somebody else", hint)
        raise Failure(f"{where}: {said}", "git:REV needs a git repository")
    return ran.stdout.decode("utf-8", "surrogateescape")


def told(ran: subprocess.CompletedProcess[bytes]) -> str:
    """The first line that git complains with, in its words."""
    lines = [line for line in ran.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[0].removeprefix("fatal: ").removeprefix("error: ") if lines else "git said nothing"


class Objects:
    """Reads objects one after the other through one process."""

    def __init__(self, folder: str, revision: str) -> None:
        self._folder = folder
        self._revision = revision
        self._process: subprocess.Popen[bytes] | None = None
        self._known: dict[str, bytes] = {}

    def read(self, object_: str) -> bytes:
        """The bytes of an object. Raises Failure where the repository has not got it."""
        if object_ not in self._known:
            self._known[object_] = self._ask(object_)
        return self._known[object_]

    def _ask(self, object_: str) -> bytes:
        if self._process is None:
            self._process = subprocess.Popen(
                ["git", "-C", self._folder, "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )
        to, back = self._pipes(self._process)
        try:
            to.write(f"{object_}\n".encode())
            to.flush()
            about = back.readline().split()
            if len(about) == 3 and about[1] == b"blob":
                size = int(about[2])
                data = back.read(size + 1)[:-1]
                if len(data) == size:
                    return data
        except OSError:
            pass
        hint = "the clone may be partial, or damaged: try `git fetch`, then `git fsck`"
        raise Failure(f"git:{self._revision}: the repository lacks the object {object_[:12]}", hint)

    def _pipes(self, process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
        if process.stdin is None or process.stdout is None:
            raise Failure("git cannot be spoken to")
        return process.stdin, process.stdout

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            for pipe in self._pipes(self._process):
                pipe.close()
            self._process.wait()
            self._process = None
