"""Text of a graph to a module that runs, as `lgc build` and `import` would do it."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from lgc.compiler import check
from lgc.compiler.codegen import generate
from lgc.dsl.source import Source

_numbers = count(1)


@pytest.fixture
def compiled() -> Iterator[Callable[[str], Any]]:
    """A function from the text of a file to its generated module."""
    made: list[str] = []

    def build(text: str) -> Any:
        name = f"graph{next(_numbers)}"
        checked = check([Source(f"{name}.lgraph", text)], load=lambda path: None)
        errors = [d for d in checked.diagnostics if d.severity == "error"]
        assert not errors, "\n".join(f"{d.place}: {d.code} {d.message}" for d in errors)
        (source,) = checked.program.modules
        module = types.ModuleType(f"{name}_lg")
        sys.modules[module.__name__] = module
        made.append(module.__name__)
        exec(compile(generate(checked.program, source, version="0"), module.__name__, "exec"), module.__dict__)
        return module

    yield build
    for name in made:
        del sys.modules[name]
