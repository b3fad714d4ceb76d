"""The examples' own code is clean under strict type checking, against the code generated for them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BIN = Path(sys.executable).parent


@pytest.mark.parametrize("name", ["article", "agent"])
def test_strictly_typed(name: str, example: Callable[[str], Any]) -> None:
    copy = example(name)
    copy.lgc("build", ".", "--out", "generated")
    settings = {"typeCheckingMode": "strict", "extraPaths": ["generated"], "exclude": ["demo.py"]}
    (copy.folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [str(BIN / "pyright"), "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=copy.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
