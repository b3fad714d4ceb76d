"""Words that are read without click: they mean what click would have made of them."""

from __future__ import annotations

from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgc.cli.check import check_command
from lgc.cli.plain import PLAIN, read

WORDS = [
    *(option.word for option in PLAIN),
    *(
        "--format=json",
        "--format=",
        "--format=xml",
        "json",
        "--select=LG5,LG1",
        "--strict=1",
        "--stdin-name=",
    ),
    *("a.lgraph", "-", "--", "-s", "--fix", "--help", "--forma", "--stats", "LG5", "", "=", "x=y", "text"),
]


def by_click(words: list[str]) -> dict[str, Any]:
    """What click makes of words; raises where it refuses them."""
    with check_command.make_context("check", list(words), resilient_parsing=False) as context:
        return context.params


@given(st.lists(st.sampled_from(WORDS), max_size=6))
def test_what_is_read_is_what_click_reads(words: list[str]) -> None:
    found = read(words)
    if found is None:
        return
    paths, values = found
    said = by_click(words)
    assert said["paths"] == paths
    unset = by_click([])
    assert said == {**unset, "paths": paths, **values}


@pytest.mark.parametrize(
    ("words", "paths", "values"),
    [
        ([], (), {}),
        (["a", "-", ""], ("a", "-", ""), {}),
        (["--format", "json", "a", "--strict"], ("a",), {"form": "json", "strict": True}),
        (["--select=LG5", "--select", "LG1", "a"], ("a",), {"select": ("LG5", "LG1")}),
        (["--no-cache", "a", "--stats"], ("a",), {"no_cache": True, "stats": True}),
    ],
)
def test_the_usual_words_are_read(words: list[str], paths: tuple[str, ...], values: dict[str, Any]) -> None:
    assert read(words) == (paths, values)


@pytest.mark.parametrize(
    "words",
    [
        ["--format", "xml"],
        ["--format"],
        ["--select", "--strict"],
        ["--strict=1"],
        ["--fix"],
        ["--", "a"],
        ["-h"],
    ],
)
def test_the_rest_is_left_to_click(words: list[str]) -> None:
    assert read(words) is None


def test_click_knows_every_plain_option_by_the_same_name() -> None:
    known = {word: one.name for one in check_command.params for word in one.opts}
    assert {option.word: option.name for option in PLAIN}.items() <= known.items()
    assert isinstance(check_command, click.Command)
