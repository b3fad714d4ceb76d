"""Laid out pieces are left alone by `ruff format`, whatever they are made of."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from lgc.compiler.codegen.layout import (
    Bracket,
    Chain,
    Piece,
    Prefixed,
    Suffixed,
    dict_of,
    parens,
    statement,
    tuple_of,
)
from lgc.compiler.codegen.text import docstring, literal

RUFF = Path(sys.executable).parent / "ruff"


def piece(r: random.Random, depth: int) -> Piece:
    """A random expression."""

    def inner() -> Piece:
        return piece(r, depth - 1)

    if depth == 0 or r.random() < 0.2:
        return r.choice(
            ["state.value", f'"{"x" * r.randint(1, 40)}"', "one", f"state.{'abc_' * r.randint(1, 8)}"]
        )
    match r.randint(0, 9):
        case 0 | 1 | 2:
            head = r.choice(["lg.item(", "max(", "Point("])
            return Bracket(head, tuple(inner() for _ in range(r.randint(1, 4))), ")")
        case 3:
            return tuple_of([inner() for _ in range(r.randint(0, 3))])
        case 4:
            return dict_of([(f'"k{i}"', inner()) for i in range(r.randint(0, 3))])
        case 5:
            return Prefixed("not ", parens(inner()))
        case 6:
            return Suffixed(parens(inner()), ".name")
        case 7:
            return Chain((parens(inner()), parens(inner()), parens(inner())), ("if", "else"))
        case 8:
            count = r.randint(2, 4)
            return Chain(
                tuple(parens(inner()) for _ in range(count)), (r.choice(["and", "or"]),) * (count - 1)
            )
        case _:
            return Chain(
                (parens(inner()), parens(inner())), (r.choice(["==", "<", "in", "+", "*", "is not"]),)
            )


def left_alone(text: str, folder: Path) -> str:
    """What ruff would change."""
    file = folder / "given.py"
    file.write_text(text, encoding="utf-8")
    command = [str(RUFF), "format", "--isolated", "--no-cache", "--diff", str(file)]
    result = subprocess.run(command, capture_output=True, text=True)
    return "" if result.returncode == 0 else result.stdout + result.stderr


@pytest.mark.parametrize("seed", range(3))
def test_statements(seed: int, tmp_path: Path) -> None:
    r = random.Random(seed)
    prefixes = ("return ", "state.x = ", "state.x += ")
    bodies = [statement(r.choice(prefixes), piece(r, r.randint(1, 4)), 4) for _ in range(500)]
    text = "\n\n\n".join(f"def f{i}(state, one):\n{body}" for i, body in enumerate(bodies)) + "\n"
    assert left_alone(text, tmp_path) == ""
    assert text.count("fmt: skip") < 60, "the layout of most statements is known"


TEXTS = [
    "plain", 'ends in "', '"', '"""', "back\\slash\\", "\\", "tab\tin", "{{ x }} {% y %} {# z #}",
    "# no comment", "\u202eright to left", "\x00nul", "two\nlines", 'slash and quote \\"', " ",
    "two\n\n  with indentation\n    and more  \nend", "é 漢字 \u0301x",
    "'''", "\\N{DASH}", "x" * 120, "a\rb", "\u2028", '""""', 'mixed """ and \\', "trailing space ", "%s {x}",
]  # fmt: skip


def test_strings_and_docstrings(tmp_path: Path) -> None:
    parts = [f"x{i} = {literal(text)}" for i, text in enumerate(TEXTS)]
    functions = [f"def f{i}():\n{docstring(text, 4)}" for i, text in enumerate(TEXTS)]
    text = "\n".join(parts) + "\n\n\n" + "\n\n\n".join(functions) + "\n"
    assert left_alone(text, tmp_path) == ""
    names: dict[str, object] = {}
    exec(compile(text, "given.py", "exec"), names)  # noqa: S102
    assert [names[f"x{i}"] for i in range(len(TEXTS))] == TEXTS
