"""The agent's tools: from named text arguments to text, each with what a model is told about it."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

_DATA = Path(__file__).parent / "data"


class ToolError(Exception):
    """A tool cannot do what was asked; the text is for the model."""


class Tool(NamedTuple):
    """A function, what it is for, its arguments, and whether a person has to allow it."""

    call: Callable[..., str]
    purpose: str
    arguments: Mapping[str, str]
    dangerous: bool = False


def search(query: str) -> str:
    """Lines of the data files that hold all words of the query."""
    wanted = query.lower().split()
    lines = [line for file in sorted(_DATA.glob("*.txt")) for line in file.read_text("utf-8").splitlines()]
    found = [line for line in lines if wanted and all(word in line.lower() for word in wanted)]
    return "\n".join(found[:20]) or "nothing found"


_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


def calculate(expression: str) -> str:
    """A sum: numbers, + - * / and parentheses; nothing else is evaluated."""
    try:
        value = _value(ast.parse(expression, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, OverflowError) as error:
        raise ToolError(f"cannot calculate {expression!r}: {error}") from error
    return f"{value:.10g}"


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left), _value(right))
        case _:
            raise ValueError("only numbers, + - * / and parentheses")


def write_file(name: str, text: str) -> str:
    """Write a file into the folder AGENT_FILES (here: `files`)."""
    if not name or Path(name).name != name or name.startswith("."):
        raise ToolError(f"{name!r} is not a plain file name")
    folder = Path(os.environ.get("AGENT_FILES", "files"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return f"wrote {len(text)} characters to {name}"


TOOLS: Mapping[str, Tool] = {
    "search": Tool(
        search, "Find lines about planets that hold all given words.", {"query": "words to look for"}
    ),
    "calculate": Tool(calculate, "Evaluate a sum.", {"expression": "for example (2 + 3) * 4"}),
    "write_file": Tool(
        write_file, "Write a text file.", {"name": "plain file name", "text": "what to write"}, dangerous=True
    ),
}


def use(name: str, arguments: Mapping[str, str]) -> str:
    """Use a tool. Raises ToolError where there is none of that name, or the arguments do not fit."""
    tool = TOOLS.get(name)
    if tool is None:
        raise ToolError(f"there is no tool {name!r}; there are {', '.join(TOOLS)}")
    if set(arguments) != set(tool.arguments):
        raise ToolError(f"{name} takes {', '.join(tool.arguments)}")
    return tool.call(**arguments)
