"""`lgc diff`: from two versions of graphs to whether runs may go on, why not, and what changed."""

from __future__ import annotations

import gc
import json

import click

from . import FINDINGS, FINE
from .terminal import note, out, output_style

_LEVELS = ("incompatible", "migratable", "compatible")


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Markdown is made for a comment on a pull request.",
)
@click.option(
    "--fail-on",
    type=click.Choice(_LEVELS),
    help="Exit with 1 if the verdict is this one, or a worse one. Without it, differences are no failure.",
)
@click.option("--stdin-name", default="", metavar="PATH", help="What standard input (-) is called.")
def diff_command(old: str, new: str, form: str, fail_on: str | None, stdin_name: str) -> int:
    """May runs of one version of a graph go on under another, where not, and what changed?

    \b
    OLD and NEW are each one of
      FILE, FILE:GRAPH, FOLDER   sources; - is standard input
      git:REV                    the path of the other side at a git revision (A...B: where they parted)
      git:REV:PATH               a path at a git revision
      store:URL#HASH             a graph that a store keeps; without #HASH that of the newest runs
      FILE                       canonical JSON from `lgc hash --canonical`

    Graphs of the same name are compared; two single graphs are compared whatever they are called.
    """
    from .comparison import compare_sides
    from .versions import both_sides

    gc.disable()  # all that is read stays until the end
    found = compare_sides(*both_sides(old, new, stdin_name))
    match form:
        case "json":
            out(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
        case "markdown":
            from .diff_markdown import as_markdown, picture_of

            out(as_markdown(found, picture_of).rstrip("\n"))
        case _:
            from .diff_text import as_text

            out(as_text(found, output_style()).rstrip("\n"))
    if form != "text":
        for one in found.notes:
            note(f"note: {one}")
    return FINDINGS if fail_on and found.verdict.rank >= _rank(fail_on) else FINE


def _rank(level: str) -> int:
    from ..runtime.compat.verdict import Verdict

    return Verdict(level).rank
