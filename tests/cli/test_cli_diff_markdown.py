"""The comment on a pull request: what is in it, what is left out, and that nothing it quotes can act."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from lgc.cli.comparison import Compared, Comparison
from lgc.cli.diff_markdown import LIMIT, as_markdown
from lgc.cli.markdown import code, fenced, inline, plain, table
from lgc.runtime.changes.change import Change
from lgc.runtime.compat.verdict import GraphVerdict, PlaceVerdict, Reason, Verdict

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</details><script>x</script>",
    "@octocat see #12",
    "[here](javascript:x) ![](http://e.vil/x.png)",
    "a | b || c",
    "``` fence\n# head\n- list",
    "one ` two `` three ``` four",
    "\x1b[31mred\x1b[0m \u202eback",
    "\\",
    "|---|\\|",
)


def change(text: str, name: str = "guard-changed") -> Change:
    return Change("edges/a", "changed", "plain/b/guard", None, None, text, name)


def compared(
    name: str = "article",
    verdict: Verdict = Verdict.INCOMPATIBLE,
    places: Iterable[PlaceVerdict] = (),
    changes: Iterable[Change] = (),
) -> Compared:
    judged = GraphVerdict(name, "lg1:" + "a" * 64, "lg1:" + "b" * 64, verdict, tuple(changes), tuple(places))
    return Compared(name, "compared", judged, None, None)


def comment(*graphs: Compared, picture: str = "") -> str:
    return as_markdown(Comparison("git:main", ".", graphs), lambda _: picture)


def outside_code(text: str) -> str:
    """What is left of a line after all code spans, as CommonMark finds them."""
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_quoted_cannot_act(text: str) -> None:
    sentences = text, f"guard of `a -> b` changed from `{text}` to `true`", f"`{text}"
    for said in sentences:
        for written in (inline(said), inline(said, cell=True), code(said), plain(said)):
            left = outside_code(written)
            assert "\n" not in written
            assert "\x1b" not in written
            assert "\u202e" not in written
            assert not re.search(r"<(?!code>|/code>)", left)
            assert not re.search(r"@\w|(?<!&)#\w", left)  # a mention, an issue
            assert not re.search(r"(?<!\\)[\[\]*_]", left)
        in_table = table(["a"], [[inline(said, cell=True)]]).splitlines()[2]
        cells = re.split(r"(?<!\\)\|", in_table)
        assert len(cells) == 3, in_table
    assert fenced(text, "mermaid").splitlines()[-1] == ("````" if "```" in text else "```")


def test_what_is_in_it() -> None:
    why = Reason("node-gone", "place", "node/send", "there is no node `send`", "send", None, "a.lgraph:3:1")
    places = [
        PlaceVerdict("write", Verdict.COMPATIBLE),
        PlaceVerdict("send", Verdict.INCOMPATIBLE, True, (why,)),
        PlaceVerdict("grade", Verdict.COMPATIBLE),
        PlaceVerdict("post", Verdict.INCOMPATIBLE, True, (why,)),
    ]
    text = comment(
        compared(places=places, changes=[change("guard of `a -> b` changed")]), picture="flowchart TD"
    )
    assert text == comment(
        compared(places=places, changes=[change("guard of `a -> b` changed")]), picture="flowchart TD"
    )
    lines = text.splitlines()
    assert lines[0] == "<!-- lgc diff -->"
    assert lines[1] == "### ❌ `article`: incompatible at 2 of 4 nodes"
    assert sum(line.startswith("#") for line in lines) == 1
    assert "| `write`, `grade` | compatible |  |" in lines
    assert "| `send`, `post` | incompatible | there is no node `send` (`a.lgraph:3:1`) |" in lines
    assert any(line.startswith("- `~` guard of `a -> b` changed — `guard-changed`") for line in lines)
    assert text.index("incompatible") < text.index("Changes") < text.index("```mermaid\nflowchart TD\n```")
    assert text.count("<details>") == text.count("</details>") == 1


def test_several_graphs() -> None:
    graphs = [compared("a", Verdict.IDENTICAL), compared("b", Verdict.COMPATIBLE), compared("c")]
    text = comment(*graphs, picture="flowchart TD")
    assert (
        text.splitlines()[1] == "### ❌ incompatible: 1 incompatible, 1 compatible, 1 identical of 3 graphs"
    )
    assert text.index("| `c` | ❌ incompatible |") < text.index("| `b` | ✅ compatible |")
    assert "`a`" not in text
    assert text.count("```mermaid") == 2


@pytest.mark.parametrize("graphs", [1, 3, 400])
def test_what_is_too_long_is_cut_and_said(graphs: int) -> None:
    many = [change(f"guard of `n{n} -> n{n}` changed from `{'😀' * 150}` to `true`") for n in range(300)]
    places = [
        PlaceVerdict(f"node_{n}", Verdict.INCOMPATIBLE, True, (Reason("x", "history", "e", "why " * 40),))
        for n in range(300)
    ]
    told = [compared(f"graph_{n}", Verdict.INCOMPATIBLE, places, many) for n in range(graphs)]
    text = comment(*told, picture="flowchart TD\n" + "a --> b\n" * 3000)
    assert len(text) + sum(char > "\uffff" for char in text) <= LIMIT
    assert "incompatible" in text.splitlines()[1]
    assert "240 more" in text or "left out: " in text
    assert ("left out: " in text) == (graphs > 1)
    assert text.count("```") % 2 == 0
