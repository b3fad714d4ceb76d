"""`lgc hash`: hashes as text, elements, canonical forms."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lgc.compiler.canonical import hash_of_text

Lgc = Callable[..., Any]


def test_one_line_a_graph(lgc: Lgc, article: Path) -> None:
    ran = lgc("hash", "article.lgraph")
    assert ran.status == 0
    assert re.fullmatch(r"lg1:[0-9a-f]{64}  article\.lgraph:article\n", ran.out)
    short = lgc("hash", "article.lgraph", "--short")
    assert re.fullmatch(r"lg1:[0-9a-f]{16}  article\.lgraph:article\n", short.out)
    assert short.out[:20] == ran.out[:20]
    assert lgc("hash", "article.lgraph:article").out == lgc("hash", ".").out == ran.out


def test_the_canonical_form_is_what_is_hashed(lgc: Lgc, article: Path) -> None:
    text = lgc("hash", "article.lgraph", "--canonical").out
    assert text.count("\n") == 1
    assert hash_of_text(text).full == lgc("hash", "article.lgraph").out.split()[0]


def test_elements_tell_which_part_differs(lgc: Lgc, article: Path) -> None:
    before = lgc("hash", "article.lgraph", "--elements").out.splitlines()
    path = article / "article.lgraph"
    path.write_text(path.read_text().replace("max_visits 3", "max_visits 4"))
    after = lgc("hash", "article.lgraph", "--elements").out.splitlines()
    changed = [new.split()[1] for old, new in zip(before, after, strict=True) if old != new]
    assert changed == ["article.lgraph:article", "edges/grade"]


def test_operational_hash(lgc: Lgc, article: Path) -> None:
    whole, ops = lgc("hash", "article.lgraph").out, lgc("hash", "article.lgraph", "--ops").out
    path = article / "article.lgraph"
    path.write_text(path.read_text().replace("timeout  2d", "timeout  3d"))
    assert lgc("hash", "article.lgraph").out == whole
    assert lgc("hash", "article.lgraph", "--ops").out != ops


def test_json(lgc: Lgc, article: Path) -> None:
    (one,) = json.loads(lgc("hash", "article.lgraph", "--json", "--elements").out)["graphs"]
    assert one["graph"] == "article"
    assert "node/write" in one["elements"]


def test_wrong_usage_and_errors(lgc: Lgc, article: Path) -> None:
    ran = lgc("hash", "article.lgraph:artcle")
    assert ran.status == 2
    assert "did you mean `article`?" in ran.err
    assert lgc("hash", "common.lgraph").status == 2
    assert lgc("hash", "article.lgraph", "--canonical", "--short").status == 2
    (article / "bad.lgraph").write_text("graph g(S) { start -> end }")
    ran = lgc("hash", "bad.lgraph")
    assert (ran.status, ran.out) == (1, "")
    assert "LG101" in ran.err
