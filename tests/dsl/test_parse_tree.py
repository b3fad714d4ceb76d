"""Every construct of the language, parsed: the tree printed compactly, as read by people."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
from syrupy.assertion import SnapshotAssertion

from lgc.dsl import ast
from lgc.dsl.parse import parse
from lgc.dsl.read import read_bytes
from lgc.dsl.source import Source, Span

VALID = Path(__file__).parent.parent / "corpus" / "parse" / "valid"
ARTICLE = VALID.parent.parent / "build" / "article.lgraph"


def show(value: object) -> str:
    """A node on one line: its class and its parts, without spans and empty parts; operators infix."""
    match value:
        case ast.Name(text=text) | ast.Ref(name=text) | ast.NamedType(name=text):
            return text
        case ast.IntLit(text=text) | ast.FloatLit(text=text) | ast.DurationLit(text=text):
            return text
        case ast.StrLit(value=text):
            return repr(text)
        case ast.Binary(op=op, left=left, right=right):
            return f"[{show(left)} {op} {show(right)}]"
        case ast.Unary(op=op, operand=operand):
            return f"[{op} {show(operand)}]"
        case tuple():
            parts = [show(part) for part in cast("tuple[object, ...]", value)]
            return "(" + ", ".join(parts) + ")"
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            parts = [
                f"{field.name}={show(getattr(value, field.name))}"
                for field in dataclasses.fields(value)
                if field.name != "span" and getattr(value, field.name) not in ("", (), None, False)
            ]
            return type(value).__name__ + "{" + " ".join(parts) + "}"
        case _:
            return repr(value)


def tree(file: ast.File) -> str:
    lines: list[str] = []
    for declaration in file.declarations:
        inner = getattr(declaration, "items", None)
        if inner is None:
            lines.append(show(declaration))
            continue
        lines.append(show(dataclasses.replace(cast("ast.State", declaration), items=())))
        lines += ["  " + show(item) for item in inner]
    return "\n".join(lines + [comment.text for comment in file.comments])


@pytest.mark.parametrize("path", [*sorted(VALID.glob("*.lgraph")), ARTICLE], ids=lambda p: p.stem)
def test_tree(path: Path, snapshot: SnapshotAssertion) -> None:
    source, _ = read_bytes(path.name, path.read_bytes())
    assert source is not None
    parsed = parse(source)
    assert [f"{d.place} {d.message}" for d in parsed.diagnostics] == []
    assert tree(parsed.file) == snapshot


@pytest.mark.parametrize("path", [*sorted(VALID.glob("*.lgraph")), ARTICLE], ids=lambda p: p.stem)
def test_spans_cover_what_was_written(path: Path) -> None:
    source, _ = read_bytes(path.name, path.read_bytes())
    assert source is not None
    text = source.text

    def visit(value: object, start: int, end: int) -> None:
        if isinstance(value, tuple) and not isinstance(value, Span):
            for part in cast("tuple[object, ...]", value):
                visit(part, start, end)
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            span: Span = cast("Any", value).span
            written = text[span.start : span.end]
            assert start <= span.start < span.end <= end, value
            assert written == written.strip(), value
            if isinstance(value, ast.Name):
                assert value.text == written
            for field in dataclasses.fields(value):
                visit(getattr(value, field.name), *span)

    visit(parse(source).file.declarations, 0, len(text))


def one_field(text: str) -> ast.Field:
    declaration = parse(Source("t", f"state S {{ {text} }}")).file.declarations[0]
    assert isinstance(declaration, ast.State)
    field = declaration.items[0]
    assert isinstance(field, ast.Field)
    return field


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"', 'a"\\/\b\f\n\r\té😀'),
        ('""', ""),
        ('"""a"b""c"""', 'a"b""c'),
        ('"""\n  a\n    b\n\n  c\n  """', "a\n  b\n\nc\n"),
        ('"""one\n  two"""', "one\n  two"),
        ('"""\r\n  a\r\n  b"""', "a\nb"),
        ('"""\n  \\ta\n  b"""', "\ta\nb"),
        ('"""\n\ta\n  b"""', "\ta\n  b"),
        ('"""a\\"""b"""', 'a"""b'),
    ],
)
def test_strings(written: str, value: str) -> None:
    default = one_field(f"a: str = {written}").default
    assert isinstance(default, ast.StrLit)
    assert (default.value, default.text) == (value, written)


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("7d", 604_800_000)],
)
def test_durations(written: str, milliseconds: int) -> None:
    default = one_field(f"a: duration = {written}").default
    assert isinstance(default, ast.DurationLit)
    assert default.milliseconds == milliseconds
