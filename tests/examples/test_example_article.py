"""The article example: a real summary, a real loop, a page that a person has approved."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

Copy = Callable[[str], Any]


def _log(article: Any, run: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in article.lgc("log", run, "--json").splitlines()]


def test_it_checks_clean_and_its_scenarios_pass(example: Copy) -> None:
    article = example("article")
    article.lgc("check", "--strict", ".")
    article.lgc("fmt", "--check", ".")
    assert "4 passed" in article.lgc("test", ".")


def test_it_revises_until_nothing_grave_is_left_and_publishes_after_the_approval(example: Copy) -> None:
    article = example("article")
    text = article.lgc("run", "article.lgraph", "--input", "@input.json", "--run-id", "r")
    assert "waiting at sign_off" in text
    page = article.folder / "constitution.html"
    assert not page.exists()
    drafts = [step for step in _log(article, "r") if step["node"] == "write"]
    assert len(drafts) >= 3, "the first draft is not good enough"
    article.lgc("decide", "r", "sign_off", "approve", "--actor", "editor@example.org")
    html = page.read_text(encoding="utf-8")
    source = " ".join((article.folder / "data" / "constitution.txt").read_text(encoding="utf-8").split())
    sentences = [unescape(found) for found in re.findall(r"<p>(.*?)</p>", html)]
    assert len(sentences) == 9
    assert all(sentence.rstrip(".") in source for sentence in sentences)


def test_what_is_published_is_escaped(example: Copy) -> None:
    article = example("article")
    given = json.loads((article.folder / "input.json").read_text(encoding="utf-8"))
    given["title"] = "<script>alert('no')</script>"
    article.lgc("run", "article.lgraph", "--input", json.dumps(given), "--run-id", "r")
    article.lgc("decide", "r", "sign_off", "approve", "--actor", "e")
    assert "<script" not in (article.folder / "constitution.html").read_text(encoding="utf-8")


def test_an_editor_can_have_it_shorter_under_another_title(example: Copy) -> None:
    article = example("article")
    article.lgc("run", "article.lgraph", "--input", "@input.json", "--run-id", "r")
    title = 'SetTitle={"title": "In four sentences"}'
    words = ("decide", "r", "sign_off", "resize", "sentences=4", "--modify", title, "--actor", "e")
    text = article.lgc(*words)
    assert "waiting at sign_off" in text
    article.lgc("decide", "r", "sign_off", "approve", "--actor", "e")
    html = (article.folder / "constitution.html").read_text(encoding="utf-8")
    assert "<h1>In four sentences</h1>" in html
    assert html.count("<p>") == 4


def test_a_rejected_article_is_not_published(example: Copy) -> None:
    article = example("article")
    article.lgc("run", "article.lgraph", "--input", "@input.json", "--run-id", "r")
    article.lgc("decide", "r", "sign_off", "reject", "reason=too old", "--actor", "e")
    assert not (article.folder / "constitution.html").exists()
    assert "done" in article.lgc("runs")
