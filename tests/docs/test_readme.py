"""The first screen of the README is true: its files are written, its commands run, their output compared.

In the page's source, `<!-- file: NAME -->` before a block names the file that it is, and
`<!-- edit: NAME | OLD | NEW -->` is a change that the text describes (`~` stands for a line end). Times,
which differ, are masked on both sides.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PART = re.compile(
    r"<!-- edit: (?P<edited>\S+) \|(?P<old>.*?)\|(?P<new>.*?)-->"
    r"|<!-- file: (?P<file>\S+) -->\n```[^\n]*\n(?P<text>.*?)^```"
    r"|^```console\n(?P<console>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
TIMES = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d+(\.\d+)? ?(ms|s)\b| +(?=\d+(\.\d+)?s )")


class Command(NamedTuple):
    words: str
    printed: str


def _commands(console: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        words, _, printed = part.partition("\n")
        yield Command(words, printed)


def _masked(text: str) -> str:
    return TIMES.sub("T", text.strip())


def test_the_first_screen(tmp_path: Path) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    screen = page[: page.index("Everything on this screen")]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    ran: list[str] = []
    for part in PART.finditer(screen):
        if part["file"]:
            (tmp_path / part["file"]).write_text(part["text"], encoding="utf-8")
        elif part["edited"]:
            place = tmp_path / part["edited"]
            text, old, new = place.read_text(encoding="utf-8"), part["old"][1:-1], part["new"][1:-1]
            assert old in text
            place.write_text(text.replace(old, new.replace("~", "\n")), encoding="utf-8")
        else:
            for command in _commands(part["console"]):
                done = subprocess.run(
                    shlex.split(command.words), cwd=tmp_path, env=environment, text=True, check=False,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                )  # fmt: skip
                assert _masked(done.stdout) == _masked(command.printed), command.words
                ran.append(command.words.split()[1])
    assert ran == ["check", "run", "resume", "decide"]
