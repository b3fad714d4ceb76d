"""Graphs modelled on what other systems publish: they check clean, run, keep their layout and build."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lgc.compiler import Checked, check
from lgc.compiler.codegen import build
from lgc.dsl import ast
from lgc.dsl.format import format_file
from lgc.dsl.parse import parse
from lgc.dsl.source import Source

ROOT = Path(__file__).parents[2]
REAL = ROOT / "tests" / "corpus" / "real"
FILES = sorted(REAL.rglob("*.lgraph"))
MAINS = [path for path in FILES if path.parent == REAL or path.name == "main.lgraph"]
BIN = Path(sys.executable).parent
MODELS = ("agent.models:ChatModel", "teams.models:ChatModel", "sql.connections:Database", "ml.train:Trainer")


def name(path: Path) -> str:
    return path.relative_to(REAL).as_posix()


def checked(path: Path) -> Checked:
    def load(wanted: str) -> bytes | None:
        file = REAL / wanted
        return file.read_bytes() if file.is_file() else None

    return check([Source(name(path), path.read_text("utf-8"))], load=load, root=".")


def test_there_are_enough_of_each_kind() -> None:
    heads = [path.read_text("utf-8").split("\n", 1)[0] for path in MAINS]
    assert all(head.startswith("// Modelled on: ") for head in heads)
    for system, least in (("LangGraph", 14), ("Burr", 4), ("AWS Step Functions", 6), ("Temporal", 5)):
        assert sum(system in head for head in heads) >= least
    assert len([path for path in MAINS if path.name == "main.lgraph"]) >= 2


@pytest.mark.parametrize("path", FILES, ids=name)
def test_checks_clean(path: Path) -> None:
    found = checked(path)
    assert [f"{d.code} {d.place}: {d.message}" for d in found.diagnostics] == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_has_its_layout(path: Path) -> None:
    text = path.read_text("utf-8")
    assert format_file(parse(Source(name(path), text)).file) == text


def test_every_scenario_passes() -> None:
    done = subprocess.run(
        [BIN / "lgc", "test", "--format", "json", "."], cwd=REAL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads(done.stdout)["scenarios"]) > 120


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("real")
    sources = [Source(name(path), path.read_text("utf-8")) for path in FILES]
    program = check(sources, load=lambda path: (REAL / path).read_bytes(), root=".").program
    for path, text in dict(build(program, version="0.1.0")).items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text(text, encoding="utf-8")
    for target in MODELS:
        module, _, kind = target.partition(":")
        file = out / f"{module.replace('.', '/')}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"class {kind}: ...\n", encoding="utf-8")
    return out


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=cwd, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_generated_code_is_as_formatters_and_linters_want_it(built: Path) -> None:
    files = sorted(str(path.relative_to(built)) for path in built.rglob("*_lg.py"))
    assert run("ruff", "format", "--isolated", "--diff", *files, cwd=built) == ""
    assert run("ruff", "check", "--isolated", "--ignore-noqa", "--no-cache", *files, cwd=built) == ""


def test_strict_mypy_accepts_generated_code(built: Path) -> None:
    command = ["--strict", "--explicit-package-bases", "--cache-dir", "/dev/null", "--python-executable"]
    assert run("mypy", *command, sys.executable, ".", cwd=built) == ""


def test_strict_pyright_accepts_generated_code(built: Path) -> None:
    settings = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": [str(ROOT / "src")],
        "venvPath": str(BIN.parents[1]),
        "venv": BIN.parent.name,
    }
    (built / "pyrightconfig.json").write_text(json.dumps(settings))
    assert run("pyright", "--project", "pyrightconfig.json", cwd=built) == ""


# --- what the language has is used somewhere ----------------------------------------------------------------


def parts(part: Any) -> Iterator[Any]:
    if isinstance(part, tuple):
        for one in part:  # pyright: ignore[reportUnknownVariableType]
            yield from parts(one)
    elif type(part).__module__ == ast.__name__:
        yield part
        fields: tuple[str, ...] = getattr(part, "__match_args__", ())
        for field in fields:
            yield from parts(getattr(part, field))


@pytest.fixture(scope="module")
def used() -> list[Any]:
    trees = [parse(Source(name(path), path.read_text("utf-8"))).file for path in FILES]
    return [part for tree in trees for part in parts(tree.declarations)]


# Migrations need the stored form of an older graph.
ELSEWHERE = {"Migrate", "Rename", "SetField", "DropField", "Move", "File", "Comment"}


def test_every_kind_of_node_of_the_tree_is_used(used: list[Any]) -> None:
    kinds = {
        kind.__name__
        for kind in vars(ast).values()
        if isinstance(kind, type) and kind.__module__ == ast.__name__
    }
    assert kinds - {type(part).__name__ for part in used} - ELSEWHERE == set()


TYPES = ["str", "int", "float", "bool", "bytes", "decimal", "datetime", "date", "duration", "uuid", "json"]
MERGES = ["error", "last", "append", "sum", "max", "min", "union", "custom"]
SIGNS = ["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "??"]
WORDS = ["or", "and", "in", "not in"]
FUNCTIONS = [
    *("len", "abs", "min", "max", "sum", "round", "str", "lower", "strip", "startswith", "contains"),
    *("get", "first", "last", "keys", "values", "any", "all", "visits", "steps"),
]


def test_types_merges_operators_and_functions_are_used(used: list[Any]) -> None:
    assert set(TYPES) <= {part.name for part in used if isinstance(part, ast.NamedType)}
    assert set(MERGES) <= {part.rule.text for part in used if isinstance(part, ast.Merge)}
    operators = {part.op for part in used if isinstance(part, ast.Binary)}
    assert {*SIGNS, *WORDS} <= operators
    assert set(FUNCTIONS) <= {part.name.text for part in used if isinstance(part, ast.Call)}
    assert {"all", "any", "first"} == {p.kind.text for p in used if isinstance(p, ast.JoinClause)} | {"all"}
    assert {"pure", "idempotent", "once"} == {p.kind.text for p in used if isinstance(p, ast.EffectClause)}
    assert {"fail", "collect"} == {p.kind.text for p in used if isinstance(p, ast.OnErrorClause)}
