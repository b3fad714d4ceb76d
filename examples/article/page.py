"""From a signed-off draft to a web page on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reading import words

_HERE = Path(__file__).parent


class Shown(Protocol):
    """What the page shows of a sentence."""

    @property
    def text(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def whole(self) -> bool: ...


def render(title: str, sentences: Sequence[Shown], **figures: Any) -> str:
    """The page as HTML; everything in it is escaped."""
    templates = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
    count = sum(len(words(sentence.text)) for sentence in sentences)
    return templates.get_template("page.html").render(
        title=title, sentences=sentences, word_count=count, **figures
    )


def write_whole(place: Path, text: str) -> None:
    """Put a file there in one piece: a reader sees the old one or the new one."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(place.name + ".part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(place)
