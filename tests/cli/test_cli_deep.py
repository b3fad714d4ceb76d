"""Programs deeper than Python's own stack: every command ends with a result."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Lgc

DEEP = 1_300
STATE = "state S { n: int = 0  mutation Add() { n += 1 } }\n"


def graphs_in_graphs() -> str:
    parts = [STATE]
    for level in range(DEEP):
        last = level == DEEP - 1
        inner = "task s { reads n  records Add }" if last else f"subgraph s = g{level + 1}"
        parts.append(f"graph g{level}(S) {{ {inner}  start -> s -> end }}\n")
    return "".join(parts)


def parallels_in_branches() -> str:
    parts = [STATE, "graph g(S) {\n"]
    for level in range(DEEP):
        inner = "leaf" if level == DEEP - 1 else f"p{level + 1}"
        parts.append(f"  parallel p{level} {{ branch down = {inner}  branch side = t{level} }}\n")
        parts.append(f"  task t{level} {{ records Add }}\n")
    parts.append("  task leaf { records Add }\n  task last { reads n }\n  start -> p0 -> last -> end\n}\n")
    return "".join(parts)


def states_in_states() -> str:
    parts = [f"state S{level} {{ s: S{level + 1} }}\n" for level in range(DEEP)]
    parts.append(STATE.replace("state S", f"state S{DEEP}"))
    parts.append(f"graph g(S{DEEP}) {{ task t {{ reads n  records Add }}  start -> t -> end }}\n")
    parts.append("graph top(S0) { task t { reads s }  start -> t -> end }\n")
    return "".join(parts)


@pytest.mark.parametrize("program", [graphs_in_graphs, parallels_in_branches])
@pytest.mark.parametrize("words", [["check"], ["hash"], ["build", "--out", "out"], ["fmt"]])
def test_a_deep_program_is_no_problem(lgc: Lgc, place: Path, program: object, words: list[str]) -> None:
    assert callable(program)
    (place / "a.lgraph").write_text(str(program()))
    ran = lgc(words[0], "a.lgraph", *words[1:])
    assert ran.status == 0, ran.err[:300]
    assert "error" not in ran.err


@pytest.mark.parametrize("words", [["check"], ["hash"], ["build", "--out", "out"], ["fmt"]])
def test_deep_states_end_with_a_result(lgc: Lgc, place: Path, words: list[str]) -> None:
    (place / "a.lgraph").write_text(states_in_states())
    ran = lgc(words[0], "a.lgraph", *words[1:])
    # Generated classes for states that lie so deep in each other would be of no use to Python either.
    assert ran.status == 0 or "nested too deeply" in ran.err, ran.err[:300]
