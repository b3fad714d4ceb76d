"""Every `lgraph` block in README and docs checks clean, or shows the findings that its fence names."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
LGC = Path(sys.executable).parent / "lgc"
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("examples/*/README.md"))]
FENCE = re.compile(r"^```lgraph[ \t]*(?P<codes>[^\n]*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    page: str
    line: int
    codes: tuple[str, ...]
    text: str


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Block(page.relative_to(ROOT).as_posix(), line, tuple(found["codes"].split()), found["text"])


BLOCKS = list(blocks())


def test_there_are_blocks_on_the_pages_that_need_them() -> None:
    assert {"README.md", "docs/language.md"} <= {block.page for block in BLOCKS}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[dict[str, Any]]]:
    """What `lgc check` says of each block, by its number; all in one run."""
    folder = tmp_path_factory.mktemp("blocks")
    for number, block in enumerate(BLOCKS):
        (folder / f"block_{number}.lgraph").write_text(block.text, encoding="utf-8")
    command = [str(LGC), "check", "--format", "json", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    by_block: dict[int, list[dict[str, Any]]] = {number: [] for number in range(len(BLOCKS))}
    for finding in json.loads(done.stdout)["findings"]:
        number = int(re.sub(r"\D", "", Path(finding["file"]).stem))
        by_block[number].append(finding)
    return by_block


def _name(number: int) -> str:
    return f"{BLOCKS[number].page}:{BLOCKS[number].line}"


@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=_name)
def test_block(number: int, findings: dict[int, list[dict[str, Any]]]) -> None:
    found = findings[number]
    shown = "\n".join(f"{f['code']} line {f['range']['start']['line']}: {f['message']}" for f in found)
    assert {f["code"] for f in found} == set(BLOCKS[number].codes), shown
